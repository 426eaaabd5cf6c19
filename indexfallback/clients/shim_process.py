"""A shim for one command: the running one, or a child process that ends with the command."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from indexfallback.config import Settings
from indexfallback.config.wire import encode_settings
from indexfallback.errors import IndexFallbackError
from indexfallback.process.child import Child, ChildError, child, log_options
from indexfallback.server.address import AlreadyServedError, refuse_if_served
from indexfallback.server.asking import NoAnswer, ask, for_clients
from indexfallback.store.secret import user_secret

#: Timeout of the start in seconds; 0.5 is usual.
START_SECONDS = 20.0
#: Replaces the settings that are for other machines.
_FOR_ONE_COMMAND: dict[str, Any] = {
    "host": "127.0.0.1", "tls_cert": None, "tls_key": None, "base_path": "", "trusted_proxies": (),
    "for_one_command": True,
}  # fmt: skip


class ShimNotStartedError(IndexFallbackError):
    """The shim for a command did not start."""

    def __str__(self) -> str:
        return "the local index did not start; try `indexfallback serve` to see why"


@contextmanager
def shim_for(settings: Settings, *, verbose: int = 0, on_own_port: bool = False) -> Iterator[str]:
    """Yield the address of a shim with these settings: the running one, or a new one.

    The address has the user's own token in it if the shim asks for one. ``verbose`` is the log
    level of a new one. It takes any free port, with ``on_own_port`` the configured one if that is
    free. Raises `ShimNotStartedError`.
    """
    if settings.tls_cert is None:  # the certificate is for the name that other machines use
        try:
            refuse_if_served(settings.host, settings.port, settings.identity)
        except AlreadyServedError as error:
            yield for_clients(error.url, settings)
            return
        except IndexFallbackError:  # another program has the port: the child takes a free one
            pass
    own = replace(settings, **_FOR_ONE_COMMAND)
    with _own_shim(own, settings.port if on_own_port else 0, verbose) as url:
        yield for_clients(url, own)


def origins_of(url: str) -> list[str]:
    """Return the origins that a shim answers for: ``https://packages.example.com``.

    Raises `ShimNotStartedError` if it does not say.
    """
    try:
        origins: list[str] = ask(url, "/-/origins")["origins"]
    except (*NoAnswer, KeyError, TypeError):
        raise ShimNotStartedError from None
    return origins


@contextmanager
def _own_shim(settings: Settings, port: int, verbose: int) -> Iterator[str]:
    options = ["--port", str(port), "--json", "--stop-at-eof", "--settings-from-stdin"]
    with child(*log_options(verbose), "serve", *options) as process:
        try:
            process.send(encode_settings(settings))
            process.send(user_secret().key.hex().encode() + b"\n")
            url = _wait_for(process)
        except ChildError:
            raise ShimNotStartedError from None
        yield url


def _wait_for(process: Child) -> str:
    """Return the address of a starting shim as soon as it answers."""
    ends = time.monotonic() + START_SECONDS
    try:
        url: str = json.loads(process.receive(START_SECONDS))["url"]
    except ValueError:
        raise ShimNotStartedError from None
    while time.monotonic() < ends and not process.has_ended:
        try:
            ask(url, "/-/health")
        except NoAnswer:  # it is announced just before it listens
            time.sleep(0.01)  # there is no event to wait for
        else:
            return url
    raise ShimNotStartedError
