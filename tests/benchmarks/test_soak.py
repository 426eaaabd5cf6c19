"""The soak: what it judges by, and a run of a few seconds."""

import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.samples import LEAST, SLACK, Sample, grown
from benchmarks.verdict import Outcome, rows
from benchmarks.verifying import Broken, Report

STEADY = Sample(
    memory=80, threads=30, handles=60, database=4, partials=5, partial_bytes=3, files=25, health=0
)


def outcome(**changed: object) -> Outcome:
    values: dict[str, object] = {
        "minutes": 1.0, "limit": 10**6, "patience": 10.0, "report": Report(),
        "samples": [STEADY] * LEAST, "rest": STEADY._replace(threads=9), "restarts": [1.0],
        "gaps": [(10.0, 11.0)], "full": 1, "faults": 3, "healed": 1.0, "damage": "",
        "tracebacks": 0, **changed,
    }  # fmt: skip
    return Outcome(**values)  # type: ignore[arg-type]  # of the names above


def wrong(found: Outcome) -> list[str]:
    return [row[0] for row in rows(found) if row[3]]


def test_a_soak_in_which_all_was_right_has_nothing_wrong() -> None:
    assert wrong(outcome()) == []


@pytest.mark.parametrize("name", sorted(SLACK))
def test_a_figure_that_rises_during_the_whole_soak_is_growth(name: str) -> None:
    steps = [getattr(STEADY, name) + n * SLACK[name] / 20 for n in range(200)]
    rising = [STEADY._replace(**{name: step}) for step in steps]
    assert grown(rising) == [name]


def test_figures_that_vary_and_those_of_the_first_quarter_are_no_growth() -> None:
    warm = [STEADY._replace(memory=40 + n, partials=n % 9) for n in range(40)]
    assert grown([*warm, *[STEADY._replace(partials=n % 9) for n in range(120)]]) == []


@pytest.mark.parametrize(
    ("changed", "row"),
    [
        ({"report": Report(wrong=["bytes"])}, "wrong answers"),
        ({"report": Report(errors=["500"])}, "server errors but 503"),
        ({"report": Report(late=["12 s"])}, "slowest first byte"),
        ({"report": Report(broken=[Broken("", 11.5, 12, "")])}, "no answer while a shim was there"),
        ({"healed": None}, "all right again after the last fault"),
        ({"damage": "1 file"}, "damaged files"),
        ({"tracebacks": 1}, "tracebacks in the logs"),
        ({"rest": STEADY}, "threads at rest"),
    ],
)
def test_whatever_must_not_be_is_found_wrong(changed: dict[str, object], row: str) -> None:
    assert wrong(outcome(**changed)) == [row]


def test_no_answer_is_right_while_there_is_no_shim() -> None:
    assert wrong(outcome(report=Report(broken=[Broken("", 9, 10.1, "refused")]))) == []


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="black holes and PSS are Linux's")
def test_a_soak_of_some_seconds_ends_with_a_table_and_nothing_wrong() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.soak", "--minutes", "0.1", "--clients", "3"],
        cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "wrong answers" in done.stdout
    assert "WRONG" not in done.stdout
