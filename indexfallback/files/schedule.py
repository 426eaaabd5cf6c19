"""Which step of which client is taken next, and when none may be taken. Pure.

The caller passes the time, of the monotonic clock.
"""

from collections import OrderedDict
from collections.abc import Callable
from typing import NamedTuple

from indexfallback.files.planner import PageAddress, Planner, Step
from indexfallback.files.profile import Profile

#: Steps at once, for all clients: more could flood an index with requests that no client has sent.
#: A browser opens six connections, and uv fifty.
MOST_AT_ONCE = 8
#: A client is followed for this long, seconds, after it asked for something that was not held.
#: One that is silent has ended, or waits; and while everything is held there is nothing to fetch,
#: and looking for it would cost.
FOLLOWED_SECONDS = 10.0
#: A client that has been silent for longer than any download takes, seconds, has ended.
ENDED_SECONDS = 300.0
#: Clients at once whose planners are kept, the latest ones.
MOST_CLIENTS = 16


class Client(NamedTuple):
    """A client, by its address and its User-Agent."""

    address: str
    agent: str


class Task(NamedTuple):
    """One step for one client."""

    client: Client
    step: Step
    #: Whether the client has not asked for it yet; if it has, the step only reads the answer.
    is_ahead: bool


class _Entry:
    """One client: its planner, and when it asked last for anything, and for what was not held."""

    def __init__(self, planner: Planner) -> None:
        self.planner = planner
        self.asked = float("-inf")
        self.missed = float("-inf")
        #: The turn in which it had its latest task.
        self.turn = 0

    def is_followed(self, now: float) -> bool:
        return now - self.missed < FOLLOWED_SECONDS


class Schedule:
    """The planners of all clients; its methods are called in one thread."""

    def __init__(self, may_take: Callable[[Step], bool]) -> None:
        """Take no step for which ``may_take`` is false."""
        self._may_take = may_take
        self._entries: OrderedDict[Client, _Entry] = OrderedDict()
        self._running = 0
        self._turns = 0

    def asks(
        self, client: Client, profile: Profile, step: Step, now: float, *, is_held: bool
    ) -> bool:
        """Note what a client asks for; ``is_held`` if no index had to be asked for it.

        Returns whether it is followed.
        """
        entry = self._entries.get(client)
        if entry is None or entry.planner.is_full or _begins_anew(entry, step, now):
            entry = self._entries[client] = _Entry(Planner(profile))
        self._entries.move_to_end(client)
        entry.asked = now
        self._drop(now)
        if not is_held:
            entry.missed = now
        entry.planner.asks(step)
        return entry.is_followed(now)

    def planner(self, client: Client) -> Planner | None:
        """Return the planner of a client, if there still is one."""
        entry = self._entries.get(client)
        return entry.planner if entry is not None else None

    def next(self, now: float) -> Task | None:
        """Return the next task to begin, or None; it counts as running until `ended`."""
        if self._running >= MOST_AT_ONCE:
            return None
        # In turns, so that a client with much to fetch does not keep out the others.
        for client, entry in sorted(self._entries.items(), key=lambda item: item[1].turn):
            step = self._next_of(entry.planner) if entry.is_followed(now) else None
            if step is not None:
                self._turns += 1
                entry.turn = self._turns
                self._running += 1
                return Task(client, step, not entry.planner.has_asked(step))
        return None

    def _drop(self, now: float) -> None:
        """Drop the planners of clients that have ended; the one that asked last is at the end."""
        while True:
            client, entry = next(iter(self._entries.items()))
            if len(self._entries) <= MOST_CLIENTS and now - entry.asked < ENDED_SECONDS:
                return
            del self._entries[client]

    def _next_of(self, planner: Planner) -> Step | None:
        while (step := planner.next()) is not None:
            if self._may_take(step):
                return step
            planner.failed(step)
        return None

    def ended(self) -> None:
        """Note that a task has ended."""
        self._running -= 1

    @property
    def is_idle(self) -> bool:
        """Whether no task is running."""
        return not self._running


def _begins_anew(entry: _Entry, step: Step, now: float) -> bool:
    """Tell whether a client that was silent begins another install: it asks for a page."""
    return isinstance(step, PageAddress) and now - entry.asked >= FOLLOWED_SECONDS
