"""Reads the build and runtime requirements from the archive of an sdist.

It reads every archive that an installer may build; `dists.sdist` refuses some of them, and reads no
bzip2 or xz. PEP 517 and 518 describe ``pyproject.toml``.
"""

import sys
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement

from indexfallback.dists.requirements import requires_dist, valid_requirements
from indexfallback.dists.tars import is_pkg_info

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

#: The build requirements of a project that states none (PEP 518), and the wheel package, which
#: older setuptools and pip need.
DEFAULT_BUILD = ("setuptools>=40.8.0", "wheel")
#: The exceptions for a damaged or unknown archive.
_DAMAGED = (tarfile.TarError, zipfile.BadZipFile, zlib.error, EOFError, ValueError, OSError)
#: The exceptions for a ``pyproject.toml`` with other types than PEP 518 has.
_MALFORMED = (AttributeError, TypeError)
#: The most bytes that are read of a member; the largest known ones have 100 KB.
_MOST = 2 << 20


def build_requires(document: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the build requirements of a project; an empty document stands for no file.

    Raises AttributeError or TypeError for a malformed document.
    """
    system = document.get("build-system", {})
    if "requires" not in system:
        return DEFAULT_BUILD
    if not isinstance(system["requires"], list):
        raise TypeError("build-system.requires is not a list")
    return tuple(system["requires"])


def build_requirements(path: Path, filename: str) -> tuple[str, ...]:
    """Return the build requirements of an sdist, by default those of setuptools.

    Those that its backend adds (``get_requires_for_build_wheel``) are only known in a build.
    """
    try:
        _, content = next(_members(path, filename, _is_pyproject), ("", b""))
        document: dict[str, Any] = tomllib.loads(content.decode())
        return build_requires(document)
    # Errors of TOML and UTF-8 are ValueErrors; the installer will report all of them.
    except (*_DAMAGED, *_MALFORMED):
        return DEFAULT_BUILD


def runtime_requirements(path: Path, filename: str) -> Iterator[Requirement]:
    """Yield what an sdist states that it requires to run, with any of its extras.

    A build may change that, unless the metadata is final (PEP 643). Older versions of setuptools
    state it in ``requires.txt`` alone, with the extras as headings.
    """
    try:
        for name, content in _members(path, filename, _states_requirements):
            if is_pkg_info(name):
                yield from requires_dist(content)
            else:
                yield from valid_requirements(content.decode(errors="replace").splitlines())
    except _DAMAGED:  # the installer will report it
        return


def _is_pyproject(name: str) -> bool:
    """Tell whether a member is ``NAME-VERSION/pyproject.toml``."""
    return name.count("/") == 1 and name.endswith("/pyproject.toml")


def _states_requirements(name: str) -> bool:
    return is_pkg_info(name) or name.endswith(".egg-info/requires.txt")


def _members(
    path: Path, filename: str, is_sought: Callable[[str], bool]
) -> Iterator[tuple[str, bytes]]:
    """Yield name and content of the members whose names are sought."""
    return (_of_zip if filename.endswith(".zip") else _of_tar)(path, is_sought)


def _of_zip(path: Path, is_sought: Callable[[str], bool]) -> Iterator[tuple[str, bytes]]:
    with zipfile.ZipFile(path) as archive:
        for name in filter(is_sought, archive.namelist()):
            with archive.open(name) as file:
                yield name, file.read(_MOST)


def _of_tar(path: Path, is_sought: Callable[[str], bool]) -> Iterator[tuple[str, bytes]]:
    with tarfile.open(path) as archive:
        for member in archive:
            file = archive.extractfile(member) if is_sought(member.name) else None
            if file is not None:
                yield member.name, file.read(_MOST)
