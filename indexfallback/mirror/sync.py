"""One run: what the index has, compared with what is here, fetched, recorded and cleared up.

One thread, the caller's, decides and records; the others ask the index, and hand over what came
in a queue.
"""

import contextlib
import queue
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

from indexfallback.chain.members import Member
from indexfallback.config import Settings
from indexfallback.config.mirror import Mirror
from indexfallback.errors import MirrorError, StoreError
from indexfallback.mirror.account import Account, Removal
from indexfallback.mirror.clearing import Clearing
from indexfallback.mirror.fetching import FetchError
from indexfallback.mirror.incoming import Fetched
from indexfallback.mirror.intake import Intake
from indexfallback.mirror.project import Job, emptied, note
from indexfallback.mirror.requirements import selection_of
from indexfallback.mirror.supply import Supply
from indexfallback.outcome import Kind
from indexfallback.store import PageFacts, Store, StoreFault, Validators
from indexfallback.store.mirrors import MirroredProject, Run
from indexfallback.store.pages import digest_of
from indexfallback.upstream.answers import PageAnswer

#: Files that a thread fetches before it takes the next work, so that many small ones cost little.
_CHUNK = 5
#: Projects that are worked on at once, for each connection: enough that none is ever idle.
_OPEN = 3

#: What a thread hands over: a page, files and why others failed, or what ends the run.
_Came = PageAnswer | tuple[list[Fetched], list[str]] | BaseException


class Watcher(Protocol):
    """Who is told how far a run is, and asked."""

    def expect(self, projects: int) -> None:
        """Learn how many projects are to be looked at."""
        ...

    def advance(self, account: Account) -> None:
        """Learn that a project is done."""
        ...

    def agrees(self, removal: Removal) -> bool:
        """Tell whether so much may be removed."""
        ...


class Sync:
    """A run for one index."""

    def __init__(
        self,
        settings: Settings,
        mirror: Mirror,
        member: Member,
        store: Store,
        watcher: Watcher,
        *,
        dry: bool = False,
    ) -> None:
        """Prepare a run; one that is ``dry`` changes nothing."""
        self._account = Account()
        self._mirror = mirror
        self._index = member.index
        self._source = member.index.key
        self._store = store
        self._watcher = watcher
        self._dry = dry
        self._supply = Supply(settings, mirror, member, store)
        self._intake = Intake(store, member.index)
        self._clearing = Clearing(store, self._source, self._account)
        self._selection = selection_of(mirror, store, self._source)
        self._came: queue.SimpleQueue[tuple[Job, _Came]] = queue.SimpleQueue()

    def run(self, only: Iterable[str] | None = None) -> Account:
        """Mirror what is wanted; or only some projects, again.

        Raises `MirrorError` when the index cannot be asked, and `StoreError` when the store cannot
        be written. What is whole by then is kept.
        """
        began = time.time()
        account, serial = self._account, None
        try:
            if only is None:
                todo, serial = self._todo()
            else:
                todo = dict.fromkeys(only)
            self._work(todo)
            while not self._dry and self._mirror.dependencies and (more := self._required()):
                self._work(more)
            self._end(None if only is not None else serial, began, is_all=only is None)
        except KeyboardInterrupt:
            account.interrupted = True
            self._intake.flush()
        except MirrorError:
            self._intake.flush()
            raise
        except StoreFault as error:
            raise StoreError(
                str(self._store.directory),
                f"cannot be written ({error})",
                "free space and run again: what is whole is kept, and gone on from",
            ) from error
        finally:
            self._supply.stop()
            self._drop()
            account.seconds = time.time() - began
        return account

    def _drop(self) -> None:
        """Leave nothing of what came and was not recorded."""
        self._intake.drop()
        with contextlib.suppress(queue.Empty):
            while True:
                came = self._came.get_nowait()[1]
                if isinstance(came, (PageAnswer, BaseException)):
                    continue
                for fetched in came[0]:
                    with contextlib.suppress(OSError):  # cannot be removed: `cache gc` does later
                        fetched.path.unlink()

    def _todo(self) -> tuple[dict[str, int | None], int | None]:
        """Return the projects to look at with their serials, and the index's own serial."""
        mirrors, selection = self._store.mirrors, self._selection
        listed: dict[str, int | None]
        if selection.names is not None:
            listed, serial = dict.fromkeys(selection.names), None
        else:
            answer = self._supply.names()
            self._check_serial(answer.serial)
            serials = answer.serials or dict.fromkeys(answer.names)
            listed, serial = {n: s for n, s in serials.items() if selection.wants(n)}, answer.serial
        self._account.projects = len(listed)
        for project, state in mirrors.states(self._source):
            stated = listed.get(project)
            if not selection.wants(project):
                self._clearing.add_projects([project])
            elif project not in listed:
                listed[project] = None
            elif (
                stated is not None
                and stated == state.serial
                and state.selection == selection.fingerprint(project)
            ):
                del listed[project]
        return listed, serial

    def _required(self) -> dict[str, int | None]:
        """Return the projects that what has come requires, and that were not looked at."""
        self._intake.flush()
        before = self._selection
        self._selection = selection_of(self._mirror, self._store, self._source)
        names = self._selection.named - before.named
        changed = {
            name
            for name in self._selection.named
            if self._selection.fingerprint(name) != before.fingerprint(name)
        }
        self._account.projects += len(names)
        self._clearing.spare(self._selection.wants)
        return dict.fromkeys(
            sorted(name for name in names | changed if self._selection.wants(name))
        )

    def _check_serial(self, serial: int | None) -> None:
        last = self._store.mirrors.last_run(self._source)
        if last is not None and serial is not None and serial < (last.serial or 0):
            raise MirrorError(
                self._index.name,
                f"it is older than it was: its serial is {serial}, and was {last.serial}",
                "wait until it has caught up, and run again; nothing was changed",
            )

    def _work(self, todo: dict[str, int | None]) -> None:
        """Look at every project."""
        self._watcher.expect(len(todo))
        waiting = deque(todo.items())
        open_jobs = 0
        with _threads(self._mirror.connections, self._supply.stop) as pool:
            while waiting or open_jobs:
                while waiting and open_jobs < _OPEN * self._mirror.connections:
                    job = Job(*waiting.popleft())
                    self._submit(pool, job, lambda job=job: self._ask(job))  # type: ignore[misc]
                    open_jobs += 1
                job, came = self._came.get()
                job.left -= 1
                self._take(job, came, pool)
                if not job.left:
                    open_jobs -= 1
                    self._finish(job)
                    self._watcher.advance(self._account)

    def _submit(self, pool: ThreadPoolExecutor, job: Job, work: Callable[[], _Came]) -> None:
        def run() -> None:
            try:
                came = work()
            except BaseException as error:  # noqa: BLE001 - handed over, whatever it is
                came = error
            self._came.put((job, came))

        job.left += 1
        pool.submit(run)

    def _ask(self, job: Job) -> PageAnswer:
        """Ask for a page; only for one that is new, if all of the one before is here."""
        job.state = self._store.mirrors.state(self._source, job.project)
        facts = self._store.pages.facts(self._source, job.project)
        selected = self._selection.fingerprint(job.project)
        job.is_current = job.state is not None and job.state.selection == selected
        job.digest = facts.digest if facts is not None else ""
        known = facts.validators if facts is not None and job.is_current else Validators()
        return self._supply.page(job.project, *known, least=job.serial)

    def _take(self, job: Job, came: _Came, pool: ThreadPoolExecutor) -> None:
        """Take in what a thread has handed over."""
        if isinstance(came, FetchError):
            job.failures.append(str(came))
        elif isinstance(came, BaseException):
            raise came
        elif isinstance(came, PageAnswer):
            job.answer = came
            if came.page is not None:
                self._plan(job, pool)
        else:
            fetched, failures = came
            job.failures += failures
            for each in fetched:
                self._account.files += 1
                self._account.bytes += each.size
                self._intake.add(note(job, each), each)

    def _plan(self, job: Job, pool: ThreadPoolExecutor) -> None:
        page = job.answer.page if job.answer is not None else None
        serials = [s for s in (job.serial, job.state and job.state.serial) if s is not None]
        if page is not None and page.serial is not None and page.serial < max(serials, default=0):
            job.failures.append(f"its page is older than it was: serial {page.serial}")
            return
        plan = job.plan_page(self._store, self._source, self._selection, self._mirror.on_removed)
        self._account.refused += [
            f"{name} (sha256 {sha256} is offered)" for name, sha256 in plan.refused
        ]
        missing = job.missing(self._store)
        self._account.present += len(job.here)
        if self._dry:
            self._account.files += len(missing)
            self._account.bytes += sum(file.size or 0 for file in missing)
            return
        self._supply.expect(len(missing))
        for start in range(0, len(missing), _CHUNK):
            chunk = missing[start : start + _CHUNK]
            self._submit(pool, job, lambda chunk=chunk: self._supply.fetch(chunk))  # type: ignore[misc]

    def _finish(self, job: Job) -> None:
        """Have a project recorded, now or, where something of it goes, in the end."""
        self._account.asked += 1
        if job.answer is not None and job.answer.outcome.kind is Kind.ABSENT:
            self._lose(job)
        if job.failures:
            self._account.failed[job.project] = "; ".join(job.failures)
        if job.plan is None:
            if not self._dry and job.is_current and job.serial is not None and not job.failures:
                self._store.mirrors.confirm(self._source, job.project, job.serial, time.time())
            return
        # By the same selection, what is wanted no more made room for what is newer.
        removed = job.plan.gone[len(job.plan.gone) - job.plan.removed :]
        surprising = removed if job.is_current else job.plan.gone
        project = job.finished(self._selection, time.time())
        self._account.changed += project.facts.digest != job.digest
        if not job.plan.gone and self._dry:
            return
        if job.plan.gone:
            self._clearing.add_change(project, job.plan.gone, surprising)
        else:
            self._intake.add_project(project)

    def _lose(self, job: Job) -> None:
        """Deal with a project that the index does not have any more, or never had."""
        policy = self._mirror.on_removed
        page = self._store.pages.load(self._source, job.project)
        if job.state is None:
            if job.project in self._selection.named:
                job.failures.append(f"{self._index.name} has no such project")
        elif policy == "delete" or page is None:
            self._clearing.add_projects([job.project])
        elif not self._dry:
            now = time.time()
            kept = emptied(page, policy)
            files = [
                file._replace(removed=file.removed or now)
                for file in self._store.mirrors.files(self._source, job.project)
            ]
            facts = PageFacts(Validators(), digest_of(kept), now)
            selected = self._selection.fingerprint(job.project)
            self._intake.add_project(MirroredProject(kept, facts, None, selected, files))

    def _end(self, serial: int | None, began: float, *, is_all: bool) -> None:
        """Record what is left, clear up if that is agreed to, and note that it is done."""
        if self._dry:
            self._clearing.count()
            if self._clearing.needs_consent:
                self._account.stopped = self._clearing.removal
            return
        self._intake.flush()
        if self._clearing.needs_consent and not self._watcher.agrees(self._clearing.removal):
            self._account.stopped = self._clearing.removal
            return
        self._clearing.carry_out(self._intake)
        if is_all:
            failed = len(self._account.failed)
            self._store.mirrors.put_run(self._source, Run(serial, began, time.time(), failed))


@contextlib.contextmanager
def _threads(number: int, stop: Callable[[], None]) -> Iterator[ThreadPoolExecutor]:
    """Give threads that end early if the block does."""
    pool = ThreadPoolExecutor(number, thread_name_prefix="mirror")
    try:
        yield pool
    except BaseException:
        stop()
        pool.shutdown(cancel_futures=True)
        raise
    pool.shutdown()
