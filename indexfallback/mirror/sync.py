"""One run that has something to do: fetch what has changed, record it, and remove the rest.

The caller's thread decides and records. The threads of a pool request pages and files, and put
the results into a queue.
"""

import contextlib
import queue
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from indexfallback.config import Index, Settings
from indexfallback.config.mirror import Mirror
from indexfallback.errors import MirrorError
from indexfallback.files.provenance import kept_for
from indexfallback.mirror.fetch_pool import FetchPool
from indexfallback.mirror.fetcher import FetchError, Sizes
from indexfallback.mirror.file_download import FetchedFile
from indexfallback.mirror.name_list import Changes
from indexfallback.mirror.owned import OwnedElsewhere
from indexfallback.mirror.progress import Progress
from indexfallback.mirror.project import ProjectJob
from indexfallback.mirror.project_sync import ProjectSync
from indexfallback.mirror.removals import PendingRemovals
from indexfallback.mirror.requirements import Requirements
from indexfallback.mirror.result import Result
from indexfallback.mirror.write_batch import WriteBatch
from indexfallback.page import File
from indexfallback.store import Store
from indexfallback.store.mirrors import Run
from indexfallback.upstream.answers import PageAnswer
from indexfallback.upstream.http import HttpIndex

#: Files that a thread fetches as one task, so that small files cost few tasks.
_CHUNK = 5
#: Open projects for each connection, enough to keep all connections busy.
_OPEN = 3

#: A task returns a page; or files, and why others failed; or sizes.
_Task = Future[PageAnswer] | Future[Sizes] | Future[tuple[list[FetchedFile], list[str]]]


class Sync:
    """A run for one index."""

    def __init__(
        self, settings: Settings, mirror: Mirror, index: Index, upstream: HttpIndex,
        store: Store, *, requirements: Requirements, progress: Progress, dry: bool,
    ) -> None:  # fmt: skip
        """Prepare a run; a ``dry`` one changes nothing."""
        self._result = Result()
        self._mirror = mirror
        self._source = index.key
        self._store = store
        self._progress = progress
        self._dry = dry
        self._owned = OwnedElsewhere(settings, store, index)
        self._pool = FetchPool(settings, mirror, index, upstream, store)
        self._batch = WriteBatch(store, index, kept_for(settings, index))
        self._removals = PendingRemovals(store, self._source, self._result)
        self._projects = ProjectSync(
            settings, mirror, store, index, self._result,
            requirements=requirements, batch=self._batch, removals=self._removals, dry=dry,
        )  # fmt: skip
        self._done: queue.SimpleQueue[tuple[ProjectJob, _Task]] = queue.SimpleQueue()

    def run(self, changes: Changes, *, is_all: bool = True) -> Result:
        """Do what has changed; ``is_all`` tells whether that is a run of its own.

        Raises `MirrorError` if the index cannot be mirrored, and `StoreFault` if the store cannot
        be written. Files that were complete by then stay.
        """
        began = time.time()
        result = self._result
        result.projects = changes.selected
        self._removals.add_projects(changes.unwanted)
        try:
            self._work(changes.projects)
            while not self._dry and self._mirror.dependencies and (more := self._required()):
                self._work(more)
            self._end(changes.serial, began, is_all=is_all)
        except KeyboardInterrupt:
            result.interrupted = True
            self._batch.flush()
        except MirrorError:
            self._batch.flush()
            raise
        finally:
            self._pool.stop()
            self._discard()
        return result

    def _discard(self) -> None:
        """Remove the fetched files that were not recorded."""
        self._batch.discard()
        while not self._done.empty():
            task = self._done.get()[1]
            if task.cancelled() or task.exception() is not None:
                continue
            done = task.result()
            for fetched in done[0] if not isinstance(done, (PageAnswer, Sizes)) else ():
                with contextlib.suppress(OSError):  # `cache gc` removes it later
                    fetched.path.unlink()

    def _required(self) -> dict[str, int | None]:
        """Return the projects that newly mirrored distributions require."""
        self._batch.flush()
        before = self._projects.selection
        self._projects.select()
        after = self._projects.selection
        names = after.named - before.named
        changed = {
            name for name in after.named if after.fingerprint(name) != before.fingerprint(name)
        }
        self._result.projects += len(names)
        self._removals.keep(after.wants)
        return dict.fromkeys(sorted(name for name in names | changed if after.wants(name)))

    def _work(self, todo: dict[str, int | None]) -> None:
        """Bring projects up to date, except those that belong to another index."""
        owners = {project: self._owned.owner(project) for project in todo}
        self._result.owned |= {project: owner for project, owner in owners.items() if owner}
        waiting = deque((each, serial) for each, serial in todo.items() if not owners[each])
        self._progress.expect(len(waiting))
        open_jobs = 0
        with _threads(self._mirror.connections, self._pool.stop) as threads:
            while waiting or open_jobs:
                while waiting and open_jobs < _OPEN * self._mirror.connections:
                    job = ProjectJob(*waiting.popleft())
                    self._submit(threads, job, self._projects.request, job, self._pool)
                    open_jobs += 1
                job, task = self._done.get()
                job.open_tasks -= 1
                self._handle(job, task, threads)
                if not job.open_tasks:
                    open_jobs -= 1
                    self._projects.finish(job)
                    self._progress.advance(self._result)

    def _submit(
        self, threads: ThreadPoolExecutor, job: ProjectJob, work: Callable[..., Any], *args: object
    ) -> None:
        job.open_tasks += 1
        task = threads.submit(work, *args)
        task.add_done_callback(lambda done: self._done.put((job, done)))

    def _submit_files(
        self, threads: ThreadPoolExecutor, job: ProjectJob, files: list[File]
    ) -> None:
        """Fetch files, or ask for their sizes in a dry run."""
        if not self._dry:
            self._pool.expect(len(files))
        work = self._pool.sizes if self._dry else self._pool.fetch
        for start in range(0, len(files), _CHUNK):
            self._submit(threads, job, work, files[start : start + _CHUNK])

    def _handle(self, job: ProjectJob, task: _Task, threads: ThreadPoolExecutor) -> None:
        """Take the result of a task, or raise what it raised."""
        try:
            done = task.result()
        except FetchError as error:
            job.failures.append(str(error))
            return
        if isinstance(done, PageAnswer):
            job.answer = done
            if done.page is not None:
                self._submit_files(threads, job, self._projects.plan(job, done.page))
        elif isinstance(done, Sizes):
            self._projects.add_sizes(done)
        else:
            fetched, failures = done
            job.failures += failures
            for each in fetched:
                self._projects.add(job, each)

    def _end(self, serial: int | None, began: float, *, is_all: bool) -> None:
        """Store the last batch, carry out the removals if the user agrees, and record the run.

        Without consent, nothing is removed if that is a large part of the mirror; otherwise the
        projects that would lose all their files stay as they are.
        """
        removal = self._removals.removal
        if self._dry:
            self._removals.report()
            if removal.needs_consent:
                self._result.stopped = removal
            return
        self._batch.flush()
        if removal.needs_consent and not self._progress.agrees(removal):
            self._result.stopped = removal
            if removal.is_large:
                return
            self._removals.leave(removal.emptied)
        self._removals.carry_out(self._batch)
        if is_all:
            failed = len(self._result.failed)
            self._store.mirrors.put_run(self._source, Run(serial, began, time.time(), failed))


@contextlib.contextmanager
def _threads(number: int, stop: Callable[[], None]) -> Iterator[ThreadPoolExecutor]:
    """Give a pool of threads; if the block raises, ``stop`` ends what they do."""
    pool = ThreadPoolExecutor(number, thread_name_prefix="mirror")
    try:
        yield pool
    except BaseException:
        stop()
        pool.shutdown(cancel_futures=True)
        raise
    pool.shutdown()
