"""The table of a soak: what was seen, what is allowed, and what must not be."""

from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.samples import LEAST, SLACK, Sample, grown, middle, parts
from benchmarks.verifying import Report

#: Threads that a shim may have when it has nothing to do.
_THREADS_AT_REST = 16


@dataclass
class Outcome:
    """What came of a soak."""

    minutes: float
    #: Of the cache, bytes.
    limit: int
    #: Seconds in which all must be right again.
    patience: float
    report: Report
    samples: Sequence[Sample]
    rest: Sample
    restarts: Sequence[float]
    gaps: Sequence[tuple[float, float]]
    #: Times at which the disk was full; None if this user may not mount one.
    full: int | None
    faults: int
    #: Seconds until all was right again; None if it never was.
    healed: float | None
    #: What `cache verify` said if it found damage, else empty.
    damage: str
    #: Tracebacks in the logs.
    tracebacks: int


Row = tuple[str, str, str, list[str]]


def rows(outcome: Outcome) -> list[Row]:
    """Return the table: name, figure, what is allowed, and what is wrong, which must be nothing."""
    report = outcome.report
    broken = [
        f"{each.url}: {each.error} after {each.ended - each.began:.1f} s"
        for each in report.broken
        if not any(each.began < end and each.ended > begin for begin, end in outcome.gaps)
    ]
    counts = ", ".join(f"{count:,} {what}" for what, count in report.counts.most_common())
    restarts = f"{max(outcome.restarts, default=0):.1f} s"
    full = "no disk of its own" if outcome.full is None else f"{outcome.full}"
    healed = "never" if outcome.healed is None else f"{outcome.healed:.0f} s"
    return [
        ("length", f"{outcome.minutes:g} min", "", []),
        ("requests", counts, "", []),
        ("faults", f"{outcome.faults}", "", []),
        ("kills, slowest restart", f"{len(outcome.restarts)}, {restarts}", "", []),
        ("times that the disk was full", full, "", []),
        ("wrong answers", f"{len(report.wrong)}", "0", report.wrong),
        ("server errors but 503", f"{len(report.errors)}", "0", report.errors),
        ("slowest first byte", f"{report.slowest:.1f} s", "deadline + 1 s", report.late),
        ("no answer while a shim was there", f"{len(broken)}", "0", broken),
        ("all right again after the last fault", healed, f"{outcome.patience:g} s",
         [] if outcome.healed is not None else ["something stays broken"]),
        ("damaged files", "some" if outcome.damage else "0", "0",
         [outcome.damage] if outcome.damage else []),
        ("tracebacks in the logs", f"{outcome.tracebacks}", "0",
         ["see the logs"] if outcome.tracebacks else []),
        *_sample_rows(outcome),
    ]  # fmt: skip


def _sample_rows(outcome: Outcome) -> list[Row]:
    before, after = parts(outcome.samples)
    growing = grown(outcome.samples)
    found: list[Row] = []
    for name in SLACK:
        figures = (middle(before, name), middle(after, name))
        most = max(getattr(each, name) for each in outcome.samples)
        text = f"{figures[0]:.1f} -> {figures[1]:.1f}, most {most:.1f}"
        wrong = [f"{name} grows"] if name in growing else []
        judged = "no growth" if len(outcome.samples) >= LEAST else "too short to judge"
        found.append((f"{name}, second and last quarter", text, judged, wrong))
    files = max(each.files + each.partial_bytes for each in outcome.samples)
    health = max(each.health for each in outcome.samples)
    limit = f"limit {outcome.limit / 1e6:.0f} MB"
    threads = outcome.rest.threads
    too_many = [f"{threads} threads"] if threads > _THREADS_AT_REST else []
    return [
        *found,
        ("stored and partial files, most", f"{files:.1f} MB", limit, []),
        ("slowest /-/health", f"{health:.2f} s", "", []),
        ("threads at rest", f"{threads}", f"{_THREADS_AT_REST}", too_many),
        ("memory at rest", f"{outcome.rest.memory:.0f} MB", "", []),
    ]


def table(rows: Sequence[Row], *, markdown: bool) -> str:
    """Return the rows as a table, for people or for a Markdown file."""
    lines = [("", "", "allowed", ""), *((*row[:3], "WRONG" if row[3] else "") for row in rows)]
    if markdown:
        lines.insert(1, ("---", "---:", "---", "---"))
        return "\n".join(f"| {' | '.join(line)} |" for line in lines)
    widths = [max(len(line[column]) for line in lines) for column in range(4)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )
