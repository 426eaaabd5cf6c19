"""The plan for one project: what to fetch, to keep and to remove. Pure.

It is made from the page as it is now, the selection, the mirrored files, their pins and the policy
for files that the index has removed.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import msgspec

from indexfallback.chain.offer import PinsByName, as_pinned, withheld
from indexfallback.config.mirror import OnRemoved
from indexfallback.names import canonical_version, version_of
from indexfallback.page import File, ProjectPage
from indexfallback.store.mirrors import MirroredFile


@dataclass(frozen=True)
class Plan:
    """What to do for one project."""

    #: The page to serve: wanted files without the refused ones, and kept files.
    page: ProjectPage
    #: Files that the index lists and the selection wants, stored or to be fetched.
    wanted: tuple[File, ...]
    #: Files that stay although the index has removed or changed them.
    kept: tuple[MirroredFile, ...] = ()
    #: Files to remove because the selection does not want them.
    unwanted: tuple[MirroredFile, ...] = ()
    #: Files to remove because the index has removed them.
    removed: tuple[MirroredFile, ...] = ()
    #: Name and offered sha256 of the files whose content differs from their pin.
    refused: tuple[tuple[str, str], ...] = ()
    #: Wanted files of a name that another wanted file has.
    left_out: tuple[File, ...] = ()

    @property
    def gone(self) -> tuple[MirroredFile, ...]:
        """All files to remove."""
        return (*self.unwanted, *self.removed)


def make_plan(
    now: ProjectPage,
    wanted: Sequence[File],
    before: ProjectPage | None,
    files: Iterable[MirroredFile],
    *,
    pins: PinsByName,
    policy: OnRemoved,
) -> Plan:
    """Return the plan.

    ``wanted`` are the selected files of ``now``; ``before`` is the stored page, and ``files`` are
    the mirrored files. Of several files of one name the first is mirrored.
    """
    have = {file.filename: file for file in files}
    listed = {file.filename for file in now.files}
    chosen = {file.filename: file for file in reversed(wanted)}
    left_out = tuple(file for file in wanted if chosen[file.filename] is not file)
    wanted = [file for file in wanted if chosen[file.filename] is file]
    refused = {file.filename for file in withheld(now, pins)}
    changed = {file.filename: file.sha256 or "" for file in wanted if file.filename in refused}
    removed = [f for name, f in have.items() if name not in listed]
    unwanted = [f for name, f in have.items() if name in listed and name not in chosen]
    kept = [] if policy == "delete" else removed
    # A changed file stays as it is mirrored.
    stays = [have[name] for name in changed if name in have]
    old = {file.filename: file for file in before.files} if before is not None else {}
    good = tuple(as_pinned(file, pins) for file in wanted if file.filename not in changed)
    again = [f.filename for f in (*stays, *(kept if policy == "keep" else ()))]
    return Plan(
        page_of(now, (*good, *(old[name] for name in again if name in old))),
        good,
        (*stays, *kept),
        tuple(unwanted),
        tuple(removed) if policy == "delete" else (),
        tuple(changed.items()),
        left_out,
    )


def page_of(page: ProjectPage, files: Sequence[File]) -> ProjectPage:
    """Return a page with these files only, and only their versions."""
    versions = page.versions
    if versions is not None and len(files) != len(page.files):
        there = {canonical_version(version_of(file.filename)) for file in files}
        versions = tuple(v for v in versions if canonical_version(v) in there)
    served = tuple(_servable(file) for file in files)
    return msgspec.structs.replace(page, files=served, versions=versions)


def _servable(file: File) -> File:
    """Return a file as it can be served without its index.

    The metadata of a wheel is read from the wheel; the metadata of other files is not mirrored.
    """
    if file.core_metadata is False or file.filename.endswith(".whl"):
        return file
    return msgspec.structs.replace(file, core_metadata=False)
