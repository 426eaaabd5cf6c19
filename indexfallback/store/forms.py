"""The forms of stored values: checks of types and ranges, and a checksum for all other values.

One wrong byte on the disk may leave a row that SQLite reads without an error.
"""

import logging
import math
import threading
import time
import zlib
from collections import Counter

log = logging.getLogger("indexfallback.store")

#: A stored time is later than now by at most this, seconds: clocks are set back.
_AHEAD = 10 * 366 * 86400.0
_DAY = 86400.0
#: Every number of bytes or things is below this: a pebibyte.
_MOST_COUNT = 1 << 50
#: Rows whose damage was logged, at most.
_MOST_NOTED = 1000


def is_time(value: object) -> bool:
    """Tell whether a value is seconds since the epoch."""
    return (
        isinstance(value, (int, float))
        and math.isfinite(value)
        and 0 <= value < time.time() + _AHEAD
    )


def age_of(then: float, now: float) -> float:
    """Return seconds since a time; infinite for a time in the future."""
    # After a clock was set back, a page must not stay fresh for years.
    return now - then if then <= now else float("inf")


def is_duration(value: object) -> bool:
    """Tell whether a value is a number of seconds, at most a day."""
    return isinstance(value, (int, float)) and 0 <= value <= _DAY


def is_count(value: object) -> bool:
    """Tell whether a value is a number of bytes or things."""
    return isinstance(value, int) and 0 <= value < _MOST_COUNT


def is_text(*values: object) -> bool:
    """Tell whether all values are text of UTF-8 without replacement characters."""
    return all(isinstance(value, str) and "\ufffd" not in value for value in values)


def is_optional_text(*values: object) -> bool:
    """Tell whether all values are None or text, as `is_text` does."""
    return all(value is None or is_text(value) for value in values)


def seal(*values: object) -> int:
    """Return the checksum of values, which is stored beside them."""
    return zlib.crc32("\0".join(map(repr, values)).encode("utf-8", "surrogatepass"))


class Noted:
    """Logs each damaged row once.

    Locks: ``_lock`` guards how often each row was damaged.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rows: Counter[str] = Counter()

    def damaged(self, row: str) -> int:
        """Log, once, that the record of ``row`` is damaged; return how often it was."""
        with self._lock:
            if len(self._rows) >= _MOST_NOTED:
                self._rows.clear()
            self._rows[row] += 1
            times = self._rows[row]
        if times == 1:
            log.warning("the record of %s is damaged; it is removed, and fetched again", row)
        return times
