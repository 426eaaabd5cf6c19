"""A whole buildout with the extension and without it: what the extension adds."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.figures import SECONDS, Row
from benchmarks.rows import Bench
from benchmarks.upstream import write_tree
from tests.fakes import Dist, tree, wheel
from tests.serving import clean_environment

#: Buildout calls pip for each, which takes it half a second.
_WHEELS = 5
_BUILDOUT_SECONDS = 300
#: What zc.recipe.egg does, without its scripts.
_RECIPE = b"""\
from zc.buildout import easy_install

class Recipe:
    def __init__(self, buildout, name, options):
        self.eggs = options["eggs"].split()
        self.options = buildout["buildout"]

    def install(self):
        options = self.options
        easy_install.install(self.eggs, options["eggs-directory"], index=options.get("index"))
        return ()

    update = install
"""
_ENTRY_POINTS = b"[zc.buildout]\ndefault = bench_recipe:Recipe\n"


def buildout(bench: Bench, rows: Callable[..., Row]) -> None:
    """Install wheels, nothing of which is installed and all of which the shim has."""
    write_tree(bench.root, [_recipe(), *tree(_WHEELS, prefix="part")])
    simple = f"{bench.upstream}simple/"
    alone = _Project(bench.home / "alone", f"index = {simple}")
    ours = _Project(
        bench.home / "ours",
        f"extensions = indexfallback\n[indexfallback]\nindexes =\n    nginx = {simple}",
    )
    rows("buildout over buildout alone, all cached", SECONDS, 0.5).add(ours.run() - alone.run())


def _recipe() -> Dist:
    return wheel(
        "bench.recipe",
        extra_files={
            "bench_recipe.py": _RECIPE,
            "bench_recipe-1.0.dist-info/entry_points.txt": _ENTRY_POINTS,
        },
    )


class _Project:
    """A buildout, run once before it is measured, so that all is cached."""

    def __init__(self, directory: Path, more: str) -> None:
        self._directory = directory
        self._environment = clean_environment(directory, no_proxy="127.0.0.1")
        text = f"[buildout]\nparts = all\n{more}\n[all]\nrecipe = bench.recipe\neggs = part-0\n"
        (directory / "buildout.cfg").write_text(text, encoding="utf-8")
        self.run()

    def run(self) -> float:
        """Return the seconds that it takes to install everything."""
        for name in ("eggs", ".installed.cfg"):
            path = self._directory / name
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
        executable = Path(sys.executable).with_name(
            "buildout" + (".exe" if os.name == "nt" else "")
        )
        began = time.perf_counter()
        subprocess.run(
            [str(executable)], cwd=self._directory, env=self._environment, check=True,
            capture_output=True, timeout=_BUILDOUT_SECONDS,
        )  # fmt: skip
        return time.perf_counter() - began
