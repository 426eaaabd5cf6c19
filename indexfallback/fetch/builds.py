"""What an sdist needs to be built, read out of its archive."""

import sys
import tarfile
import zipfile
import zlib
from pathlib import Path
from typing import Any

from indexfallback.wanted.pyproject import DEFAULT_BUILD, build_requires

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

#: What reading a damaged archive raises, or one of a kind that is none.
_DAMAGED = (tarfile.TarError, zipfile.BadZipFile, zlib.error, EOFError, ValueError, OSError)
#: A larger ``pyproject.toml`` is none, bytes: the longest in the wild have some 100 KB.
_MOST = 2 << 20


def requires_of(path: Path, filename: str) -> tuple[str, ...]:
    """Return the build requirements of an sdist; those of setuptools where it states none.

    What its backend asks for beyond them (``get_requires_for_build_wheel``) only a build tells.
    """
    try:
        text = _from_zip(path) if filename.endswith(".zip") else _from_tar(path)
        document: dict[str, Any] = tomllib.loads(text.decode())
        return build_requires(document)
    except _DAMAGED:  # TOML's and UTF-8's errors are ValueErrors; its installer will complain
        return DEFAULT_BUILD


def _is_pyproject(name: str) -> bool:
    """Tell whether a member is the project's own: ``NAME-VERSION/pyproject.toml``."""
    return name.count("/") == 1 and name.endswith("/pyproject.toml")


def _from_tar(path: Path) -> bytes:
    with tarfile.open(path) as archive:
        for member in archive:
            file = archive.extractfile(member) if _is_pyproject(member.name) else None
            if file is not None:
                return file.read(_MOST)
    return b""


def _from_zip(path: Path) -> bytes:
    with zipfile.ZipFile(path) as archive:
        for name in filter(_is_pyproject, archive.namelist()):
            with archive.open(name) as file:
                return file.read(_MOST)
    return b""
