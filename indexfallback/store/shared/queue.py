"""A bounded queue of what is to be written to the bucket in the background.

With the writes in the way of answers, sharing collapsed under load. Each job is named by its key,
and its content is read when it is written: a job that waits is not added twice, and takes little
memory. While the bucket cannot be written, jobs wait. When the queue is full, a job is dropped:
what safety rests on does not come here (`unshared`).

Locks: ``WriteQueue._changed`` guards the jobs and the counts; a job runs outside it.
"""

import logging
import threading
import time
from collections.abc import Callable

log = logging.getLogger("indexfallback.store")

#: Requests at once: enough for 100 MB/s at 80 ms each, and few beside the requests of clients.
AT_ONCE = 8
#: Jobs that wait, of about 300 bytes: 3 MB; at 8 writes of 50 ms at once, a minute's.
MOST = 10_000
#: After a job that could not be done, no other begins for so long, seconds, as a breaker pauses.
PAUSE_SECONDS = 10.0
#: A job is tried so often while the bucket takes others: one may fail for a reason of its own, as a
#: file that is too large.
TRIES = 5
#: At the end, what waits is written for so long, seconds: a server must end soon.
DRAIN_SECONDS = 1.0

#: What is written, and its key: ``("file", sha256)``, ``("page", source, project)``.
Job = tuple[str, ...]


class WriteQueue:
    """Runs jobs, a few at once, in the order in which they came."""

    def __init__(
        self,
        run: Callable[[Job], bool],
        *,
        takes_writes: Callable[[], bool] = lambda: True,
        most: int = MOST,
    ) -> None:
        """``run`` returns False if the job cannot be done now, nor probably another one.

        Without ``takes_writes`` that is no fault of the job, and not counted.
        """
        self._run = run
        self._takes_writes = takes_writes
        self._most = most
        self._changed = threading.Condition()
        #: How often each was tried.
        self._jobs: dict[Job, int] = {}
        self._threads: list[threading.Thread] = []
        self._running = 0
        self._resumes = 0.0
        self._is_closed = False
        #: Jobs that were given up: the queue was full, or they failed too often.
        self.dropped = 0

    def __len__(self) -> int:
        """Return the number of jobs that wait or run."""
        return len(self._jobs) + self._running

    def add(self, *job: str) -> None:
        """Add a job, unless it waits already, or the queue is full or closed."""
        with self._changed:
            if self._is_closed or job in self._jobs:
                return
            if len(self._jobs) >= self._most:
                self.dropped += 1
                return
            self._jobs[job] = 0
            if len(self._threads) < min(AT_ONCE, len(self._jobs) + self._running):
                self._start()
            self._changed.notify_all()

    def _start(self) -> None:
        name = f"share-{len(self._threads)}"
        thread = threading.Thread(target=self._work, name=name, daemon=True)
        thread.start()
        self._threads.append(thread)

    def _work(self) -> None:
        while (found := self._next()) is not None:
            is_done = True
            try:
                is_done = self._run(found[0])
            except Exception:  # the next jobs are not to suffer from a defect
                if not self._is_closed:  # and with it the store
                    log.exception("cannot share %s", " ".join(found[0]))
            finally:
                self._end(*found, is_done=is_done)

    def _next(self) -> tuple[Job, int] | None:
        with self._changed:
            while not self._is_closed:
                pause = self._resumes - time.monotonic()
                if self._jobs and pause <= 0:
                    job = next(iter(self._jobs))
                    tries = self._jobs.pop(job)
                    self._running += 1
                    return job, tries + 1
                self._changed.wait(max(pause, 0.0) if self._jobs else None)
            return None

    def _end(self, job: Job, tries: int, *, is_done: bool) -> None:
        if not self._takes_writes():
            tries -= 1
        with self._changed:
            self._running -= 1
            if not is_done:
                self._resumes = time.monotonic() + PAUSE_SECONDS
                if tries < TRIES and not self._is_closed:
                    self._jobs.setdefault(job, tries)
                else:
                    self.dropped += 1
            self._changed.notify_all()

    def resume(self) -> None:
        """End a pause: the bucket can be written again."""
        with self._changed:
            self._resumes = 0.0
            self._changed.notify_all()

    def drain(self, seconds: float) -> bool:
        """Wait until all jobs are done, at most ``seconds``; return whether they are."""
        with self._changed:
            return self._changed.wait_for(lambda: not len(self), seconds)

    def close(self, seconds: float = DRAIN_SECONDS) -> None:
        """Write what waits, for ``seconds`` at most, and end the threads."""
        ends = time.monotonic() + seconds
        if self._resumes <= time.monotonic():
            self.drain(seconds)
        with self._changed:
            self._is_closed = True
            self.dropped += len(self._jobs)
            self._jobs.clear()
            self._changed.notify_all()
            threads = list(self._threads)
        for thread in threads:
            thread.join(max(0.0, ends - time.monotonic()))
