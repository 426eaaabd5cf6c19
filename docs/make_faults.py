"""Writes faults.md: each fault, what the shim does, and the tests that show it.

Run as ``python docs/make_faults.py``; with ``--check`` it only tells what is wrong. The files of
tests are imported, no test is run.
"""  # noqa: INP001 - a script

import runpy
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from tests.faults import catalogue  # noqa: E402 - found by the path above

PAGE = ROOT / "docs" / "faults.md"
PREFIX = "incident: "

#: Row number, or incident with its prefix, to the tests that show it.
Shown = dict[int | str, list[str]]


def collect() -> Shown:
    """Return the tests of each fault, in the order of their files."""
    shown: Shown = defaultdict(list)
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        if ".mark.fault(" not in path.read_text(encoding="utf-8"):
            continue
        name = path.relative_to(ROOT).as_posix()
        for test, value in runpy.run_path(str(path), run_name=name).items():
            if test.startswith("test_"):
                for fault in dict.fromkeys(_faults(getattr(value, "pytestmark", ()))):
                    shown[fault].append(f"{name}::{test}")
    return shown


def _faults(marks: Iterable[pytest.Mark | pytest.MarkDecorator]) -> Iterator[int | str]:
    """Yield what a test's marks name, also those of its single parameters."""
    for mark in marks:
        if mark.name == "fault":
            yield from mark.args
        elif mark.name == "parametrize":
            for values in mark.args[1]:
                # What `pytest.param` makes is a tuple of values, marks and name.
                yield from _faults(getattr(values, "marks", ()))


def problems(shown: Shown) -> Iterator[str]:
    """Yield what is wrong between the catalogue and the tests."""
    known = {row.number for row in catalogue.rows()}
    named = {PREFIX + incident.name for incident in catalogue.INCIDENTS}
    for fault in sorted(set(shown) - known - named, key=str):
        yield f"{', '.join(shown[fault])}: the catalogue has no fault {fault!r}"
    for number in sorted(known - set(shown) - set(catalogue.REASONS)):
        yield f"row {number} has neither a test nor a reason"
    for name in sorted(named - set(shown), key=str):
        yield f"{name!r} has no test"


def render(shown: Shown) -> str:
    """Return the page."""
    return "\n".join([*_lines(shown), ""])


def _lines(shown: Shown) -> Iterator[str]:
    yield "# Tested faults"
    yield ""
    yield "The tests cause each of these faults and check what the shim does about it."
    yield "`python docs/make_faults.py` writes this page from the tests' marks: do not edit it."
    yield ""
    yield f"In every row: {catalogue.EVERYWHERE}."
    for title, section in catalogue.SECTIONS.items():
        yield from _table(
            title,
            ("#", "Fault", "What the shim does", "Shown by"),
            (
                (str(r.number), r.fault, r.expected, _tests(shown.get(r.number, ()), r.number))
                for r in section
            ),
        )
    yield from _table(
        "What happened to others",
        ("Where", "What", "Lesson", "Shown by"),
        ((i.name, i.what, i.lesson, _tests(shown.get(PREFIX + i.name, ())))
         for i in catalogue.INCIDENTS),
    )  # fmt: skip


def _table(title: str, head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    yield from ("", f"## {title}", "")
    for row in (head, ("---",) * len(head), *rows):
        yield f"| {' | '.join(row)} |"


def _tests(tests: Iterable[str], number: int = 0) -> str:
    """Return the tests of a fault by their files, and why there are no more of them."""
    sentences: dict[str, list[str]] = {}
    for test in tests:
        path, _, name = test.partition("::")
        sentence = name.removeprefix("test_").replace("__", ": ").replace("_", " ")
        sentences.setdefault(path, []).append(sentence)
    files = [f"`{path}`: {'; '.join(found)}" for path, found in sentences.items()]
    reason = catalogue.REASONS.get(number)
    return "<br>".join([*files, *([reason] if reason else [])])


def main(*arguments: str) -> str | None:
    """Write the page, or with ``--check`` compare it; return what is wrong."""
    shown = collect()
    wrong = list(problems(shown))
    page = render(shown)
    if arguments != ("--check",):
        PAGE.write_text(page, encoding="utf-8")
    elif not PAGE.exists() or PAGE.read_text(encoding="utf-8") != page:
        wrong.append("docs/faults.md is out of date: run python docs/make_faults.py")
    return "\n".join(wrong) or None


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
