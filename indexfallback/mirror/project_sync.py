"""The steps of a run for one project: request its page, plan its files, record the result.

`ProjectSync.request` runs in the threads of a run, everything else in the run's own thread.
"""

import time

from indexfallback.chain.cooling import Cooling
from indexfallback.chain.network import Network
from indexfallback.chain.offer import PinsByName, without_young
from indexfallback.config import Index, Settings
from indexfallback.config.mirror import Mirror
from indexfallback.mirror.fetch_pool import FetchPool
from indexfallback.mirror.fetcher import Sizes
from indexfallback.mirror.file_download import FetchedFile
from indexfallback.mirror.plan import make_plan, page_of
from indexfallback.mirror.project import ProjectJob
from indexfallback.mirror.removals import PendingRemovals
from indexfallback.mirror.requirements import Requirements
from indexfallback.mirror.result import Result
from indexfallback.mirror.write_batch import WriteBatch
from indexfallback.outcome import Kind
from indexfallback.page import File, ProjectPage
from indexfallback.store import PageFacts, Store, Validators
from indexfallback.store.mirrors import MirroredProject
from indexfallback.store.page_rows import digest_of
from indexfallback.upstream.answers import PageAnswer


class ProjectSync:
    """Brings the projects of one index up to date, one `ProjectJob` each."""

    def __init__(
        self, settings: Settings, mirror: Mirror, store: Store, index: Index, result: Result, *,
        requirements: Requirements, batch: WriteBatch, removals: PendingRemovals, dry: bool,
    ) -> None:  # fmt: skip
        """Prepare; ``dry`` changes nothing but the result and the removals."""
        self._mirror = mirror
        self._store = store
        self._index = index
        self._source = index.key
        self._cooling = Cooling(settings, store, Network(settings))
        self._result = result
        self._batch = batch
        self._removals = removals
        #: The addresses of the indexes whose pins do not apply.
        self._foreign = settings.foreign_keys(index.group)
        self._dry = dry
        self._requirements = requirements
        self.select()

    def select(self) -> None:
        """Decide what is wanted, by all requirements that are known now."""
        self.selection = self._requirements.selection()
        self._result.unknown_requirements = sorted(self._requirements.unknown)

    def request(self, job: ProjectJob, pool: FetchPool) -> PageAnswer:
        """Request a page, with the validators of the stored one if the selection is the same.

        Raises what `FetchPool.page` does.
        """
        job.state = self._store.mirrors.state(self._source, job.project)
        facts = self._store.pages.facts(self._source, job.project)
        selected = self.selection.fingerprint(job.project)
        job.is_current = job.state is not None and job.state.selection == selected
        job.digest = facts.digest if facts is not None else ""
        known = facts.validators if facts is not None and job.is_current else Validators()
        return pool.page(job.project, *known, least=job.serial)

    def plan(self, job: ProjectJob, page: ProjectPage) -> list[File]:
        """Plan from the page that was answered; return the files to fetch.

        In a dry run those are returned whose page does not state their size.
        """
        serials = [s for s in (job.serial, job.state and job.state.serial) if s is not None]
        if page.serial is not None and page.serial < max(serials, default=0):
            job.failures.append(f"its page is older than the mirrored one: serial {page.serial}")
            return []
        store, source = self._store, self._source
        pins = store.pins.of_project(job.project, self._foreign)
        plan = job.plan = make_plan(
            page,
            self._wanted(job, page, pins),
            store.pages.load(source, job.project),
            store.mirrors.files(source, job.project),
            pins=pins,
            policy=self._mirror.on_removed,
        )
        self._result.refused += [
            f"{name} (sha256 {sha256} is offered)" for name, sha256 in plan.refused
        ]
        self._result.left_out += [f"{f.filename} (sha256 {f.sha256})" for f in plan.left_out]
        missing = job.missing(plan, store)
        self._result.present += len(job.present)
        if self._dry:
            self._result.files += len(missing)
            self._result.bytes += sum(file.size or 0 for file in missing)
            unsized = [file for file in missing if file.size is None]
            self._result.unsized += len(unsized)
            return unsized
        return missing

    def _wanted(self, job: ProjectJob, page: ProjectPage, pins: PinsByName) -> tuple[File, ...]:
        """Return the selected files of a page, and note what the cooldown withholds of them."""
        old_enough = without_young(page, pins, self._cooling.cooldown(self._index, page, pins))
        if old_enough is not page:
            offered = {file.filename for file in old_enough.files}
            selected = (file.filename for file in self.selection.files(page))
            job.young = [filename for filename in selected if filename not in offered]
            self._result.withheld += job.young
        return self.selection.files(old_enough)

    def add(self, job: ProjectJob, fetched: FetchedFile) -> None:
        """Add a fetched file to the batch; raises what `WriteBatch.flush` does."""
        self._result.files += 1
        self._result.bytes += fetched.size
        self._batch.add(job.add(fetched), fetched)

    def add_sizes(self, sizes: Sizes) -> None:
        """Add the sizes of files that a dry run has asked for."""
        self._result.bytes += sizes.bytes
        self._result.unsized -= sizes.files

    def finish(self, job: ProjectJob) -> None:
        """Record a project, now or, if files are removed from it, at the end of the run."""
        self._result.asked += 1
        if job.answer is not None and job.answer.outcome.kind is Kind.ABSENT:
            self._finish_absent(job)
        if job.failures:
            self._result.failed[job.project] = "; ".join(job.failures)
        plan = job.plan
        if plan is None or job.answer is None:
            if not self._dry and job.is_current and job.serial is not None and not job.failures:
                self._store.mirrors.confirm(self._source, job.project, job.serial, time.time())
            return
        # Under the same selection, a file that is unwanted now has made room for a newer one.
        counted = plan.removed if job.is_current else plan.gone
        project = job.finished(plan, job.answer, self.selection, time.time())
        self._result.changed += project.facts.digest != job.digest
        if plan.gone:
            is_emptied = not (project.files or (self._dry and plan.wanted))
            self._removals.add_change(project, plan.gone, counted, is_emptied=is_emptied)
        elif not self._dry:
            self._batch.add_project(project)

    def _finish_absent(self, job: ProjectJob) -> None:
        """Apply the policy to a project that the index has removed, or never had."""
        policy = self._mirror.on_removed
        page = self._store.pages.load(self._source, job.project)
        if job.state is None:
            if job.project in self.selection.named:
                job.failures.append("the index does not have this project")
        elif policy == "delete" or page is None:
            self._removals.add_projects([job.project])
        elif not self._dry:
            now = time.time()
            kept = page if policy == "keep" else page_of(page, ())
            files = [
                file._replace(removed=file.removed or now)
                for file in self._store.mirrors.files(self._source, job.project)
            ]
            facts = PageFacts(Validators(), digest_of(kept), now)
            selected = self.selection.fingerprint(job.project)
            self._batch.add_project(MirroredProject(kept, facts, None, selected, files))
