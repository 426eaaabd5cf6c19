"""Files that say what is wanted, told apart by their names and read from the disk."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from indexfallback.errors import WantedError
from indexfallback.wanted import Origin, Wanted
from indexfallback.wanted.buildout import buildout
from indexfallback.wanted.locks import poetry_lock, pylock, uv_lock
from indexfallback.wanted.pyproject import pyproject
from indexfallback.wanted.requirements import requirements

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

_LOCKS = {"pylock": pylock, "uv": uv_lock, "poetry": poetry_lock}


def read_file(path: Path, extras: Sequence[str] = (), groups: Sequence[str] = ()) -> Wanted:
    """Return what a file wants; ``extras`` and ``groups`` are those of a project.

    By its name it is a ``pyproject.toml``, ``pylock.toml`` (also ``pylock.NAME.toml``),
    ``uv.lock``, ``poetry.lock``, a buildout's ``.cfg``, or else a file of requirements. Raises
    `WantedError`.
    """
    if path.suffix == ".cfg":
        return buildout(str(path), _read)
    kind = path.name.partition(".")[0]
    is_lock = path.name in ("uv.lock", "poetry.lock") or (
        kind == "pylock" and path.suffix == ".toml"
    )
    if not is_lock and path.name != "pyproject.toml":
        return requirements(path)
    document, origin = _toml(path), Origin(str(path))
    try:
        if is_lock:
            return _LOCKS[kind](document, origin)
        return pyproject(document, origin, extras, groups)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        said = " ".join(str(error).split())
        problem = f"it is not as a {path.name} should be ({type(error).__name__}: {said})"
        remedy = "lock again" if is_lock else "mend that and run again"
        raise WantedError(str(path), problem, remedy) from None


def _toml(path: Path) -> dict[str, Any]:
    text = _read(str(path), "")[1]
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise WantedError(str(path), f"it is no TOML ({error})", "mend or lock again") from None


def _read(file: str, by: str) -> tuple[str, str]:
    """Return path and text of a file, relative to the one that names it; raises `WantedError`."""
    path = Path(by).parent / file
    try:
        return str(path), path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        named = f"it cannot be read ({error})" + (f"; {by} names it" if by else "")
        raise WantedError(str(path), named, "mend that and run again") from None
