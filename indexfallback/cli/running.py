"""The shim that runs at the configured address, as a command finds and asks it."""

import socket
from contextlib import closing
from typing import Any
from urllib.parse import quote

from indexfallback.config import Settings
from indexfallback.server.address import NoAnswer, ask, url_of
from indexfallback.store.hosting import Hosting

#: Where a server on every address is reached from this machine.
_LOOPBACK = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - compared, not listened on
#: On loopback a connection is there at once, or never, seconds.
_CONNECT_SECONDS = 2.0


def root(settings: Settings) -> str:
    """Return the address at which this machine reaches the configured host and port."""
    host = _LOOPBACK.get(settings.host, settings.host)
    return url_of(host, settings.port, tls=settings.tls_cert is not None)


def address(settings: Settings) -> str:
    """Return the address of the simple API at the configured host and port, for clients."""
    return f"{root(settings)}/simple/"


def health(settings: Settings) -> dict[str, Any] | None:
    """Return the health of the shim at the configured host and port, or None if there is none."""
    try:
        found = ask(root(settings), "/-/health")
    except NoAnswer:
        return None
    if not isinstance(found, dict) or found.get("name") != "indexfallback":
        return None
    return found


def is_listening(settings: Settings) -> bool:
    """Tell whether anybody, a shim or not, takes connections at the configured host and port."""
    try:
        socket.create_connection((settings.host, settings.port), _CONNECT_SECONDS).close()
    except OSError:
        return False
    return True


def ask_running(settings: Settings, path: str, seconds: float) -> Any:
    """Return what the running shim answers; raises one of `NoAnswer`, and `StoreError`."""
    if not settings.asks_for_tokens:
        return ask(root(settings), path, seconds)
    # Whoever can run commands on its records may ask it, with a token that is good for this alone.
    with closing(Hosting()) as hosting, hosting.tokens.lent(seconds) as token:
        return ask(root(settings), path, seconds, token=token)


def ask_same(settings: Settings, path: str, seconds: float) -> Any:
    """Return what a running shim of this very configuration answers; None if there is none."""
    found = health(settings)
    if found is None or found.get("configuration") != settings.fingerprint:
        return None
    try:
        return ask_running(settings, quote(path), seconds)
    except NoAnswer:  # it has just ended, or is too busy to be of use
        return None
