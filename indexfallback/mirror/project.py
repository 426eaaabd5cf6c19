"""One project in a run: asked for, planned, fetched, and put together as it is to be served."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec

from indexfallback.config.mirror import OnRemoved
from indexfallback.mirror.incoming import Fetched
from indexfallback.mirror.plan import Plan, make_plan, page_of
from indexfallback.mirror.selection import Selection
from indexfallback.page import File, ProjectPage
from indexfallback.store import PageFacts, Store, Validators
from indexfallback.store.mirrors import MirroredFile, MirroredProject, State
from indexfallback.store.pages import digest_of
from indexfallback.upstream.answers import PageAnswer


@dataclass
class Job:
    """A project that is worked on."""

    project: str
    #: What the list of names says, if it does.
    serial: int | None
    answer: PageAnswer | None = None
    plan: Plan | None = None
    #: Of the page that is stored of it; empty if none is.
    digest: str = ""
    #: Whether it was mirrored before, by this selection.
    state: State | None = None
    is_current: bool = False
    #: File name to what is here of the plan's files.
    here: dict[str, MirroredFile] = field(default_factory=dict)
    #: Pieces of work that have not come back.
    left: int = 0
    failures: list[str] = field(default_factory=list)

    def plan_page(self, store: Store, source: str, selection: Selection, policy: OnRemoved) -> Plan:
        """Decide what is to be done, by what the index has answered."""
        assert self.answer is not None  # noqa: S101 - the caller has looked
        page = self.answer.page
        assert page is not None  # noqa: S101 - as above
        self.plan = make_plan(
            page,
            selection.files(page),
            store.pages.load(source, self.project),
            store.mirrors.files(source, self.project),
            pins=store.pins.of_project(self.project),
            policy=policy,
        )
        return self.plan

    def missing(self, store: Store) -> list[File]:
        """Return the files to be fetched, and note those that are here."""
        plan = self.plan
        assert plan is not None  # noqa: S101 - the caller has planned
        held = store.blobs.sizes([file.sha256 for file in plan.wanted if file.sha256])
        missing = []
        for file in plan.wanted:
            if file.sha256 in held:
                self.here[file.filename] = MirroredFile(
                    self.project, file.filename, file.sha256 or "", held[file.sha256 or ""]
                )
            else:
                missing.append(file)
        return missing

    def finished(self, selection: Selection, now: float) -> MirroredProject:
        """Return the project as it is now to be served: with the files that are here."""
        plan, answer = self.plan, self.answer
        assert plan is not None  # noqa: S101 - the caller has planned
        assert answer is not None  # noqa: S101 - as above
        page = _complete(plan, self.here)
        changed = {name for name, _ in plan.refused}
        kept = [
            file if file.filename in changed else file._replace(removed=file.removed or now)
            for file in plan.kept
        ]
        stated = self.serial if self.serial is not None else page.serial
        is_whole = not self.failures and not plan.refused
        return MirroredProject(
            page,
            PageFacts(Validators(answer.etag, answer.last_modified), digest_of(page), now),
            stated if is_whole else None,
            selection.fingerprint(self.project) if is_whole else "",
            [*self.here.values(), *kept],
        )


def emptied(page: ProjectPage, policy: OnRemoved) -> ProjectPage:
    """Return the page of a project that the index has removed, and that is kept."""
    return page if policy == "keep" else page_of(page, ())


def note(job: Job, fetched: Fetched) -> MirroredFile:
    """Note a file that has come."""
    file = MirroredFile(job.project, fetched.file.filename, fetched.sha256, fetched.size)
    job.here[file.filename] = file
    return file


def _complete(plan: Plan, here: Mapping[str, MirroredFile]) -> ProjectPage:
    """Return the page with the files that are here, each with its sha256."""
    wanted = {file.filename for file in plan.wanted}
    files = tuple(
        _with_sha256(file, here.get(file.filename))
        for file in plan.page.files
        if file.filename in here or file.filename not in wanted
    )
    if len(files) == len(plan.page.files):
        return msgspec.structs.replace(plan.page, files=files)
    return page_of(plan.page, files)


def _with_sha256(file: File, here: MirroredFile | None) -> File:
    if here is None or file.sha256 is not None:
        return file
    return msgspec.structs.replace(file, hashes={**file.hashes, "sha256": here.sha256})
