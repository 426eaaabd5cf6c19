"""Whether a transfer that still moves is too slow to be waited for; the caller has the clock."""

#: Below this many bytes a second, over this many seconds, a transfer is stalled: an index that is
#: well sends a thousand times as much, and a modem ten times.
LEAST_BYTES = 1024.0
WINDOW = 30.0


class Pace:
    """The bytes of one attempt, window by window."""

    def __init__(self, now: float) -> None:
        self._began = now
        self._bytes = 0

    def is_stalled(self, size: int, now: float) -> bool:
        """Take in ``size`` bytes that came, and tell whether they come too slowly."""
        self._bytes += size
        if now - self._began < WINDOW:
            return False
        stalled = self._bytes < LEAST_BYTES * (now - self._began)
        self._began, self._bytes = now, 0
        return stalled
