"""The user's own proxies, which the connections of the tunnel to real hosts go through.

They come from HTTPS_PROXY, HTTP_PROXY and ALL_PROXY of the environment (or the settings of macOS
and Windows), else from pip's ``proxy``. Connections to loopback use no proxy.
"""

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from indexfallback.config.loopback import is_loopback
from indexfallback.errors import ConfigError, redact
from indexfallback.tunnel.exceptions import entries, is_excepted
from indexfallback.tunnel.origins import Origin

#: The port of a proxy whose address has none, as in curl and urllib3.
_PORT = 80


class ProxyAddress(NamedTuple):
    """An http proxy of the user."""

    host: str
    port: int
    #: The value of Proxy-Authorization, or empty.
    login: str

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"

    @property
    def fields(self) -> list[tuple[str, str]]:
        """The header fields that the proxy wants."""
        return [("Proxy-Authorization", self.login)] if self.login else []


@dataclass(frozen=True)
class Route:
    """Which proxy, if any, leads to a host."""

    #: Scheme of the addresses, ``http`` or ``https``, to their proxy.
    proxies: Mapping[str, ProxyAddress]
    #: Entries of NO_PROXY.
    excepted: tuple[str, ...] = ()

    def proxy_for(self, target: Origin) -> ProxyAddress | None:
        """Return the proxy for a target, or None if it is connected to directly."""
        proxy = self.proxies.get(target.scheme)
        if proxy is None or is_loopback(target.host):
            return None
        return None if is_excepted(target.host, target.port, self.excepted) else proxy


def route_of(configured: Mapping[str, str], pip_proxy: str | None) -> Route:
    """Return the route that the user's settings make.

    ``configured`` is what `urllib.request.getproxies` returns; ``pip_proxy`` is pip's ``proxy``.
    Raises `ConfigError` for a proxy that the tunnel cannot use.
    """
    found = {}
    for scheme in ("http", "https"):
        address = configured.get(scheme) or configured.get("all") or pip_proxy
        if address:
            found[scheme] = _proxy(address)
    return Route(found, tuple(entries(configured.get("no", ""))))


def _proxy(address: str) -> ProxyAddress:
    """Read the address of a proxy; one without a scheme is http."""
    full = address if "://" in address else f"http://{address}"
    try:
        parts = urlsplit(full)
        host, port = parts.hostname, parts.port or _PORT
    except ValueError:
        raise ConfigError("the proxy", "its address is not valid", _REMEDY) from None
    if parts.scheme != "http" or not host:
        raise ConfigError(
            "the proxy",
            f"{redact(full)} is not an http proxy, and `run` can go through no other kind",
            _REMEDY,
        )
    login = f"{unquote(parts.username or '')}:{unquote(parts.password or '')}"
    return ProxyAddress(
        host, port, f"Basic {b64encode(login.encode()).decode()}" if login != ":" else ""
    )


_REMEDY = "use `run --address`, which leaves the proxy to the command"
