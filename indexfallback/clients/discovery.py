"""The indexes that a user's clients use now, other than by pip's configuration, purely.

Only what belongs to the user is looked at, never a project's file: a cloned repository must not
come to be the user's private index.
"""

from collections.abc import Iterator
from typing import NamedTuple

from indexfallback.clients.catalogue import CLIENTS
from indexfallback.clients.machine import ClientFileError, Machine
from indexfallback.clients.obstacles import IsOwn
from indexfallback.config import without_credentials
from indexfallback.config.pip import PipIndex, is_default_url
from indexfallback.config.units import InvalidValueError

#: Variables with addresses of indexes; those of pip are part of its configuration.
_VARIABLES = ("UV_INDEX", "UV_EXTRA_INDEX_URL", "UV_DEFAULT_INDEX", "UV_INDEX_URL", "PDM_PYPI_URL")
#: Variables and clients whose index is by definition a copy of PyPI.
_MIRRORS = ("POETRY_PYPI_MIRROR_URL", "PIPENV_PYPI_MIRROR")
_MIRROR_CLIENTS = frozenset(("poetry", "pipenv"))


class Found(NamedTuple):
    """One index."""

    url: str
    #: ``uv: [[index]]``.
    origin: str
    #: Whether it is a copy of PyPI; else it may well have projects of its own.
    is_mirror: bool


def found_indexes(machine: Machine, own: IsOwn) -> list[Found]:
    """Return the indexes in the order in which they were found, PyPI and the shim left out.

    Raises:
        ClientFileError: a file is broken.

    """
    found: dict[str, Found] = {}
    for index in (*_of_variables(machine), *_of_files(machine)):
        if not own(index.url) and not is_default_url(index.url):
            found.setdefault(_key(index.url), index)
    return list(found.values())


def ordered(pip: list[PipIndex], found: list[Found]) -> list[tuple[PipIndex, bool]]:
    """Return the chain to propose, each index with whether it is a mirror of the last one.

    A default index of uv or pdm may have private projects. So it is proposed as private, which
    lets nobody else have its names; the user, who knows better, may call it a mirror.
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
    """Return what tells two indexes apart, whoever asks them."""
    return without_credentials(url).rstrip("/").lower()


def _of_variables(machine: Machine) -> Iterator[Found]:
    for name in (*_VARIABLES, *_MIRRORS):
        for word in machine.environ.get(name, "").split():
            # uv's variables may have a name before each address.
            name_before, separator, rest = word.partition("=")
            url = rest if separator and "://" not in name_before else word
            yield Found(url, name, name in _MIRRORS)


def _of_files(machine: Machine) -> Iterator[Found]:
    for client in CLIENTS.values():
        if client.name == "pip":
            continue
        file = client.file(machine)
        try:
            named = client.indexes(machine.read(file))
        except InvalidValueError as error:
            raise ClientFileError(file, error.problem, error.remedy) from error
        for index in sorted(named, key=lambda each: not each.stays):
            origin = f"{client.name}: {index.label}"
            yield Found(index.url, origin, client.name in _MIRROR_CLIENTS)
