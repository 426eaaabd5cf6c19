"""The clients that write lock files: what they are given, called with, and write."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from tests.clients.setup.conftest import Programs
from tests.clients.support import uv_executable
from tests.clients.transparent.support import Developer, pypi_url

_PROJECT = """\
[project]
name = "mine"
version = "1"
requires-python = ">=3.10"
dependencies = [{dependencies}]
"""
PROJECT = _PROJECT.format(dependencies='"foo"')
EMPTY = _PROJECT.format(dependencies="")
_POETRY = f"{EMPTY}\n[tool.poetry]\npackage-mode = false\n"
_PDM = f"{PROJECT}\n[tool.pdm]\ndistribution = false\n"
_HATCH = f"""\
{EMPTY}
[tool.hatch.envs.default]
skip-install = true
installer = "uv"
locked = true
dependencies = ["foo"]
"""
_PIPFILE = f"""\
[[source]]
url = "{pypi_url()}"
verify_ssl = true
name = "pypi"

[packages]
foo = "*"
"""
_BUILDOUT = """\
[buildout]
extends = versions.cfg
parts = py
newest = false
show-picked-versions = true
update-versions-file = versions.cfg

[py]
recipe = zc.recipe.egg
eggs = foo
"""
#: What buildout writes of the time of a call.
_TIME = re.compile(rb"(?<=# Added by buildout at )[-0-9:. ]+")
#: What differs in each installation: where the file was for a moment, and hashes of such paths.
_OF_THE_MOMENT = ("direct_url.json", "RECORD")


class Locker(NamedTuple):
    """One way to make a lock file."""

    #: The environment with its programs; empty for uv, which the tests have.
    programs: str
    command: tuple[str, ...]
    #: Files of the project before: each name with its text.
    given: Mapping[str, str]
    #: Files and directories of the project that it writes or changes.
    written: tuple[str, ...]

    def path(self, programs: Programs) -> Path | None:
        """Return the directory of its programs."""
        return programs(self.programs) if self.programs else None

    def read(self, developer: Developer) -> dict[str, bytes]:
        """Return what it has written, without the project's place and the time of the call."""
        return {
            name: _lasting(content, developer.project)
            for path in self.written
            for name, content in _files(developer.project / path)
        }


def _files(path: Path) -> Iterator[tuple[str, bytes]]:
    """Yield a file by its name, or of each file in a directory the path and the content."""
    if path.is_file():
        yield path.name, path.read_bytes()
        return
    for found in sorted(path.rglob("*")):
        lasts = found.name not in _OF_THE_MOMENT and found.suffix != ".pyc"
        if found.is_file() and lasts:
            yield found.relative_to(path.parent).as_posix(), found.read_bytes()


def _lasting(content: bytes, project: Path) -> bytes:
    return _TIME.sub(b"TIME", content.replace(bytes(project), b"PROJECT"))


def _uv(*command: str, given: Mapping[str, str], written: tuple[str, ...]) -> Locker:
    return Locker("", (uv_executable(), *command), given, written)


def _pip_report(programs: str) -> Locker:
    return Locker(
        programs,
        ("python", "-m", "pip", "install", "--dry-run", "--ignore-installed",
         "--report", "report.json", "foo"),
        {}, ("report.json",),
    )  # fmt: skip


LOCKERS = {
    "uv lock": _uv("lock", given={"pyproject.toml": PROJECT}, written=("uv.lock",)),
    "uv sync": _uv("sync", given={"pyproject.toml": PROJECT}, written=("uv.lock", ".venv/lib")),
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
    "uv tool install": _uv("tool", "install", "foo", given={}, written=("tools/foo",)),
    "pip lock": Locker(
        "pip", ("python", "-m", "pip", "lock", "--output", "pylock.toml", "foo"),
        {}, ("pylock.toml",),
    ),
    "pip install --report": _pip_report("pip"),
    "pip 23 install --report": _pip_report("old-pip"),
    "pip-compile": Locker(
        "pip-tools",
        ("pip-compile", "--generate-hashes", "--output-file", "requirements.txt", "foo.in"),
        {"foo.in": "foo\n"}, ("requirements.txt",),
    ),
    "poetry add": Locker(
        "poetry", ("poetry", "add", "--lock", "-n", "foo"),
        {"pyproject.toml": _POETRY}, ("pyproject.toml", "poetry.lock"),
    ),
    # Only with this strategy does it write addresses.
    "pdm lock": Locker(
        "pdm", ("pdm", "lock", "-S", "static_urls"), {"pyproject.toml": _PDM}, ("pdm.lock",)
    ),
    "pipenv lock": Locker("pipenv", ("pipenv", "lock"), {"Pipfile": _PIPFILE}, ("Pipfile.lock",)),
    # It makes the Pipfile as well.
    "pipenv install": Locker("pipenv", ("pipenv", "install", "--skip-lock", "foo"),
                             {}, ("Pipfile",)),
    "hatch env create": Locker(
        "hatch", ("hatch", "env", "create"), {"pyproject.toml": _HATCH}, ("pylock.toml",)
    ),
    "buildout": Locker(
        "buildout", ("buildout",),
        {"buildout.cfg": _BUILDOUT, "versions.cfg": "[versions]\n"},
        ("versions.cfg", ".installed.cfg", "eggs"),
    ),
}  # fmt: skip
