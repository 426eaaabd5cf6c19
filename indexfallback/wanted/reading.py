"""Reads any file of requirements, in the format that its name tells."""

from collections.abc import Sequence
from pathlib import Path

from indexfallback.wanted import Origin, Wanted
from indexfallback.wanted.buildout import buildout
from indexfallback.wanted.documents import read_text, read_toml
from indexfallback.wanted.locks import poetry_lock, pylock, uv_lock
from indexfallback.wanted.pyproject import pyproject_file
from indexfallback.wanted.requirements import requirements

_LOCKS = {"pylock": pylock, "uv": uv_lock, "poetry": poetry_lock}


def read_file(path: Path, extras: Sequence[str] = (), groups: Sequence[str] = ()) -> Wanted:
    """Return the requirements in a file; ``extras`` and ``groups`` select those of a project.

    The formats are ``pyproject.toml``, ``pylock.toml`` (also ``pylock.NAME.toml``), ``uv.lock``,
    ``poetry.lock``, ``.cfg`` of a buildout, and pip's requirement files, for all other names.
    Raises `WantedError`.
    """
    if path.suffix == ".cfg":
        return buildout(str(path), read_text)
    if path.name == "pyproject.toml":
        return pyproject_file(path, extras, groups)
    kind = path.name.partition(".")[0]
    if path.name in ("uv.lock", "poetry.lock") or (kind == "pylock" and path.suffix == ".toml"):
        lock = _LOCKS[kind]
        return read_toml(path, lambda document: lock(document, Origin(str(path))), "lock again")
    return requirements(path)
