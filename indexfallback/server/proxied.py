"""The server behind proxies: the address at which clients reach it, and their own.

Any client can send X-Forwarded-*: these headers count only from a proxy that the configuration
names. The Host of such a request is checked all the same, since a web page on the proxy's machine
can send these headers too, but no Host other than its own.
"""

import re
from collections.abc import Callable, Iterable
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any

import falcon

from indexfallback.config import Settings

#: Key of the environment: the address of the server's root as the client sees it.
PUBLIC_ROOT = "indexfallback.root"

_HOST = re.compile(r"(?:[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?", re.ASCII)
_Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def public_root(req: falcon.Request) -> str:
    """Return the address of the server's root as the client sees it; it ends with a slash."""
    return f"{req.env.get(PUBLIC_ROOT, req.prefix)}/"


class Proxied:
    """A WSGI application below ``base_path`` and behind ``trusted_proxies``."""

    def __init__(self, application: _Application, settings: Settings) -> None:
        self._application = application
        self._base = settings.base_path
        self._trusted = [ip_network(network) for network in settings.trusted_proxies]

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        """Answer a request."""
        path: str = environ["PATH_INFO"]
        # Some proxies remove the base from the path, others do not.
        is_below = bool(self._base) and path.startswith(f"{self._base}/")
        if is_below:
            environ["PATH_INFO"] = path[len(self._base) :]
        root = self._forwarded(environ)
        if root is not None:
            environ[PUBLIC_ROOT] = root
        if is_below or root is not None:
            environ["SCRIPT_NAME"] = self._base
        environ["REMOTE_ADDR"] = self._client(environ)
        return self._application(environ, start_response)

    def _forwarded(self, environ: dict[str, Any]) -> str | None:
        """Return the root's address as a trusted proxy states it, or None."""
        # The trusted proxy appends: values of the client come first.
        scheme, host = (
            environ.get(f"HTTP_X_FORWARDED_{name}", "").rpartition(",")[2].strip()
            for name in ("PROTO", "HOST")
        )
        if not self._trusts(environ.get("REMOTE_ADDR", "")) or not _HOST.fullmatch(host):
            return None
        return f"{scheme if scheme in ('http', 'https') else 'http'}://{host}{self._base}"

    def _client(self, environ: dict[str, Any]) -> str:
        """Return the address of the client, as the trusted proxies before this server state it."""
        address: str = environ.get("REMOTE_ADDR", "")
        stated = environ.get("HTTP_X_FORWARDED_FOR", "").split(",")
        # Each proxy appends the address of its own client; those of the client come first.
        while self._trusts(address) and stated:
            before = stated.pop().strip()
            if _address(before) is None:
                break
            address = before
        return address

    def _trusts(self, text: str) -> bool:
        address = _address(text)
        return address is not None and any(address in network for network in self._trusted)


def _address(text: str) -> IPv4Address | IPv6Address | None:
    """Return an address; None for anything else, such as that of a Unix socket.

    A server on ``::`` sees clients with IPv4 at mapped addresses (RFC 4291, section 2.5.5.2).
    """
    try:
        address = ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address
