"""Read-ahead: fetches what a client will ask for next, as if it had asked already.

One thread plans and a few fetch; none of them runs while there is nothing to fetch ahead.
`ReadAhead` owns them: `ReadAhead.close` ends the planning, and a running task ends by the time
limits of its request. A client's own request never waits for a task to start: it runs in its own
thread, and joins a fetch of the same page or file that is running.

Locks: ``ReadAhead._changed`` guards ``_thread`` and ``_closed``, and is notified of new events. The
schedule is used by the planning thread alone.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from indexfallback.chain.answer import Answer
from indexfallback.chain.fallback import Fallback
from indexfallback.chain.members import Member
from indexfallback.chain.question import PageRequest, candidates
from indexfallback.dists.bounds import MAX_METADATA
from indexfallback.dists.requirements import requires_dist
from indexfallback.errors import IndexFallbackError
from indexfallback.files.arrival import Progress
from indexfallback.files.download import Downloads
from indexfallback.files.pinned import FileAddress
from indexfallback.files.planner import PageAddress, Planner, Step
from indexfallback.files.profile import profile_of
from indexfallback.files.schedule import (
    FOLLOWED_SECONDS,
    MOST_AT_ONCE,
    Client,
    Schedule,
    Task,
)
from indexfallback.files.workers import Workers
from indexfallback.page import ProjectPage
from indexfallback.store import Blob, StoreFault
from indexfallback.upstream.answers import TransferError

log = logging.getLogger("indexfallback")

#: Requests of clients that wait to be planned for; the oldest are dropped. While everything is held
#: they wait for long, and later ones say more.
_MOST_EVENTS = 4096
#: The planning thread ends after this long without an event, seconds.
_IDLE_SECONDS = 10.0
#: A page that is fresh for less, seconds, would have to be asked for again when the client comes.
_LEAST_FRESH = 5.0
#: During a transfer, a task checks this often whether the process ends, seconds.
_STEP_SECONDS = 1.0
#: `ReadAhead.close` waits this long for the planning, which reads one page at most, seconds.
_END_SECONDS = 1.0


class _Asked(NamedTuple):
    """A client has asked for something. ``when`` is on the monotonic clock."""

    when: float
    client: Client
    step: Step
    #: Whether no index had to be asked for it.
    is_held: bool
    #: The answer with a page, if something may be fetched ahead for its client.
    answer: Answer | None


class _Fetched(NamedTuple):
    """What a task has fetched."""

    #: Bytes that came from an index.
    size: int = 0
    #: The answer with a page, or the bytes of metadata; None if the fetch failed.
    content: Answer | bytes | None = None


class _Done(NamedTuple):
    """A task has ended."""

    task: Task
    content: Answer | bytes | None


class ReadAhead:
    """Fetches ahead for all clients."""

    def __init__(
        self,
        fallback: Fallback,
        downloads: Downloads,
        offer: Callable[[Answer], ProjectPage],
    ) -> None:
        """``offer`` returns the page of an answer as clients see it."""
        self._fallback = fallback
        self._downloads = downloads
        self._offer = offer
        self._fetched = fallback.activity.ahead
        self._is_on = fallback.settings.read_ahead
        self._schedule = Schedule(self._may_take)
        self._workers: Workers[Task] = Workers(self._carry_out, MOST_AT_ONCE, "fetch-ahead")
        self._asked: deque[_Asked] = deque(maxlen=_MOST_EVENTS)
        self._done: deque[_Done] = deque()
        self._followed_until = float("-inf")
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._closed = False

    def page_asked(self, client: Client, answer: Answer, address: PageAddress) -> None:
        """Note that a client has got a page."""
        is_held = answer.how not in ("asked", "ahead")
        self._ask(client, address, answer, is_held=is_held)

    def file_asked(self, client: Client, address: FileAddress, *, is_held: bool) -> None:
        """Note that a client gets a file; ``is_held`` if it was stored before."""
        self._ask(client, address, is_held=is_held)

    def close(self) -> None:
        """Fetch nothing more."""
        self._workers.close()
        with self._changed:
            self._closed = True
            self._changed.notify()
            thread = self._thread
        if thread is not None:
            thread.join(_END_SECONDS)

    def _ask(
        self, client: Client, step: Step, answer: Answer | None = None, *, is_held: bool
    ) -> None:
        """Leave an event to the planning thread, in a few microseconds."""
        if not self._is_on or profile_of(client.agent) is None:
            return
        now = time.monotonic()
        if not is_held:
            self._followed_until = now + FOLLOWED_SECONDS
        is_followed = now < self._followed_until
        self._asked.append(_Asked(now, client, step, is_held, answer if is_followed else None))
        # A task that ends wakes the planning, too; a client whose files are all stored can wait for
        # that.
        if is_followed and (not is_held or self._schedule.is_idle):
            self._wake()

    def _wake(self) -> None:
        with self._changed:
            if self._thread is None and not self._closed:
                thread = threading.Thread(target=self._run, name="read-ahead", daemon=True)
                thread.start()  # first: one that cannot be started plans nothing
                self._thread = thread
            self._changed.notify()

    # In the planning thread.

    def _run(self) -> None:
        while self._has_event():
            while self._done:
                self._schedule.ended()
                self._go_on(self._done.popleft())
            while self._asked:
                self._learn(self._asked.popleft())
            while (task := self._schedule.next(time.monotonic())) is not None:
                if task.is_ahead:
                    self._fetched.begin(_name(task.step))
                self._workers.put(task)

    def _has_event(self) -> bool:
        """Wait for an event; return False if the thread is to end."""
        with self._changed:
            while not self._changed.wait_for(self._is_wanted, _IDLE_SECONDS):
                if self._schedule.is_idle:
                    break
            if self._closed or not self._is_wanted():
                self._thread = None
                return False
            return True

    def _is_wanted(self) -> bool:
        return bool(self._asked or self._done or self._closed)

    def _learn(self, asked: _Asked) -> None:
        client, step, answer = asked.client, asked.step, asked.answer
        # It may have been fetched only since the client asked.
        self._fetched.claim(_name(step))
        profile = profile_of(client.agent)
        if profile is None:
            return
        is_followed = self._schedule.asks(client, profile, step, asked.when, is_held=asked.is_held)
        planner = self._schedule.planner(client)
        if not is_followed or planner is None or not isinstance(step, PageAddress):
            return
        if answer is not None and not planner.has_seen(step):
            self._read_page(planner, step, answer)

    def _go_on(self, done: _Done) -> None:
        client, step, _ = done.task
        planner = self._schedule.planner(client)
        if planner is None:
            return
        if done.content is None:
            planner.failed(step)
        elif isinstance(done.content, Answer) and isinstance(step, PageAddress):
            self._read_page(planner, step, done.content)
        elif isinstance(done.content, bytes) and isinstance(step, FileAddress):
            planner.read_metadata(step, requires_dist(done.content))

    def _read_page(self, planner: Planner, address: PageAddress, answer: Answer) -> None:
        # All files of a mirrored page are held; offline nothing is fetched.
        if answer.how == "mirrored" or answer.offline is not None:
            return
        try:
            page = self._offer(answer)
        except (IndexFallbackError, *StoreFault) as error:  # the client's own request reports it
            log.debug("%s: nothing is fetched ahead: %s", address.project, error)
            return
        planner.read_page(address, answer.owner.group, page)

    def _may_take(self, step: Step) -> bool:
        """Tell whether every index that may be asked for a step is healthy."""
        if self._fallback.network.offline_state.presumed is not None:
            return False
        now = time.monotonic()
        return not any(member.held(now) for member in self._asked_for(step)) and (
            isinstance(step, FileAddress)
            or all(self._is_fresh_long(member) for member in self._asked_for(step))
        )

    def _asked_for(self, step: Step) -> list[Member]:
        members = self._fallback.members
        if isinstance(step, FileAddress):
            return members.group(step.owner)
        if step.alone is not None:
            return [members[step.alone]]
        chain = candidates(self._fallback.settings.indexes, step.project)
        return [members[index.name] for index in chain]

    def _is_fresh_long(self, member: Member) -> bool:
        fresh = self._fallback.settings.fresh_for(member.index)
        return member.index.is_directory or fresh >= _LEAST_FRESH

    # In the threads of the workers.

    def _carry_out(self, task: Task) -> None:
        step, fetched = task.step, _Fetched()
        try:
            fetched = self._page(step) if isinstance(step, PageAddress) else self._file(step)
        except (IndexFallbackError, TransferError, *StoreFault) as error:
            # If the client asks for the same, its request fails, too, and reports it.
            log.debug("%s cannot be fetched ahead: %s", _name(step), error)
        finally:
            if task.is_ahead:
                self._fetched.end(_name(step), fetched.size)
            self._done.append(_Done(task, fetched.content))
            self._wake()

    def _page(self, address: PageAddress) -> _Fetched:
        answer = self._fallback.page_ahead(PageRequest(*address))
        return _Fetched(answer.size if answer.how == "asked" else 0, answer)

    def _file(self, address: FileAddress) -> _Fetched:
        found = self._downloads.begin(address)
        if isinstance(found, Blob):
            came, size = 0, found.size
            pieces = self._fallback.store.blobs.read(found, 0, size)
        else:
            while found.wait_ended(_STEP_SECONDS) is Progress.RUNNING and not self._closed:
                pass
            if found.progress is not Progress.DONE:
                return _Fetched()
            came = size = found.total or 0
            pieces = found.read(0, size)
        is_read = address.is_metadata and size <= MAX_METADATA
        return _Fetched(came, b"".join(pieces) if is_read else b"")


def _name(step: Step) -> str | FileAddress:
    """Return how the activity of this server names a page or a file."""
    return step.project if isinstance(step, PageAddress) else step
