"""One project of a run: its page, the plan for its files, and the record that results."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec

from indexfallback.mirror.file_download import FetchedFile
from indexfallback.mirror.plan import Plan, page_of
from indexfallback.mirror.selection import Selection
from indexfallback.page import File, ProjectPage
from indexfallback.store import PageFacts, Store, Validators
from indexfallback.store.mirrors import MirroredFile, MirroredProject, State
from indexfallback.store.page_rows import digest_of
from indexfallback.upstream.answers import PageAnswer


@dataclass
class ProjectJob:
    """A project that a run is working on."""

    project: str
    #: The serial in the list of names, if it has one.
    serial: int | None
    answer: PageAnswer | None = None
    plan: Plan | None = None
    #: Digest of the stored page; empty if none is stored.
    digest: str = ""
    #: The record of the last run, None before the first one.
    state: State | None = None
    #: Whether the last run used the same selection.
    is_current: bool = False
    #: File name to the planned files that are stored or fetched.
    present: dict[str, MirroredFile] = field(default_factory=dict)
    #: Tasks that have not finished.
    open_tasks: int = 0
    failures: list[str] = field(default_factory=list)
    #: Names of the selected files that the cooldown of the index withholds: a later run is to plan
    #: the project again, also if its page has not changed.
    young: list[str] = field(default_factory=list)

    def missing(self, plan: Plan, store: Store) -> list[File]:
        """Return the planned files that are to be fetched, and add the stored ones to `present`."""
        held = store.blobs.records.sizes([file.sha256 for file in plan.wanted if file.sha256])
        missing = []
        for file in plan.wanted:
            if file.sha256 in held:
                self._add(file.filename, file.sha256 or "", held[file.sha256 or ""])
            else:
                missing.append(file)
        return missing

    def add(self, fetched: FetchedFile) -> MirroredFile:
        """Add a fetched file to `present`, and return its record."""
        return self._add(fetched.file.filename, fetched.sha256, fetched.size)

    def _add(self, filename: str, sha256: str, size: int) -> MirroredFile:
        file = self.present[filename] = MirroredFile(self.project, filename, sha256, size)
        return file

    def finished(
        self, plan: Plan, answer: PageAnswer, selection: Selection, now: float
    ) -> MirroredProject:
        """Return the record of the project, whose page lists the present files."""
        page = _with_present_files(plan, self.present)
        refused = {name for name, _ in plan.refused}
        kept = [
            file if file.filename in refused else file._replace(removed=file.removed or now)
            for file in plan.kept
        ]
        stated = self.serial if self.serial is not None else page.serial
        is_complete = not (self.failures or plan.refused or self.young)
        return MirroredProject(
            page,
            PageFacts(Validators(answer.etag, answer.last_modified), digest_of(page), now),
            stated if is_complete else None,
            selection.fingerprint(self.project) if is_complete else "",
            [*self.present.values(), *kept],
        )


def _with_present_files(plan: Plan, present: Mapping[str, MirroredFile]) -> ProjectPage:
    """Return the planned page without the files that could not be fetched."""
    wanted = {file.filename for file in plan.wanted}
    files = tuple(
        _with_sha256(file, present.get(file.filename))
        for file in plan.page.files
        if file.filename in present or file.filename not in wanted
    )
    if len(files) == len(plan.page.files):
        return msgspec.structs.replace(plan.page, files=files)
    return page_of(plan.page, files)


def _with_sha256(file: File, present: MirroredFile | None) -> File:
    if present is None or file.sha256 is not None:
        return file
    return msgspec.structs.replace(file, hashes={**file.hashes, "sha256": present.sha256})
