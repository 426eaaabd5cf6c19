"""A directory of many distributions as an index."""

import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.figures import MS, SECONDS, Row
from benchmarks.load import fetch
from benchmarks.rows import Bench
from benchmarks.shim import Shim
from tests.serving import config_text, index_table

_FILES = 50_000
#: Files of one project: pip's page of it lists as many.
_OF_A_PROJECT = 10
#: Pages asked for again, over more than a second: some of them look at the directory again.
_AGAIN, _PAUSE = 150, 0.01


def directory(bench: Bench, rows: Callable[..., Row]) -> None:
    """List a directory, side by side and with one for each project; then ask again and again."""
    for layout, is_deep in (("side by side", False), ("a directory each project", True)):
        wheels = bench.home / layout.replace(" ", "-")
        if not wheels.exists():
            _fill(wheels, is_deep=is_deep)
        home = bench.home / f"shim-of-{wheels.name}-{time.monotonic_ns()}"
        with Shim(home, config_text(index_table("wheels", str(wheels), role="private"))) as shim:
            name = f"directory of {_FILES:,} files, {layout}"
            rows(f"{name}: first", SECONDS, 2.0).add(_seconds(f"{shim.url}simple/"))
            page = shim.page("project-7")
            fetch(page)  # hashes its files
            again = []
            for _ in range(_AGAIN):
                again.append(_seconds(page) * 1000)
                time.sleep(_PAUSE)
            rows(f"{name}: a page again, median", MS, 20.0).add(statistics.median(again))
            rows(f"{name}: a page again, slowest", MS, 20.0).add(max(again))


def _seconds(url: str) -> float:
    began = time.perf_counter()
    fetch(url)
    return time.perf_counter() - began


def _fill(wheels: Path, *, is_deep: bool) -> None:
    then = time.time() - 60
    for number in range(_FILES):
        project, version = divmod(number, _OF_A_PROJECT)
        folder = wheels / f"project-{project}" if is_deep else wheels
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / f"project_{project}-1.{version}-py3-none-any.whl"
        file.write_bytes(b"%d" % number)
        os.utime(file, (then, then))
