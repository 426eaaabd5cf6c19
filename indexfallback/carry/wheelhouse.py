"""Writes a wheelhouse: cached files in one flat directory, for machines with only pip.

pip installs any file in it, so a project that a private index owns gets only that index's files.
"""

import logging
from collections.abc import Collection, Iterable, Sequence
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

from packaging.version import Version

from indexfallback.carry.archive import PIECE
from indexfallback.carry.atomic import remove_abandoned, replacing
from indexfallback.carry.progress import Progress, no_progress
from indexfallback.errors import CarryError
from indexfallback.names import METADATA_ENDING, version_in
from indexfallback.store import Store
from indexfallback.store.disk import hash_file

log = logging.getLogger("indexfallback")

#: The newest release of each project to run, with its hashes, for ``pip install -r``.
REQUIREMENTS = "requirements.txt"
_MARK = "# Written by `indexfallback cache export`: the newest release of each project here.\n"


class WheelhouseFile(NamedTuple):
    """A file of a wheelhouse."""

    project: str
    filename: str
    sha256: str


def chosen(
    store: Store, projects: Collection[str], deferring: Collection[str] = ()
) -> list[WheelhouseFile]:
    """Return the cached files of these projects, by project and name.

    Of a project that a private index owns, only its files; ``deferring`` are the addresses of
    indexes that own no copies of public projects (``defer_copies``).
    """
    pins = [
        pin
        for pin in store.pins
        if pin.project in projects and not pin.filename.endswith(METADATA_ENDING)
    ]
    held = store.blobs.records.held(pin.sha256 for pin in pins)
    found: list[WheelhouseFile] = []
    for project, group in groupby(pins, lambda pin: pin.project):
        known = store.ledger.owners(project).items()
        owners = {source for source, own in known if own.is_owner(source in deferring)}
        of_project = [
            pin for pin in group if pin.sha256 in held and (not owners or pin.source in owners)
        ]
        for filename, of_name in groupby(of_project, lambda pin: pin.filename):
            first, *others = sorted(of_name, key=lambda pin: pin.seen)
            found.append(WheelhouseFile(project, filename, first.sha256))
            for other in {pin.sha256 for pin in others} - {first.sha256}:
                log.warning(
                    "%s: a directory holds one file of a name; the first one that was fetched "
                    "(sha256 %s) is in it, and the other one (sha256 %s) is left out",
                    filename, first.sha256, other,
                )  # fmt: skip
    return found


def write(
    store: Store,
    files: Sequence[WheelhouseFile],
    directory: Path,
    progress: Progress = no_progress,
    *,
    build_only: Collection[str] = (),
) -> int:
    """Write the files that ``directory`` lacks; return how many bytes that were.

    The requirements do not list the projects that are ``build_only``. Other files there stay.
    Raises `CarryError` and OSError; no file is left incomplete.
    """
    listed = directory / REQUIREMENTS
    if listed.exists() and not listed.read_bytes().startswith(_MARK.encode()):
        raise CarryError(str(listed), "was not written by an export", "name another directory")
    directory.mkdir(parents=True, exist_ok=True)
    remove_abandoned(directory, {REQUIREMENTS, *(file.filename for file in files)})
    followed = progress(files, "Exporting", len(files))
    size = sum(_write(store, file, directory / file.filename) for file in followed)
    with replacing(listed) as written:
        listed_files = [file for file in files if file.project not in build_only]
        written.write("".join((_MARK, *map(_requirement, _newest(listed_files)))).encode())
    return size


def _write(store: Store, file: WheelhouseFile, path: Path) -> int:
    if path.exists():
        if hash_file(path) != file.sha256:
            raise CarryError(
                str(path), "exists with another content", "remove it, or name another directory"
            )
        return 0
    blob = store.blobs.find(file.sha256)
    if blob is None:
        raise CarryError(file.filename, "was removed from the cache meanwhile", "run again")
    with replacing(path) as copy:
        copy.writelines(store.blobs.read(blob, 0, blob.size, PIECE))
    return blob.size


def _newest(files: Sequence[WheelhouseFile]) -> Iterable[tuple[str, Version, list[str]]]:
    """Yield project, version and hashes of the newest releases, final ones first."""
    for project, group in groupby(files, lambda file: file.project):
        releases: dict[Version, list[str]] = {}
        for file in group:
            version = version_in(file.filename, project)
            if version is not None:
                releases.setdefault(Version(version), []).append(file.sha256)
        if releases:
            newest = max(releases, key=lambda version: (not version.is_prerelease, version))
            yield project, newest, releases[newest]


def _requirement(release: tuple[str, Version, list[str]]) -> str:
    project, version, sha256s = release
    hashes = (f"--hash=sha256:{sha256}" for sha256 in sorted(sha256s))
    return " \\\n    ".join((f"{project}=={version}", *hashes)) + "\n"
