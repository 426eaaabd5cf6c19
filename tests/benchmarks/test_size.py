"""The benchmark of a large cache, with a small one."""

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.skipif(sys.platform != "linux", reason="the most memory is read from Linux's /proc")
def test_a_large_cache_is_measured_and_loses_no_pin() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.size", "--files", "1000", "--names", "1000",
         "--markdown"],
        cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    lost = "| pins of those requests that are lost |  | 0 pins |  | at most 0 pins | met |"
    assert lost in done.stdout
