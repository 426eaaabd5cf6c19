"""Durations and sizes in settings: ``"10 s"``, ``"30 days"``, ``"20 GB"``, ``"64 MiB"``.

A number without a unit is refused, because it is ambiguous.
"""

import re
from decimal import Decimal

#: Unit to seconds.
DURATION_UNITS = {
    "ms": Decimal("0.001"),
    "s": Decimal(1), "sec": Decimal(1), "second": Decimal(1), "seconds": Decimal(1),
    "min": Decimal(60), "minute": Decimal(60), "minutes": Decimal(60),
    "h": Decimal(3600), "hour": Decimal(3600), "hours": Decimal(3600),
    "days": Decimal(86400), "day": Decimal(86400), "d": Decimal(86400),
    "weeks": Decimal(604800), "week": Decimal(604800), "w": Decimal(604800),
}  # fmt: skip
#: Unit, in lower case, to bytes: decimal with B, binary with iB.
SIZE_UNITS = {
    "b": 1,
    "kb": 1000, "mb": 1000**2, "gb": 1000**3, "tb": 1000**4,
    "kib": 1024, "mib": 1024**2, "gib": 1024**3, "tib": 1024**4,
}  # fmt: skip
#: 100 years: below the longest timeout on 64-bit systems (292 years).
MAX_DURATION = Decimal(100 * 365 * 86400)
#: 1 EB: below the largest integer of SQLite.
MAX_SIZE = 10**18

#: 19 digits are enough for both maxima.
_QUANTITY = re.compile(r"(-?[0-9]{1,19}(?:\.[0-9]{1,9})?)\s*([A-Za-z]*)", re.ASCII)
_SIZE_NAMES = ("B", "KB", "MB", "GB", "TB", "KiB", "MiB", "GiB", "TiB")
_WRITTEN_DURATIONS = ("days", "h", "min", "s", "ms")
#: The largest factor first.
_WRITTEN_SIZES = ("TiB", "TB", "GiB", "GB", "MiB", "MB", "KiB", "KB")


class InvalidValueError(ValueError):
    """A value is not valid for its setting; the caller adds the name of the setting."""

    def __init__(self, problem: str, remedy: str) -> None:
        super().__init__(problem, remedy)
        #: Follows the value in a sentence: ``has no unit``.
        self.problem = problem
        #: What to do: ``write "10 s"``.
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.problem}; {self.remedy}"


def parse_duration(value: object) -> float:
    """Return the seconds in ``value``, like ``"10 s"``, ``"500 ms"`` or ``"0 s"``.

    Raises:
        InvalidValueError: it is not a duration, has no unit, or is negative.

    """
    number, unit = _quantity(value, "a duration", "10 s", "s")
    factor = DURATION_UNITS.get(unit) or DURATION_UNITS.get(unit.lower())
    if factor is None:
        raise InvalidValueError(
            f'has the unknown unit "{unit}"', "use ms, s, min, h, days or weeks"
        )
    seconds = number * factor
    if seconds < 0:
        raise InvalidValueError("is negative", 'write a duration like "10 s"')
    if seconds > MAX_DURATION:
        raise InvalidValueError("is longer than 100 years", "write a shorter duration")
    return float(seconds)


def parse_size(value: object) -> int:
    """Return the bytes in ``value``, like ``"20 GB"``, ``"64 MiB"`` or ``"0 B"``.

    Raises:
        InvalidValueError: it is not a size, has no unit, or is negative.

    """
    number, unit = _quantity(value, "a size", "20 GB", "B")
    factor = SIZE_UNITS.get(unit.lower())
    if factor is None:
        raise InvalidValueError(f'has the unknown unit "{unit}"', f"use {', '.join(_SIZE_NAMES)}")
    size = number * factor
    if size < 0:
        raise InvalidValueError("is negative", 'write a size like "20 GB"')
    if size > MAX_SIZE:
        raise InvalidValueError("is more than 1,000,000 TB", "write a smaller size")
    return int(size)


def format_duration(seconds: float) -> str:
    """Return the text for `parse_duration`, in the largest unit that gives a whole number."""
    exact = Decimal(str(seconds))
    for unit in _WRITTEN_DURATIONS:
        amount = exact / DURATION_UNITS[unit]
        if amount >= 1 and amount == int(amount):
            return f"{int(amount)} {unit}"
    return f"{exact.normalize():f} s"


def format_size(size: int) -> str:
    """Return the text for `parse_size`, in the largest unit that gives a whole number."""
    for unit in _WRITTEN_SIZES:
        amount, rest = divmod(size, SIZE_UNITS[unit.lower()])
        if amount and not rest:
            return f"{amount} {unit}"
    return f"{size} B"


def _quantity(value: object, kind: str, example: str, unit: str) -> tuple[Decimal, str]:
    """Split ``value`` into its number and its unit, which is never empty."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        raise InvalidValueError("has no unit", f'write "{_with_unit(value, unit, example)}"')
    if not isinstance(value, str):
        raise InvalidValueError(f"is not {kind}", f'write {kind} like "{example}"')
    match = _QUANTITY.fullmatch(value.strip())
    if match is None:
        raise InvalidValueError(f"is not {kind}", f'write {kind} like "{example}"')
    number, name = match.groups()
    if not name:
        raise InvalidValueError("has no unit", f'write "{number} {unit}"')
    return Decimal(number), name


def _with_unit(value: float, unit: str, example: str) -> str:
    """Return a number with its most likely unit, or an example if the number is not valid."""
    text = f"{value} {unit}"
    return text if value > 0 and _QUANTITY.fullmatch(text) else example
