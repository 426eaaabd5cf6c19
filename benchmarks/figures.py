"""Figures of one row: pairs of measurements, ours and nginx's, and how they are printed."""

import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Unit:
    """What a figure counts."""

    name: str
    #: Of the numbers as printed.
    digits: int = 0
    #: Whether more is better.
    rate: bool = False

    def spell(self, value: float) -> str:
        return f"{value:,.{self.digits}f} {self.name}"


PER_SECOND = Unit("/s", rate=True)
MB_PER_SECOND = Unit("MB/s", rate=True)
MS = Unit("ms", digits=1)
SECONDS = Unit("s", digits=2)
MB = Unit("MB")
KB = Unit("KB")
SHARE = Unit("%", digits=1)
TIMES = Unit("times")


@dataclass
class Row:
    """One line of the table; every repetition adds a pair."""

    name: str
    unit: Unit
    #: In ratio to nginx, or in the unit where there is nothing to compare with.
    target: float | None = None
    direct: list[float] = field(default_factory=list)
    ours: list[float] = field(default_factory=list)

    def add(self, ours: float, direct: float | None = None) -> None:
        self.ours.append(ours)
        if direct is not None:
            self.direct.append(direct)

    @property
    def judged(self) -> list[float]:
        """What the target is about: one ratio for each repetition, else the figures."""
        if not self.direct:
            return self.ours
        return [ours / direct for ours, direct in zip(self.ours, self.direct, strict=True)]

    @property
    def verdict(self) -> str:
        if self.target is None:
            return ""
        value = statistics.median(self.judged)
        met = value >= self.target if self.unit.rate else value <= self.target
        return "met" if met else "MISSED"

    def cells(self) -> list[str]:
        spell = self.unit.spell
        ratio = f"{_spread(self.judged, lambda value: f'{value:.2f}')}" if self.direct else ""
        target = ""
        if self.target is not None:
            limit = f"{self.target:g}" if self.direct else spell(self.target)
            target = f"at {'least' if self.unit.rate else 'most'} {limit}"
        return [
            self.name,
            spell(statistics.median(self.direct)) if self.direct else "",
            spell(statistics.median(self.ours)) if self.direct else _spread(self.ours, spell),
            ratio,
            target,
            self.verdict,
        ]


#: What the two figures of a row are called.
SIDES = ("nginx", "indexfallback")


def _spread(values: Sequence[float], spell: Callable[[float], str]) -> str:
    middle = spell(statistics.median(values))
    if len(values) == 1:
        return middle
    return f"{middle} ({spell(min(values))} to {spell(max(values))})"


def table(rows: Iterable[Row], *, markdown: bool, sides: tuple[str, str] = SIDES) -> str:
    """Return the rows as a table, for people or for a Markdown file."""
    header = ["", *sides, "ratio (min to max)", "target", ""]
    lines = [header, *(row.cells() for row in rows)]
    if markdown:
        lines.insert(1, ["---", *["---:"] * 3, "---", "---"])
        return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
    widths = [max(len(line[column]) for line in lines) for column in range(len(header))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )
