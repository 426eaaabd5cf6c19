"""The table of faults in the documentation."""

import subprocess
import sys
from pathlib import Path

from tests.faults import catalogue

ROOT = Path(__file__).parents[2]


def test_every_fault_has_a_test_or_a_reason_and_the_table_of_them_is_up_to_date() -> None:
    script = [sys.executable, "docs/make_faults.py", "--check"]
    done = subprocess.run(script, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.stderr, done.returncode) == ("", 0)


def test_the_rows_of_the_catalogue_are_numbered_without_gaps() -> None:
    assert [row.number for row in catalogue.rows()] == list(range(1, 81))
