"""What a project's page, as it is now, makes of what is mirrored of it; and when to stop and ask.

Pure: (page now, selection, what is kept, pins, policy) -> what to get, to drop and to list.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import msgspec

from indexfallback.config.mirror import OnRemoved
from indexfallback.names import version_of
from indexfallback.page import File, ProjectPage
from indexfallback.store.mirrors import MirroredFile

#: Of the projects or of the files, the part that may go without a question.
MOST_REMOVED = 0.2


@dataclass(frozen=True)
class Plan:
    """What is to be done for one project."""

    #: As it is to be served: what is wanted and not refused, and what is kept although removed.
    page: ProjectPage
    #: What is listed by the index and wanted: to be here, or to be fetched.
    wanted: tuple[File, ...]
    #: What the index has removed and is kept.
    kept: tuple[MirroredFile, ...] = ()
    #: What was kept and goes: because the index has removed it, or since it is wanted no more.
    gone: tuple[MirroredFile, ...] = ()
    #: Of these, what the index has removed.
    removed: int = 0
    #: What is offered with another content than was first seen, and the sha256 of that.
    refused: tuple[tuple[str, str], ...] = ()


def make_plan(
    now: ProjectPage,
    wanted: Sequence[File],
    before: ProjectPage | None,
    files: Iterable[MirroredFile],
    *,
    pins: Mapping[str, str],
    policy: OnRemoved,
) -> Plan:
    """Return what is to be done.

    ``wanted`` are the files of ``now`` that are selected, ``before`` is the page that is served
    so far, and ``files`` are those that are kept so far.
    """
    have = {file.filename: file for file in files}
    listed = {file.filename for file in now.files}
    chosen = {file.filename for file in wanted}
    changed = {file.filename: file.sha256 or "" for file in wanted if _differs(file, pins)}
    removed = [f for name, f in have.items() if name not in listed]
    unwanted = [f for name, f in have.items() if name in listed and name not in chosen]
    kept = [] if policy == "delete" else removed
    # What has changed under its name stays as it was first seen, if that is here.
    stays = [have[name] for name in changed if name in have]
    old = {file.filename: file for file in before.files} if before is not None else {}
    good = tuple(_with_pin(file, pins) for file in wanted if file.filename not in changed)
    again = [f.filename for f in (*stays, *(kept if policy == "keep" else ()))]
    return Plan(
        page_of(now, (*good, *(old[name] for name in again if name in old))),
        good,
        (*stays, *kept),
        (*unwanted, *(removed if policy == "delete" else ())),
        len(removed) if policy == "delete" else 0,
        tuple(changed.items()),
    )


def page_of(page: ProjectPage, files: Sequence[File]) -> ProjectPage:
    """Return a page with these files, and with their versions alone."""
    versions = page.versions
    if versions is not None and len(files) != len(page.files):
        there = {version_of(file.filename) for file in files}
        versions = tuple(v for v in versions if _canonical(v) in there)
    served = tuple(_servable(file) for file in files)
    return msgspec.structs.replace(page, files=served, versions=versions)


def needs_consent(projects: int, gone_projects: int, files: int, gone_files: int) -> bool:
    """Tell whether so much would go that somebody has to agree."""
    return gone_projects > MOST_REMOVED * projects or gone_files > MOST_REMOVED * files


def _differs(file: File, pins: Mapping[str, str]) -> bool:
    pin = pins.get(file.filename)
    return pin is not None and file.sha256 is not None and pin != file.sha256


def _with_pin(file: File, pins: Mapping[str, str]) -> File:
    """Return a file with the sha256 that it had, where the index states none."""
    pin = pins.get(file.filename)
    if pin is None or file.sha256 is not None:
        return file
    return msgspec.structs.replace(file, hashes={**file.hashes, "sha256": pin})


def _servable(file: File) -> File:
    """Return a file as it is served with no index behind it.

    A wheel has its metadata inside; that of another file is not here.
    """
    if file.core_metadata is False or file.filename.endswith(".whl"):
        return file
    return msgspec.structs.replace(file, core_metadata=False)


def _canonical(version: str) -> str | None:
    return version_of(f"x-{version}.tar.gz")
