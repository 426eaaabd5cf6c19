"""Recognises addresses of this user's shims in a text, by host, port and path; no I/O.

An address is the shim's if its host is on loopback, or the configured one, its path is one of the
forms that clients write down, and

- its port was served by a shim or is configured, or
- its path is that of a file, with a sha256 and an index of the chain, which no other server has.

Another index on this machine, such as devpi, is therefore not taken for the shim.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple
from urllib.parse import unquote

from indexfallback.config.loopback import is_loopback
from indexfallback.names import FileKey, is_safe_filename

_DEFAULT_PORTS = {"http": 80, "https": 443}
_NAME = r"[a-z0-9][a-z0-9._-]*"
_SCHEME = re.compile(r"https?://")
#: What follows the scheme; the path has the characters that `urllib.parse.quote` leaves, and those
#: that clients do not escape; another address ends it.
_REST = re.compile(
    r"(?:[^\s/@\"'<>]*@)?"
    r"(?P<host>[\w.-]+|\[[0-9a-f:.]+\])(?::(?P<port>\d{1,5}))?"
    r"(?P<path>/(?:(?!https?://)[\w.~%/+!@=-])*)",
    re.ASCII | re.IGNORECASE,
)
_INDEX = re.compile(
    rf"/(?:direct/|index/(?P<index>{_NAME})/)?simple(?P<page>/(?:[A-Za-z0-9][\w.-]*/?)?)?", re.ASCII
)
_FILE = re.compile(rf"/files/(?P<owner>{_NAME})/(?P<key>[a-z0-9.-]+)/(?P<name>[^/]+)")


class IndexAddress(NamedTuple):
    """The address of a simple API of the shim, or of a page of it."""

    #: The index of ``/index/NAME/simple/``; None for the chain's.
    name: str | None
    #: What follows the root of the API: ``foo/``, or nothing.
    page: str
    has_slash: bool


class FileAddress(NamedTuple):
    """The address of a file at the shim."""

    owner: str
    key: FileKey
    filename: str


class Found(NamedTuple):
    """An address of the shim, at ``text[start:stop]``."""

    start: int
    stop: int
    port: int
    what: IndexAddress | FileAddress


@dataclass(frozen=True, kw_only=True)
class ShimAddresses:
    """What is known of the addresses of this user's shims."""

    #: As configured.
    host: str
    #: Ports that a shim has served, or that are configured.
    ports: frozenset[int]
    #: Path of the server behind a reverse proxy; empty for the root.
    base_path: str = ""
    #: The groups of the chain, which are the owners in addresses of files.
    owners: frozenset[str] = frozenset()
    #: Ports of this machine where an index of the chain is.
    others: frozenset[int] = frozenset()

    def find(self, text: str) -> Iterator[Found]:
        """Yield the addresses of the shim in a text, in their order."""
        for found in self._candidates(text):
            is_known = found.port in self.ports and found.port not in self.others
            if is_known or self._is_unmistakable(found.what):
                yield found

    def with_ports_in(self, text: str) -> "ShimAddresses":
        """Return the same with the ports of unmistakable addresses in a text."""
        ports = {found.port for found in self.find(text) if self._is_unmistakable(found.what)}
        return replace(self, ports=self.ports | ports)

    def _is_unmistakable(self, what: IndexAddress | FileAddress) -> bool:
        return (
            isinstance(what, FileAddress)
            and what.key.sha256 is not None
            and what.owner in self.owners
        )

    def _candidates(self, text: str) -> Iterator[Found]:
        for scheme in _SCHEME.finditer(text):
            rest = _REST.match(text, scheme.end())
            if rest is None or not self._is_host(rest["host"]):
                continue
            # A full stop at the end is that of a sentence in a comment.
            path = rest["path"].rstrip(".!")
            what = self._of_path(path)
            if what is not None:
                port = int(rest["port"] or _DEFAULT_PORTS[scheme[0].removesuffix("://")])
                yield Found(scheme.start(), rest.start("path") + len(path), port, what)

    def _is_host(self, host: str) -> bool:
        return is_loopback(host) or host.strip("[]").lower() == self.host.lower()

    def _of_path(self, path: str) -> IndexAddress | FileAddress | None:
        below = path.removeprefix(self.base_path)
        return _parsed(below) or (_parsed(path) if below != path else None)


def _parsed(path: str) -> IndexAddress | FileAddress | None:
    if index := _INDEX.fullmatch(path):
        page = index["page"] or ""
        return IndexAddress(index["index"], page.removeprefix("/"), page.endswith("/"))
    file = _FILE.fullmatch(path)
    if file is None:
        return None
    key, filename = FileKey.parse(file["key"]), unquote(file["name"])
    if key is None or not is_safe_filename(filename):
        return None
    return FileAddress(file["owner"], key, filename)
