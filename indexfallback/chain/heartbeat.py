"""Notices when this process did not run: it or its machine was suspended, or it got no CPU.

An index is not to blame for what fails in such a time: a time-out, or a connection that was reset
because nothing came from this side. The loop of the prober beats every second; a beat that comes
too late shows the gap, and so does one that is missing now.

Locks: ``Heartbeat._lock`` guards all attributes.
"""

import threading
from collections import deque
from typing import NamedTuple

#: Seconds between beats.
INTERVAL = 1.0
#: Seconds that a beat may be late on a busy machine: Python's threads wait for each other.
TOLERANCE = 2.0
#: Gaps remembered: those within the longest request.
_GAPS = 16


class _Beat(NamedTuple):
    """A moment, on the monotonic clock and since the epoch.

    The monotonic clock of Linux and macOS stands still while the machine is suspended. The other
    one may be set: what fails in the second of a change forward is then charged to no index.
    """

    monotonic: float
    epoch: float


class _Gap(NamedTuple):
    """A time in which no beat came; its ends are on the monotonic clock."""

    begin: float
    end: float
    #: Seconds in which the process did not run.
    lost: float


class Heartbeat:
    """The gaps in the run of this process.

    ``now`` is on the monotonic clock, and ``epoch`` is the same moment in seconds since the epoch.
    """

    def __init__(self) -> None:
        """Expect a beat every `INTERVAL` seconds, from the first one on."""
        self._lock = threading.Lock()
        self._last: _Beat | None = None
        self._gaps: deque[_Gap] = deque(maxlen=_GAPS)

    def beat(self, now: float, epoch: float) -> None:
        """Note that the process runs."""
        beat = _Beat(now, epoch)
        with self._lock:
            self._gaps.extend(_gap(self._last, beat))
            self._last = beat

    def stop(self) -> None:
        """Expect no beat until the next one."""
        with self._lock:
            self._last = None

    def lost(self, since: float, now: float, epoch: float) -> float:
        """Return the seconds lost in the gaps that a request from ``since`` to ``now`` met."""
        with self._lock:
            gaps = [*self._gaps, *_gap(self._last, _Beat(now, epoch))]
        return sum(gap.lost for gap in gaps if since < gap.end and gap.begin < now)


def _gap(last: _Beat | None, beat: _Beat) -> list[_Gap]:
    """Return the gap before a beat; an empty list if it came in time."""
    if last is None:
        return []
    seconds = max(beat.monotonic - last.monotonic, beat.epoch - last.epoch)
    if seconds <= INTERVAL + TOLERANCE:
        return []
    return [_Gap(last.monotonic, beat.monotonic, seconds - INTERVAL)]
