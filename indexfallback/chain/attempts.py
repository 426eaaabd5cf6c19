"""The requests for pages that are under way.

A request goes on when its client waits no longer: its page is stored, and the next request for the
same page joins it. Each runs in a thread of its own, which ends by its limits.

A refresh joins no request that began before it, which may not see what was uploaded meanwhile. It
waits for the end of that request, because the newer answer must be the last one that is stored.

Locks: ``Attempts._lock`` guards ``_running``. ``Attempt._lock`` guards ``_is_charged``.
"""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, wait

from indexfallback.chain.keeper import Asked
from indexfallback.chain.members import Member
from indexfallback.chain.question import Question
from indexfallback.config import Index
from indexfallback.flight import start
from indexfallback.outcome import LOGIN_KINDS, Kind, Outcome
from indexfallback.upstream.answers import ClientLogin

#: Requests that can be joined: more than a machine can have open.
_MOST = 4096
#: What says more of a client's login than of the index.
_OF_A_LOGIN = LOGIN_KINDS | {Kind.REFUSED}


class Attempt:
    """One request for one page at one index."""

    def __init__(
        self, member: Member, project: str, *, reload: bool, login: ClientLogin | None = None
    ) -> None:
        self.member = member
        self.project = project
        #: The login of a client that is sent with it.
        self.login = login
        #: Whether it has no validators.
        self.reload = reload
        self.future: Future[Asked]
        #: Is done when the answer has begun.
        self.answering: Future[None] = Future()
        #: On the monotonic clock.
        self.started = time.monotonic()
        self._lock = threading.Lock()
        self._is_charged = False

    def begin_answer(self) -> None:
        """Note that the first bytes are there; only its own thread calls this."""
        if not self.answering.done():
            self.answering.set_result(None)

    def give_up(self, *, charge: bool) -> Asked:
        """Return what a client gets that waits no longer; ``charge`` the silence to the index."""
        waited = time.monotonic() - self.started
        detail = f"no answer in time ({waited:.1f} s); if it still comes, it is kept"
        late = self.member.judged(Outcome(Kind.UNREACHABLE, detail, waited))
        with self._lock:
            charge = charge and not self.future.done()
            self._is_charged |= charge
        if charge:
            self.member.learn(late, self.project)
        return Asked(late)

    def tell(self, outcome: Outcome) -> None:
        """Update the index's health with the end; a failure is charged once."""
        with self._lock:
            is_known = self._is_charged
        if self.login is not None and outcome.kind in _OF_A_LOGIN:
            return
        if outcome.is_answer or not is_known:
            self.member.learn(outcome, self.project)


class Attempts:
    """The requests that are under way, by index and project."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: dict[tuple[str, str], Attempt] = {}

    def running(self, index: Index, project: str) -> Attempt | None:
        """Return the request that is under way for a page, if there is one."""
        with self._lock:
            return self._running.get((index.key, project))

    def joinable(self, index: Index, question: Question, ends: float) -> Attempt | None:
        """Return the request for a page that may be joined; None if none is under way.

        The end of one that began too early for the question, or has validators where it wants none,
        is waited for. Raises TimeoutError if it is not over by ``ends`` on the monotonic clock.
        """
        while (attempt := self.running(index, question.project)) is not None:
            if attempt.started >= question.since and (attempt.reload or not question.reload):
                break
            if not wait([attempt.future], max(0.0, ends - time.monotonic())).done:
                raise TimeoutError
        return attempt

    def start(
        self,
        member: Member,
        project: str,
        ask: Callable[[Attempt], Asked],
        *,
        reload: bool,
        login: ClientLogin | None,
    ) -> Attempt:
        """Start a request; ``ask`` sends it and stores its answer, and tells when that begins.

        ``reload`` tells whether it has no validators. One with a client's ``login`` is for that
        client alone.
        """
        attempt = Attempt(member, project, reload=reload, login=login)
        key = member.index.key, project

        def run() -> Asked:
            try:
                asked = ask(attempt)
            finally:
                attempt.begin_answer()
                with self._lock:
                    if self._running.get(key) is attempt:
                        del self._running[key]
            asked = asked._replace(outcome=member.judged(asked.outcome))
            attempt.tell(asked.outcome)
            return asked

        with self._lock:
            # First: where no thread can be started, no other request must wait for this one.
            attempt.future = start(run, f"ask-{member.index.name}")
            # A directory or a bucket is read for each request: what was just put there is wanted.
            is_shared = login is None and not member.index.is_read_each_time
            if is_shared and len(self._running) < _MOST:
                self._running[key] = attempt
        return attempt

    def forget(self, project: str) -> None:
        """Let no later request join those for a project, since it has changed."""
        with self._lock:
            for key in [key for key in self._running if key[1] == project]:
                del self._running[key]
