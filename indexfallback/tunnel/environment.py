"""The environment variables that lead a command's requests to a tunnel. Pure.

No variable names an index: the command goes on using the addresses that it always used.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from indexfallback.config.loopback import is_loopback
from indexfallback.tunnel.exceptions import entries, is_excepted
from indexfallback.tunnel.origins import Origin

#: Has the address of the tunnel, without the password: a ``run`` in it uses this tunnel.
MARK = "INDEXFALLBACK_TUNNEL"
#: Name the proxy. Some clients read one spelling, some the other; pip's own setting is stronger
#: than all of them.
PROXIES = ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "PIP_PROXY")
#: Name the proxy only if the user has set them, since few programs expect them.
_OTHER_PROXIES = ("ALL_PROXY", "all_proxy")
#: Name the bundle: of OpenSSL and uv, requests, curl, pip, Node.
BUNDLES = (
    "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "PIP_CERT", "NODE_EXTRA_CA_CERTS",
)  # fmt: skip
#: Name the hosts that are connected to without a proxy.
_EXCEPTIONS = ("NO_PROXY", "no_proxy")
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


class Door(NamedTuple):
    """How to reach a tunnel."""

    #: ``127.0.0.1:PORT``.
    address: str
    #: The same with user name and password: ``http://indexfallback:SECRET@127.0.0.1:PORT``.
    url: str
    #: Path of the bundle of certificates.
    bundle: str


def tunnel_environment(
    environ: Mapping[str, str], door: Door, origins: Iterable[Origin], *, windows: bool = False
) -> dict[str, str]:
    """Return ``environ`` with the variables of a tunnel for a command.

    On Windows the names of variables are case-insensitive, and upper case in Python.
    """
    proxies = [*PROXIES, *(name for name in _OTHER_PROXIES if environ.get(name))]
    exceptions = _exceptions(environ, tuple(origins))
    own = {
        MARK: door.address,
        **dict.fromkeys(proxies, door.url),
        **dict.fromkeys(BUNDLES, door.bundle),
        **dict.fromkeys(_EXCEPTIONS, exceptions),
    }
    return {**environ, **({name.upper(): own[name] for name in own} if windows else own)}


def _exceptions(environ: Mapping[str, str], origins: tuple[Origin, ...]) -> str:
    """Return the user's NO_PROXY without what would keep an origin from the tunnel."""
    # As in `urllib.request.getproxies`: the lower case has precedence.
    value = environ.get("no_proxy") or environ.get("NO_PROXY") or ""
    kept = [
        entry
        for entry in entries(value)
        if not any(is_excepted(origin.host, origin.port, (entry,)) for origin in origins)
    ]
    if not any(is_loopback(origin.host) for origin in origins):
        kept += [host for host in _LOOPBACK if host not in kept]
    return ",".join(kept)
