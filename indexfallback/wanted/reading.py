"""Reads any file of requirements, in the format that its name tells."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from indexfallback.errors import WantedError, WantedUnavailableError
from indexfallback.wanted import Origin, Wanted
from indexfallback.wanted.buildout import buildout
from indexfallback.wanted.buildout_process import Fetch
from indexfallback.wanted.documents import read_json, read_text, read_toml
from indexfallback.wanted.locks import pdm_lock, pipfile_lock, poetry_lock, pylock, uv_lock
from indexfallback.wanted.pyproject import pyproject_file
from indexfallback.wanted.requirements import requirements

#: The formats of files, for messages.
_FORMATS = (
    "requirements.txt", "pyproject.toml", "pylock.toml", "uv.lock", "poetry.lock", "pdm.lock",
    "Pipfile.lock", "the .cfg of a buildout",
)  # fmt: skip
#: Files of other formats that a tool makes a known file of: name to what to do.
_INSTEAD = {
    "Pipfile": "run `pipenv lock` and name Pipfile.lock",
    "setup.cfg": "lock its dependencies (`pip lock .`, `uv pip compile setup.cfg`), and name that",
    "setup.py": "lock its dependencies (`pip lock .`, `uv pip compile setup.py`), and name that",
}
#: Endings of files that are for pip; a file of another name may be of another tool.
_REQUIREMENTS = (".txt", ".in", ".pip", "")


def _refuse(url: str) -> bytes:
    """Fetch nothing."""
    raise WantedUnavailableError(url, "no address is fetched here", "extend a local file")


def is_buildout(path: Path) -> bool:
    """Tell whether a file is a buildout's, by its name."""
    return path.suffix == ".cfg" and path.name not in _INSTEAD


def read_file(
    path: Path,
    extras: Sequence[str] = (),
    groups: Sequence[str] = (),
    *,
    markers: Mapping[str, str] | None = None,
    fetch: Fetch = _refuse,
) -> Wanted:
    """Return the requirements in a file; ``extras`` and ``groups`` select those of a project.

    Conditional sections of a buildout are read for the environment ``markers`` (PEP 508), by
    default this one. ``fetch`` fetches the addresses that a buildout extends.

    The formats are told apart by name: ``pyproject.toml``, the locks of `locks` (also
    ``pylock.NAME.toml``, ``pdm.NAME.lock`` and ``NAME.py.lock`` of uv), ``.cfg`` of a buildout, and
    requirements as pip reads them, for all other names. Raises `WantedError`.
    """
    if path.name in _INSTEAD:
        problem = "it states no versions that can be fetched"
        raise WantedError(str(path), problem, _INSTEAD[path.name])
    if is_buildout(path):
        return buildout(path, markers, fetch)
    if path.name == "pyproject.toml":
        return pyproject_file(path, extras, groups)
    # `uv lock --script` writes script.py.lock.
    kind = "uv" if path.name.endswith(".py.lock") else path.name.partition(".")[0]
    match kind, path.suffix:
        case "pylock", ".toml":
            return _lock(path, pylock)
        case "uv", ".lock":
            return _lock(path, uv_lock)
        case "poetry", ".lock":
            return _lock(path, partial(poetry_lock, groups=groups))
        case "pdm", ".lock":
            return _lock(path, partial(pdm_lock, groups=(*extras, *groups)))
        case "Pipfile", ".lock":
            return _lock(path, partial(pipfile_lock, groups=groups), read_json)
    return _requirements(path)


def _lock(
    path: Path,
    interpret: Callable[[Mapping[str, Any], Origin], Wanted],
    read: Callable[[Path, Callable[[dict[str, Any]], Wanted], str], Wanted] = read_toml,
) -> Wanted:
    return read(path, lambda document: interpret(document, Origin(str(path))), "lock again")


def _requirements(path: Path) -> Wanted:
    """Return requirements for pip; for a file that is of another tool, name the formats."""
    try:
        if path.suffix not in _REQUIREMENTS:
            read_text(path)  # pip would warn of a binary file, and try other encodings
        return requirements(path)
    except WantedError as error:
        if path.suffix in _REQUIREMENTS or not path.is_file():
            raise
        problem = f"its format is not known, and pip does not read it: {error.problem}"
        raise WantedError(str(path), problem, f"name one of {', '.join(_FORMATS)}") from None


def read_whole(path: Path, *, fetch: Fetch = _refuse) -> Wanted:
    """Return the requirements in a file, if all of them can be known.

    Raises `WantedError`, also for one that only a run of the build tool would tell.
    """
    wanted = read_file(path, fetch=fetch)
    for each in wanted.unknown:
        raise WantedUnavailableError(str(each.origin), f"{each.what}: {each.cause}", each.remedy)
    return wanted
