"""Who has published the files of a project: what the provenance objects that are kept say, as JSON.

No signature is verified here (`dists.verification`).
"""

from collections.abc import Iterable
from typing import Any

import msgspec
from packaging.version import Version

from indexfallback.chain.answer import Answer
from indexfallback.chain.offer import as_pinned
from indexfallback.files.download import FileAddress
from indexfallback.formats.provenance import Attestation, ProvenanceError, read
from indexfallback.names import FileKey, version_in
from indexfallback.page import File
from indexfallback.shim import Shim

_Report = dict[str, Any]


def publishers(shim: Shim, answer: Answer, version: str | None = None) -> _Report:
    """Return how many files of an answer state a provenance, and who has published the newest.

    That is the newest version of which an object is kept. With a ``version``, nothing but its files
    counts.
    """
    pins, _ = shim.pins_and_available(answer)
    held = shim.downloads.provenance.held(answer.owner.group, answer.project)
    files = [
        as_pinned(file, pins)
        for file in answer.corrected.files
        if version in (None, version_in(file.filename, answer.project))
    ]
    kept = [file for file in files if (file.filename, file.sha256) in held]
    newest = _newest(kept, answer.project)
    objects = (
        attestations(shim, FileAddress(answer.owner.group, _key(answer, file), file.filename))
        for file in kept
        if newest is not None and version_in(file.filename, answer.project) == newest
    )
    found = {attestation.publisher: None for each in objects for attestation in each}
    return {
        "stated": sum(file.provenance is not None for file in files),
        "kept": len(kept),
        "version": newest,
        "publishers": [msgspec.structs.asdict(publisher) for publisher in found],
    }


def attestations(shim: Shim, address: FileAddress) -> tuple[Attestation, ...]:
    """Return the attestations of the kept provenance object of a file; none if none is kept."""
    stored = shim.downloads.provenance.stored(address)
    try:
        return read(stored.body) if stored is not None else ()
    except ProvenanceError:  # one that another version of this program took for valid
        return ()


def _newest(files: Iterable[File], project: str) -> str | None:
    versions = {version_in(file.filename, project) for file in files}
    return max(filter(None, versions), key=Version, default=None)


def _key(answer: Answer, file: File) -> FileKey:
    return FileKey(answer.project, file.sha256)
