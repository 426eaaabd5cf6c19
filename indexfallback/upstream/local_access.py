"""Whether an index may lead to local addresses: those of this machine and of private networks.

A public index or a mirror may do so only if its own host has one. A local address in a page or a
redirect is refused when it is read; the address that a name resolves to is checked at the connected
socket, before anything is sent. Behind a proxy, the proxy chooses the address.
"""

import socket

from indexfallback.config import Index
from indexfallback.formats.links import is_local
from indexfallback.upstream.credentials import origin
from indexfallback.upstream.failures import ForbiddenAddressError


class LocalAccess:
    """Whether one index may lead to local addresses."""

    def __init__(self, index: Index) -> None:
        self._host = origin(index.url)[1]
        #: Whether it may do so wherever its host is.
        self.is_trusted = index.is_private or index.is_directory or is_local(self._host)
        #: Whether the host of the index has a local address; None before the first connection.
        self._is_local: bool | None = None

    @property
    def is_allowed(self) -> bool:
        """Whether it may, as far as that is known."""
        return self.is_trusted or bool(self._is_local)

    def check_peer(self, host: str, address: str) -> None:
        """Raise `ForbiddenAddressError` if a host has an address that the index may not lead to."""
        if host == self._host:
            self._is_local = is_local(address)
        elif is_local(address) and not self.is_allowed:
            if self._is_local is None and _resolves_locally(self._host):
                return
            raise ForbiddenAddressError(host, address)


def _resolves_locally(host: str) -> bool:
    """Tell whether all addresses of a host are local."""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError:  # perhaps only a proxy can resolve it
        return False
    return all(is_local(str(address[0])) for *_, address in found)
