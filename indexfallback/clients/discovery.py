"""Finds the indexes that the clients use now, except those in pip's configuration.

It reads environment variables and per-user files, never the files of a project: a cloned
repository must not add a private index.
"""

from collections.abc import Iterator
from typing import NamedTuple

from indexfallback.clients.catalogue import CLIENTS
from indexfallback.clients.environment import UV_VARIABLES
from indexfallback.clients.machine import ClientFileError, Machine
from indexfallback.clients.obstacles import IsShim
from indexfallback.config import without_credentials
from indexfallback.config.pip import PipIndex, is_default_url
from indexfallback.config.units import InvalidValueError

#: Environment variables with addresses of indexes; pip's are part of its configuration.
_VARIABLES = (*UV_VARIABLES, "PDM_PYPI_URL")
#: Environment variables and clients whose index is by definition a mirror of PyPI.
_MIRRORS = ("POETRY_PYPI_MIRROR_URL", "PIPENV_PYPI_MIRROR")
_MIRROR_CLIENTS = frozenset(("poetry", "pipenv"))


class Found(NamedTuple):
    """One index."""

    url: str
    #: ``uv: [[index]]``.
    origin: str
    #: Whether it is a mirror of PyPI; else it may have private projects.
    is_mirror: bool


def found_indexes(machine: Machine, is_shim: IsShim) -> list[Found]:
    """Return the indexes in the order in which they were found, without PyPI and the shim.

    Raises:
        ClientFileError: a file is not valid.

    """
    found: dict[str, Found] = {}
    for index in (*_of_variables(machine), *_of_files(machine)):
        if not is_shim(index.url) and not is_default_url(index.url):
            found.setdefault(_key(index.url), index)
    return list(found.values())


def ordered(pip: list[PipIndex], found: list[Found]) -> list[tuple[PipIndex, bool]]:
    """Return the chain to propose: each index, and whether it is a mirror of the last one.

    A default index of uv or pdm may have private projects, so it is proposed as private: no other
    index may then serve its projects. The user can change it to a mirror.
    """
    known = {_key(index.url) for index in pip}
    new = [index for index in found if _key(index.url) not in known]
    private = [PipIndex(index.url, index.origin, public=False) for index in new]
    is_mirror = [index.is_mirror for index in new]
    mirrors_last = sorted(zip(private, is_mirror, strict=True), key=lambda each: each[1])
    has_pypi = any(is_default_url(index.url) for index in pip)
    return [
        *((index, False) for index in pip if not index.public),
        *((index, mirror and has_pypi) for index, mirror in mirrors_last),
        *((index, False) for index in pip if index.public),
    ]


def _key(url: str) -> str:
    """Return the key of an index: its address without credentials."""
    return without_credentials(url).rstrip("/").lower()


def _of_variables(machine: Machine) -> Iterator[Found]:
    for name in (*_VARIABLES, *_MIRRORS):
        for word in machine.environ.get(name, "").split():
            # uv allows NAME=URL.
            index_name, separator, rest = word.partition("=")
            url = rest if separator and "://" not in index_name else word
            yield Found(url, name, name in _MIRRORS)


def _of_files(machine: Machine) -> Iterator[Found]:
    for client in CLIENTS.values():
        if client.name == "pip":
            continue
        file = client.file(machine)
        try:
            named = client.indexes(machine.read(file))
        except InvalidValueError as error:
            raise ClientFileError(str(file), error.problem, error.remedy) from error
        for index in sorted(named, key=lambda each: not each.is_additional):
            origin = f"{client.name}: {index.label}"
            yield Found(index.url, origin, client.name in _MIRROR_CLIENTS)
