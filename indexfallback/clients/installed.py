"""Counts the projects that a command has installed, by what is new in the environments near it."""

import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

#: Where an environment has its packages (PEP 405); on Windows there is one directory for all.
_PACKAGES = ("lib/python*/site-packages", "Lib/site-packages")
#: Directories of projects that may hold an environment.
_NEAR = (".venv", "venv")
#: Some file systems record times only to two seconds.
_COARSE_SECONDS = 2.0


def installed_since(
    directory: Path, environ: Mapping[str, str], command: str, began: float
) -> list[str]:
    """Return the names of the ``.dist-info`` directories that are newer than ``began``, in order.

    Looked at are the active environment, those in ``directory``, and that of the command's program.
    """
    since = began - _COARSE_SECONDS
    return sorted(
        info.name
        for packages in _site_packages(directory, environ, command)
        if _modified(packages) >= since  # it was created, removed or renamed in
        for info in packages.glob("*.dist-info")
        if _modified(info) >= since
    )


def _site_packages(directory: Path, environ: Mapping[str, str], command: str) -> Iterator[Path]:
    environments = [directory / name for name in _NEAR]
    if active := environ.get("VIRTUAL_ENV"):
        environments.append(Path(active))
    if program := shutil.which(command):
        environments.append(Path(program).absolute().parent.parent)
    real = dict.fromkeys(Path(os.path.realpath(path)) for path in environments)
    for environment in real:
        for pattern in _PACKAGES:
            yield from environment.glob(pattern)


def _modified(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:  # removed meanwhile, or not readable: nothing was installed there
        return 0.0
