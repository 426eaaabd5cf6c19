"""Requests to the shim that runs at the configured address."""

from collections.abc import Mapping
from typing import Any

from indexfallback.config import Settings
from indexfallback.server.address import url_of
from indexfallback.server.asking import Found, Kind, NoAnswer, ask, for_clients, found_at

#: Loopback addresses of a server that listens on all addresses.
_LOOPBACK = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - compared, not listened on


def root(settings: Settings) -> str:
    """Return the shim's address for this machine."""
    host = _LOOPBACK.get(settings.host, settings.host)
    return url_of(host, settings.port, tls=settings.tls_cert is not None)


def address(settings: Settings) -> str:
    """Return the address of the shim's simple API, for clients."""
    return f"{root(settings)}/simple/"


def client_address(settings: Settings) -> str:
    """Return the same, with this user's own token in it where the shim asks for one."""
    return for_clients(address(settings), settings)


def found(settings: Settings) -> Found | None:
    """Return the server that answers at the configured address, or None."""
    return found_at(root(settings))


def health(settings: Settings) -> Mapping[str, Any] | None:
    """Return the health of this user's running shim, or None if none runs."""
    there = found(settings)
    return there.health if there is not None and there.kind is Kind.OWN else None


def no_shim(settings: Settings, there: Found | None) -> str:
    """Return the message that no shim of this user runs, with what answers in its place."""
    where = f"{settings.host}:{settings.port}"
    if there is None:
        return f"no shim runs on {where}"
    return f"no shim of yours runs on {where}: {there.kind.value} uses the port"


def ask_running(settings: Settings, path: str, seconds: float) -> Any:
    """Return the answer of this user's running shim; raises an error of `NoAnswer`."""
    return ask(root(settings), path, seconds)


def runs_same(settings: Settings) -> bool:
    """Tell whether a shim of this user with this configuration runs."""
    there = found(settings)
    return there is not None and there.has(settings.identity)


def ask_same(settings: Settings, path: str, seconds: float) -> Any:
    """Return the answer of a running shim with this configuration; None if none runs.

    ``path`` is quoted.
    """
    if not runs_same(settings):
        return None
    try:
        return ask_running(settings, path, seconds)
    except NoAnswer:  # it has just ended, or is too busy
        return None
