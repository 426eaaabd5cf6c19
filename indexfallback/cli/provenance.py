"""``why --provenance FILE``: who has published a file, and whether its signatures are valid."""

import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import click
import msgspec

from indexfallback.cli.output import clock, print_json, wrapped
from indexfallback.config import Settings
from indexfallback.dists.verification import EXTRA, NotInstalledError, Verdict, trust_root, verify
from indexfallback.errors import FileError, FileMissingError
from indexfallback.files.download import FileAddress
from indexfallback.formats.provenance import Attestation, Publisher, read, words
from indexfallback.names import FileKey
from indexfallback.shim import Shim
from indexfallback.store.disk import hash_file
from indexfallback.upstream.roots import path_of
from indexfallback.words import counted

Report = dict[str, Any]


def show_provenance(settings: Settings, project: str, filename: str, *, as_json: bool) -> None:
    """Print the provenance of a file; exits with 1 if there is none, or if it is refuted.

    Raises `ProjectError` if the project has no page.
    """
    with closing(Shim(settings)) as shim:
        report = _report(shim, project, filename)
    if as_json:
        print_json(report)
    else:
        _print(report)
    found = report["attestations"]
    is_refuted = any(each["verified"] is False or each["matches"] is False for each in found)
    sys.exit(1 if not found or is_refuted else 0)


def _report(shim: Shim, project: str, filename: str) -> Report:
    """Ask for the provenance object of a file, and return what it says."""
    answer = shim.fallback.page(project)
    file = answer.corrected.file(filename)
    if file is None:
        remedy = f"`indexfallback why {project}` says what it has."
        raise FileMissingError(filename, f"no page of {project} lists it", remedy)
    address = FileAddress(answer.owner.group, FileKey(project, file.sha256), filename)
    report: Report = {"project": project, "filename": filename, "owner": answer.owner.name}
    try:
        body, cause = shim.downloads.provenance.get(address), None
    except FileError as error:
        body, cause = None, error.cause
    stored = shim.downloads.provenance.stored(address)
    path = _bytes(shim, address, file.url)
    sha256 = hash_file(path) if path is not None else file.sha256
    report |= {
        "sha256": sha256,
        "held": path is not None,
        "checked": stored.checked if stored is not None else None,
        "cause": cause,
        "trust_root": None,
        "attestations": [],
    }
    if body is not None:
        report |= _checked(body, filename, sha256, is_held=path is not None)
    return report


def _checked(body: bytes, filename: str, sha256: str | None, *, is_held: bool) -> Report:
    """Return what a provenance object states about a file, and whether that is valid."""
    found = read(body)
    verdicts, reason = _verdicts(body, filename, sha256 if is_held else None)
    each = zip(found, verdicts or [None] * len(found), strict=True)
    return {
        "trust_root": trust_root() if verdicts else None,
        "attestations": [
            _attestation(attestation, filename, sha256, verdict, reason)
            for attestation, verdict in each
        ],
    }


def _bytes(shim: Shim, address: FileAddress, url: str) -> Path | None:
    """Return the path of a file's bytes, if they are on this machine."""
    if url.startswith("file:"):
        return path_of(url)
    sha256 = address.key.sha256 or shim.store.pins.get(address.key.project, address.filename)
    blob = shim.store.blobs.find(sha256) if sha256 is not None else None
    return blob.path if blob is not None else None


def _verdicts(body: bytes, filename: str, sha256: str | None) -> tuple[tuple[Verdict, ...], str]:
    """Return the verdicts on an object, or why there are none.

    ``sha256`` is that of the file's bytes; None if they are not here.
    """
    if sha256 is None:
        return (), "the file is not in the cache"
    try:
        return verify(body, filename, sha256), ""
    except NotInstalledError:
        return (), f"install {EXTRA}"


def _attestation(
    attestation: Attestation, filename: str, sha256: str | None, verdict: Verdict | None,
    reason: str,
) -> Report:  # fmt: skip
    matches = (filename, sha256) in attestation.subjects if sha256 is not None else None
    return {
        "publisher": msgspec.structs.asdict(attestation.publisher),
        "type": attestation.predicate_name,
        "predicate": attestation.predicate,
        # Whether it names the file and its sha256; this can be checked without the extra.
        "matches": matches,
        # None if that could not be tried.
        "verified": verdict.is_verified if verdict is not None else None,
        "reason": (verdict.reason if verdict is not None else reason) or None,
    }


def _print(report: Report) -> None:
    click.echo(f"{report['filename']} of {report['project']}, from {report['owner']}")
    if report["cause"] is not None:
        click.echo(wrapped(f"no provenance: {report['cause']}"))
        return
    count = counted(len(report["attestations"]), "attestation")
    checked = f", as of {clock(report['checked'])}" if report["checked"] is not None else ""
    click.echo(f"  provenance: {count}{checked}")
    for attestation in report["attestations"]:
        for number, line in enumerate(_lines(attestation)):
            click.echo(wrapped(line, "    " if number else "  "))
    if report["trust_root"] is not None:
        click.echo(wrapped(f"Signatures are checked by {report['trust_root']}; no host is asked."))


def _lines(attestation: Report) -> Iterator[str]:
    yield f"{attestation['type']} by {words(Publisher(**attestation['publisher']))}"
    if attestation["matches"] is None:
        yield "the sha256 of the file is not known"
    elif attestation["matches"]:
        yield "names this file and its sha256"
    else:
        yield "names another file"
    yield "verified" if attestation["verified"] else f"not verified: {attestation['reason']}"
