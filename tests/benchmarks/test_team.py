"""The benchmark of several shims on one bucket, with few clients."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.skipif(
    not (shutil.which("nginx") or Path("/usr/sbin/nginx").exists()), reason="no nginx"
)
def test_a_team_fetches_each_file_once_and_sees_no_error_when_the_bucket_goes() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.team", "--quick", "--markdown"],
        cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    wrong = re.findall(r"^\| (.*): wrong answers \|  \| (\d+) wrong", done.stdout, re.MULTILINE)
    assert len(wrong) == 4
    assert {count for _, count in wrong} == {"0"}, done.stderr
    assert re.search(r": files, requests to the index .* \| met \|", done.stdout), done.stdout
    assert "MISSED" not in done.stdout
