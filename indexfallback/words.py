"""Durations, sizes and counts, formatted for people."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timezone

_SIZES = ("B", "KB", "MB", "GB", "TB")
_STEP = 1000
#: Below this many of a unit, one decimal is shown.
_FEW = 10
_MINUTE, _HOUR, _DAY = 60.0, 3600.0, 86400.0


def ms(seconds: float | None) -> str:
    """Return a duration in milliseconds: ``38 ms``; ``-`` for None."""
    return "-" if seconds is None else f"{seconds * 1000:,.0f} ms"


def span(seconds: float) -> str:
    """Return a duration in its largest unit: ``12 s``, ``3 min``, ``2 d``."""
    for unit, length in (("d", _DAY), ("h", _HOUR), ("min", _MINUTE)):
        if seconds >= length:
            return f"{int(seconds / length):,} {unit}"
    return f"{max(0, int(seconds))} s"


def size(count: float) -> str:
    """Return a size in bytes in its largest unit: ``1.2 GB``."""
    for unit in _SIZES:
        if round(count) < _STEP or unit == _SIZES[-1]:
            break
        count /= _STEP
    digits = 1 if unit != "B" and count < _FEW and count != int(count) else 0
    return f"{count:,.{digits}f} {unit}"


def joined(items: Sequence[str]) -> str:
    """Return a list in words: ``pip, uv and pdm``."""
    return " and ".join(filter(None, (", ".join(items[:-1]), *items[-1:])))


def shortened(items: Sequence[str], most: int) -> str:
    """Return the first items of a list, and the number of the others: ``a, b and 3 more``."""
    more = f" and {len(items) - most:,} more" if len(items) > most else ""
    return ", ".join(items[:most]) + more


def counted(number: int, one: str, many: str = "") -> str:
    """Return a number with its noun: ``1 file``, ``3,412 files``."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def one_line(text: str) -> str:
    """Return a text from elsewhere in one line, without what a terminal would obey."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def left_out(dropped: Mapping[str, int]) -> str:
    """Return how many files a page lists that are not offered, and why; nothing for none."""
    reasons = (f"{number:,}: {reason}" for reason, number in sorted(dropped.items()))
    return f"{sum(dropped.values()):,} left out ({'; '.join(reasons)})" if dropped else ""


def day(when: float) -> str:
    """Return the day of a time, seconds since the epoch, in the user's zone: ``2026-11-19``."""
    return datetime.fromtimestamp(when, timezone.utc).astimezone().strftime("%Y-%m-%d")


def minute(when: float) -> str:
    """Return a time, seconds since the epoch, in the user's zone: ``2026-11-19 14:02``."""
    return datetime.fromtimestamp(when, timezone.utc).astimezone().strftime("%Y-%m-%d %H:%M")


def clock(when: float, now: float) -> str:
    """Return a time in the user's zone: ``14:02:11``; with its day if that is not the one of now.

    Both are seconds since the epoch.
    """
    local = datetime.fromtimestamp(when, timezone.utc).astimezone()
    return local.strftime("%H:%M:%S" if day(when) == day(now) else "%Y-%m-%d %H:%M:%S")
