"""Reads the build requirements of an sdist from its archive.

Of any archive that an installer may build: `dists.sdist` refuses some of them, and reads no
bzip2 or xz.
"""

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

#: The exceptions for a damaged or unknown archive.
_DAMAGED = (tarfile.TarError, zipfile.BadZipFile, zlib.error, EOFError, ValueError, OSError)
#: The most bytes that are read of a ``pyproject.toml``; the largest known ones have 100 KB.
_MOST = 2 << 20


def build_requirements(path: Path, filename: str) -> tuple[str, ...]:
    """Return the build requirements of an sdist, by default those of setuptools.

    Those that its backend adds (``get_requires_for_build_wheel``) are only known in a build.
    """
    try:
        text = _from_zip(path) if filename.endswith(".zip") else _from_tar(path)
        document: dict[str, Any] = tomllib.loads(text.decode())
        return build_requires(document)
    except _DAMAGED:  # includes errors of TOML and UTF-8; the installer will report them
        return DEFAULT_BUILD


def _is_pyproject(name: str) -> bool:
    """Tell whether a member is ``NAME-VERSION/pyproject.toml``."""
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
