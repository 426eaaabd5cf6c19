"""The log: its lines, its levels, and its file where it has one."""

import logging
import math
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from indexfallback.memory.table import Table

#: Log levels by the number of ``-v`` options; -1 is ``-q``.
_LEVELS = {-1: logging.ERROR, 0: logging.WARNING, 1: logging.INFO, 2: logging.DEBUG}
_FORMAT = logging.Formatter("%(asctime)s %(levelname)-7s %(message)s", "%Y-%m-%d %H:%M:%S")
#: A message that was logged within this many seconds is counted and not logged again.
REPEAT_SECONDS = 60.0
#: Bytes of a log file, and how many older ones are kept: weeks of changes of state.
_FILE_SIZE, _OLD_FILES = 1024**2, 2


class Repeats(logging.Filter):
    """Counts the repeats of a message; the next one that is logged says how many there were.

    A record whose attribute ``repeats`` is a text repeats every other one with that text.

    Locks: ``_lock`` guards the messages; there is no I/O under it.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._lock = threading.Lock()
        #: Message to when it was logged, on the monotonic clock, and its repeats since then.
        self._logged: Table[str, tuple[float, int]] = Table("cli.logs.Repeats._logged")

    def filter(self, record: logging.LogRecord) -> bool:
        """Tell whether a record is logged."""
        message, now = record.getMessage(), self._clock()
        key = getattr(record, "repeats", "") or message
        with self._lock:
            logged, repeats = self._logged.get(key) or (-math.inf, 0)
            is_due = now - logged >= REPEAT_SECONDS
            self._logged.put(key, (now, 0) if is_due else (logged, repeats + 1))
        if is_due and repeats:
            record.msg, record.args = "%s (the same %d times since)", (message, repeats)
        return is_due


def set_up_logging(verbose: int) -> None:
    """Log to standard error, one line a message: ``2026-11-28 14:02:11 WARNING private: ...``."""
    _log_to(logging.StreamHandler(sys.stderr), verbose)


def log_to_file(path: Path, verbose: int) -> None:
    """Log to a file that only its owner can read; older lines go to ``PATH.1`` and ``PATH.2``."""
    from logging.handlers import RotatingFileHandler  # noqa: PLC0415 - slow, for `serve` alone

    path.touch(mode=0o600)
    _log_to(RotatingFileHandler(path, "a", _FILE_SIZE, _OLD_FILES, encoding="utf-8"), verbose)


def silence_chain() -> None:
    """Keep the chain from logging what a command prints as its answer.

    The filter of a logger applies only to its own records: warnings of the store are still logged.
    """
    logging.getLogger("indexfallback").addFilter(lambda _: False)


def _log_to(handler: logging.Handler, verbose: int) -> None:
    handler.setFormatter(_FORMAT)
    handler.addFilter(Repeats())
    logger = logging.getLogger("indexfallback")
    logger.handlers[:] = [handler]
    logger.setLevel(_LEVELS[min(verbose, max(_LEVELS))])
    logger.propagate = False
