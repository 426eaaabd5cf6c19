"""A budget for extra requests: retries and hedged requests must not double a load.

Locks: ``Budget._lock`` guards the tokens.
"""

import threading
from collections.abc import Callable


class Budget:
    """Tokens, earned by requests and by time, spent one for each extra request."""

    def __init__(
        self, share: float, per_second: float, most: float, clock: Callable[[], float]
    ) -> None:
        """Earn ``share`` of a token for each request and ``per_second`` besides, up to ``most``."""
        self._share = share
        self._per_second = per_second
        self._most = most
        self._clock = clock
        self._lock = threading.Lock()
        self._tokens = most
        self._at = clock()

    def earn(self) -> None:
        """Count a request that a client asked for."""
        with self._lock:
            self._tokens = min(self._most, self._tokens + self._share)

    def spend(self) -> bool:
        """Take a token for an extra request; False if there is none."""
        now = self._clock()
        with self._lock:
            earned = (now - self._at) * self._per_second
            self._tokens = min(self._most, self._tokens + earned)
            self._at = now
            if self._tokens < 1:
                return False
            self._tokens -= 1
            return True
