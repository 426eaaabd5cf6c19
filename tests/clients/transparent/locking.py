"""The clients that write lock files: what they are given, called with, and write."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from tests.clients.setup.conftest import Programs
from tests.clients.support import uv_executable

_PROJECT = """\
[project]
name = "mine"
version = "1"
requires-python = ">=3.10"
dependencies = [{dependencies}]
"""
PROJECT = _PROJECT.format(dependencies='"foo"')
EMPTY = _PROJECT.format(dependencies="")
POETRY = f"{PROJECT}\n[tool.poetry]\npackage-mode = false\n"
PDM = f"{PROJECT}\n[tool.pdm]\ndistribution = false\n"


class Locker(NamedTuple):
    """One way to make a lock file."""

    #: The environment with its programs; empty for uv, which the tests have.
    programs: str
    command: tuple[str, ...]
    #: Files of the project before: each name with its text.
    given: Mapping[str, str]
    #: Files of the project that it writes or changes.
    written: tuple[str, ...]

    def path(self, programs: Programs) -> Path | None:
        """Return the directory of its programs."""
        return programs(self.programs) if self.programs else None


def _uv(*command: str, given: Mapping[str, str], written: tuple[str, ...]) -> Locker:
    return Locker("", (uv_executable(), *command), given, written)


LOCKERS = {
    "uv lock": _uv("lock", given={"pyproject.toml": PROJECT}, written=("uv.lock",)),
    "uv add": _uv(
        "add", "--no-sync", "foo",
        given={"pyproject.toml": EMPTY}, written=("pyproject.toml", "uv.lock"),
    ),
    "uv add --script": _uv(
        "add", "--script", "script.py", "foo",
        given={"script.py": "print(1)\n"}, written=("script.py",),
    ),
    "uv pip compile": _uv(
        "pip", "compile", "pyproject.toml", "--format", "pylock.toml", "-o", "pylock.toml",
        given={"pyproject.toml": PROJECT}, written=("pylock.toml",),
    ),
    "pip lock": Locker(
        "pip", ("python", "-m", "pip", "lock", "--output", "pylock.toml", "foo"),
        {}, ("pylock.toml",),
    ),
    "poetry lock": Locker("poetry", ("poetry", "lock", "-n"), {"pyproject.toml": POETRY},
                          ("poetry.lock",)),
    "pdm lock": Locker("pdm", ("pdm", "lock"), {"pyproject.toml": PDM}, ("pdm.lock",)),
    "pipenv install": Locker(
        "pipenv", ("pipenv", "install", "foo"), {}, ("Pipfile", "Pipfile.lock")
    ),
}  # fmt: skip
