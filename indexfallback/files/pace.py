"""When a transfer that still moves is too slow to wait for; the caller passes the clock."""

from collections.abc import Callable, Iterator

from indexfallback.outcome import Kind, Outcome
from indexfallback.upstream.answers import Body, TransferError

#: Below this many bytes a second, over this many seconds, a transfer is stalled: a healthy index
#: sends a thousand times as much, and a modem ten times.
LEAST_BYTES = 1024.0
WINDOW = 30.0


class StallDetector:
    """Counts the bytes of one attempt, window by window."""

    def __init__(self, now: float) -> None:
        self._began = now
        self._bytes = 0

    def is_stalled(self, size: int, now: float) -> bool:
        """Count ``size`` more bytes, and tell whether they come too slowly."""
        self._bytes += size
        if now - self._began < WINDOW:
            return False
        stalled = self._bytes < LEAST_BYTES * (now - self._began)
        self._began, self._bytes = now, 0
        return stalled


def unstalled(body: Body, clock: Callable[[], float]) -> Iterator[bytes]:
    """Yield the pieces of a body; raises `TransferError` when it fails or stalls.

    ``clock`` returns monotonic seconds.
    """
    detector = StallDetector(clock())
    while piece := body.read():
        if detector.is_stalled(len(piece), clock()):
            problem = f"stalled: under 1 KiB/s for {WINDOW:.0f} s"
            raise TransferError(Outcome(Kind.UNREACHABLE, problem))
        yield piece
