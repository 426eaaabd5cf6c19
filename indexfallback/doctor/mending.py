"""Decides how addresses of the shim in a file become those of the indexes; no I/O.

Only the exact addresses are replaced, and the keys beside them that pipenv derives from them: all
else of the text stays as it is.
"""

import re
from bisect import bisect_left
from collections.abc import Iterator
from typing import NamedTuple, Protocol

from indexfallback.doctor import pipenv
from indexfallback.doctor.addresses import FileAddress, Found, IndexAddress, ShimAddresses
from indexfallback.doctor.edits import Edit, edited
from indexfallback.doctor.project_file import Kind, ProjectFile
from indexfallback.names import is_project_name, normalize

#: The name of a package in a lock file, or of a dependency in one.
_PACKAGE = re.compile(r"\bname = \"([^\"]+)\"")


class OwnAddress(NamedTuple):
    """The own address of an index, or of a file at its index, or why it is not known."""

    #: Without credentials; empty if it is not known. That of an index ends with a slash, but for
    #: PyPI's, which is spelt as clients spell their default.
    address: str = ""
    #: One clause, without a full stop, and a sentence or a command.
    problem: str = ""
    remedy: str = ""
    is_pypi: bool = False


class Lookup(Protocol):
    """Finds own addresses, by the store and the settings."""

    def chain(self) -> OwnAddress:
        """Return the address of the chain's public index."""

    def index(self, name: str) -> OwnAddress:
        """Return the address of an index."""

    def owner(self, project: str) -> OwnAddress:
        """Return the address of the index that owns a normalised project."""

    def file(self, file: FileAddress) -> OwnAddress:
        """Return the address of a file at its index."""


class Left(NamedTuple):
    """An address of the shim that stays in the file, and why."""

    address: str
    problem: str
    remedy: str


class Mended(NamedTuple):
    """A mended text."""

    text: str
    #: Addresses that were replaced.
    replaced: int
    left: tuple[Left, ...]


def mended(file: ProjectFile, shim: ShimAddresses, lookup: Lookup) -> Mended:
    """Return the text of a file with the indexes' own addresses in the place of the shim's."""
    edits: list[Edit] = []
    left: list[Left] = []
    packages = _Packages(file.text if file.kind is Kind.LOCK else "")
    replaced = 0
    for found in found_in(file, shim):
        own = _own_address(found, packages, lookup)
        if not own.address:
            address = file.text[found.start : found.stop]
            left.append(Left(_without_login(address), own.problem, own.remedy))
            continue
        replaced += 1
        address = _spelt(found.what, own.address)
        edits.append(Edit(found.start, found.stop, address))
        if file.kind is Kind.PIPENV:
            is_only = own.is_pypi and not any(edit.text == pipenv.PYPI for edit in edits)
            edits += pipenv.beside(file.text, found.start, address, is_pypi=is_only)
    return Mended(edited(file.text, edits), replaced, tuple(left))


def found_in(file: ProjectFile, shim: ShimAddresses) -> Iterator[Found]:
    """Yield the addresses of the shim that count in a file."""
    start, stop = file.span
    return (found for found in shim.find(file.text) if start <= found.start < stop)


def _own_address(found: Found, packages: "_Packages", lookup: Lookup) -> OwnAddress:
    if isinstance(found.what, FileAddress):
        return lookup.file(found.what)
    if found.what.name is not None:
        return lookup.index(found.what.name)
    project = packages.before(found.start)
    return lookup.chain() if project is None else lookup.owner(project)


def _spelt(what: IndexAddress | FileAddress, address: str) -> str:
    if isinstance(what, FileAddress):
        return address
    if what.page:
        return f"{address.rstrip('/')}/{what.page}"
    return address if what.has_slash else address.rstrip("/")


def _without_login(address: str) -> str:
    scheme, separator, rest = address.partition("://")
    return f"{scheme}{separator}{rest.rpartition('@')[2]}"


class _Packages:
    """The names of packages in a lock file, and where each is."""

    def __init__(self, text: str) -> None:
        found = [match for match in _PACKAGE.finditer(text) if is_project_name(match[1])]
        self._starts = [match.start() for match in found]
        self._names = [normalize(match[1]) for match in found]

    def before(self, position: int) -> str | None:
        """Return the project that was named last before a position; None if there is none."""
        number = bisect_left(self._starts, position)
        return self._names[number - 1] if number else None
