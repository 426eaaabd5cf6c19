"""Requests to the shim that runs at the configured address."""

import socket
from contextlib import closing
from typing import Any
from urllib.parse import quote

from indexfallback.config import Settings
from indexfallback.server.address import NoAnswer, ask, url_of
from indexfallback.store.hosting import Hosting

#: Loopback addresses of a server that listens on all addresses.
_LOOPBACK = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - compared, not listened on
#: Timeout in seconds; a connection on loopback takes less than a millisecond.
_CONNECT_SECONDS = 2.0


def root(settings: Settings) -> str:
    """Return the shim's address for this machine."""
    host = _LOOPBACK.get(settings.host, settings.host)
    return url_of(host, settings.port, tls=settings.tls_cert is not None)


def address(settings: Settings) -> str:
    """Return the address of the shim's simple API, for clients."""
    return f"{root(settings)}/simple/"


def health(settings: Settings) -> dict[str, Any] | None:
    """Return the health of the running shim, or None if none runs."""
    try:
        found = ask(root(settings), "/-/health")
    except NoAnswer:
        return None
    if not isinstance(found, dict) or found.get("name") != "indexfallback":
        return None
    return found


def is_listening(settings: Settings) -> bool:
    """Tell whether any program listens at the configured host and port."""
    try:
        socket.create_connection((settings.host, settings.port), _CONNECT_SECONDS).close()
    except OSError:
        return False
    return True


def ask_running(settings: Settings, path: str, seconds: float) -> Any:
    """Return the answer of the running shim; raises an error of `NoAnswer`, or `StoreError`."""
    if not settings.asks_for_tokens:
        return ask(root(settings), path, seconds)
    # This user can write the records of tokens, and so may create one for this request.
    with closing(Hosting()) as hosting, hosting.tokens.temporary(seconds) as token:
        return ask(root(settings), path, seconds, token=token)


def runs_same(settings: Settings) -> bool:
    """Tell whether a shim with this configuration runs."""
    found = health(settings)
    return found is not None and found.get("configuration") == settings.fingerprint


def ask_same(settings: Settings, path: str, seconds: float) -> Any:
    """Return the answer of a running shim with this configuration; None if none runs."""
    if not runs_same(settings):
        return None
    try:
        return ask_running(settings, quote(path), seconds)
    except NoAnswer:  # it has just ended, or is too busy
        return None
