"""The process of the server: one thread of it serves, the main thread waits for a signal to stop.

On request it also ends at the end of its standard input.
"""

import ctypes
import gc
import logging
import os
import ssl
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING

from granian.constants import HTTPModes, Interfaces, SSLProtocols
from granian.http import HTTP1Settings
from granian.server import MTServer

from indexfallback.config import Settings
from indexfallback.config.loopback import is_loopback
from indexfallback.errors import ConfigError
from indexfallback.server import concurrency
from indexfallback.server.address import Port
from indexfallback.server.handles import clients_at_once, raise_limit
from indexfallback.store.hosting import Hosting
from indexfallback.store.ports import remember_port
from indexfallback.store.secret import Secret, secret_file

if TYPE_CHECKING:
    from indexfallback.hosted.index import HostedIndex

log = logging.getLogger("indexfallback")

#: Each request needs a thread while it is answered; threads are started when needed. Those beyond
#: the limit of requests are for what is answered always, for cached pages, and for refusals.
THREADS = concurrency.MOST + 48
#: Connections at once, if there are handles for them: of clients that keep theirs open for the
#: next request, too. With as many as threads, 1,150 clients without a request made /-/health wait
#: 9 s.
CONNECTIONS = 2 * THREADS
#: A thread without work ends after this long, seconds.
IDLE_SECONDS = 10
#: Heaps (arenas) of glibc for all threads together. Its default, eight a core, takes 30 MB more
#: after fifty clients; Python's threads allocate one at a time anyway.
ARENAS = 2
#: Connections that may wait to be accepted: uv opens 142 at once.
BACKLOG = 1024
#: Time in which a client must send its headers, milliseconds.
HEADER_TIMEOUT = 10_000
#: Answers may go on for this long after the signal to stop, seconds: a transfer may never end.
STOP_SECONDS = 3
#: A signal that another thread got is handled after this time at the latest, seconds.
SIGNAL_SECONDS = 1.0
#: Bytes buffered for a connection: one piece of a file, or the largest usual headers. Twice as much
#: sends a file no faster.
BUFFER_SIZE = 64 * 1024

#: From glibc's malloc.h.
_M_ARENA_MAX = -8


def run_server(
    settings: Settings,
    port: Port,
    secret: Secret,
    *,
    started: Callable[[], None],
    stop_at_eof: bool,
) -> None:
    """Serve until a signal; with ``stop_at_eof``, also until standard input ends.

    By the ``secret`` this user's programs recognise the server. ``started`` is called just before
    the server listens. If answers have not ended in time after the signal, this function ends the
    process. Raises `ConfigError` for an unusable certificate, and for an address that asks for
    tokens while nobody can have one, and for a bucket in which uploads would replace each other.
    """
    # Here, so that a port that is taken is said before they are imported, which takes 0.1 s.
    from indexfallback.server.app import make_app  # noqa: PLC0415
    from indexfallback.shim import Shim  # noqa: PLC0415

    _refuse_without_tokens(settings, port, secret)
    check_certificate(settings)
    _limit_arenas()
    connections = clients_at_once(raise_limit(), CONNECTIONS)
    server = _server(settings, port, connections)
    server.on_startup(started)
    if stop_at_eof:
        server.on_startup(lambda: _watch_input(server.signal_handler_interrupt))
    with closing(Shim(settings)) as shim:
        for hosted in shim.hosted.values():
            hosted.check()
        _start_threads(shim.hosted, port)
        try:
            server.serve(
                target_loader=lambda: make_app(shim, secret, port.place), wrap_loader=False
            )
        finally:
            port.release()
    if not server.has_stopped:
        # Python would wait for its threads, and they for a transfer.
        sys.stdout.flush()
        os._exit(0)


def _start_threads(hosted: Mapping[str, "HostedIndex"], port: Port) -> None:
    """Start what serving need not wait for; none of it is lost if the server ends meanwhile."""
    from indexfallback.hosted.recovery import recover  # noqa: PLC0415 - with the rest of `hosted`

    tasks: Mapping[str, Callable[[], None]] = {
        "import-upstream": _import_upstream,
        # A home directory on a network may be slow.
        "remember-port": partial(remember_port, port.number),
        # Files may be copied; the next start goes on.
        "recover": partial(recover, hosted, time.time()),
    }
    for name, task in tasks.items():
        threading.Thread(target=task, name=name, daemon=True).start()


class _Interrupt(threading.Event):
    """An event that the main thread waits for, and meanwhile handles signals.

    Python handles signals in the main thread. Linux may deliver one to another thread, and then the
    main thread would handle it only when its wait ends.
    """

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until the event is set; without ``timeout``, for as long as that takes."""
        if timeout is not None:
            return super().wait(timeout)
        while not super().wait(SIGNAL_SECONDS):
            pass
        return True


class _Server(MTServer):
    """Granian's server in one process, as it is on Pythons without a global lock.

    A second process would supervise the first, take 20 MB, and could be killed alone.
    """

    has_stopped = True

    def _check_gil(self) -> None:
        """Allow the global lock: the thread that serves takes it for each request."""

    def _stop_workers(self) -> None:
        for worker in self.wrks:
            worker.terminate()  # type: ignore[no-untyped-call]  # the library types it so
            worker.join(STOP_SECONDS)  # type: ignore[no-untyped-call]  # as above
            self.has_stopped = not worker.inner.is_alive()


def _server(settings: Settings, port: Port, connections: int) -> _Server:
    """Return a server for so many connections at once."""
    server = _Server(
        "indexfallback",
        address=port.host,
        port=port.number,
        interface=Interfaces.WSGI,
        workers=1,
        blocking_threads=THREADS,
        blocking_threads_idle_timeout=IDLE_SECONDS,
        backlog=BACKLOG,
        backpressure=connections,
        websockets=False,
        http1_settings=HTTP1Settings(
            header_read_timeout=HEADER_TIMEOUT, max_buffer_size=BUFFER_SIZE
        ),
        # With TLS it would also offer HTTP/2, which was not measured here.
        http=HTTPModes.http1,
        ssl_cert=settings.tls_cert,
        ssl_key=settings.tls_key,
        # Old Pythons, as some buildouts use, have no newer version.
        ssl_protocol_min=SSLProtocols.tls12,
        log_enabled=False,
    )
    server.main_loop_interrupt = _Interrupt()
    return server


def check_certificate(settings: Settings) -> None:
    """Return if certificate and key are usable or not configured; raises `ConfigError`."""
    if settings.tls_cert is None or settings.tls_key is None:
        return
    try:
        for path in (settings.tls_cert, settings.tls_key):
            path.open("rb").close()  # this error names the file, that of the next call does not
        # Without a password OpenSSL would ask for one at the terminal.
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(
            settings.tls_cert, settings.tls_key, password=""
        )
    except (OSError, ValueError) as error:
        raise ConfigError(
            settings.origins.get("server.tls_cert", "server.tls_cert"),
            f"{settings.tls_cert} and {settings.tls_key} cannot be used ({error})",
            "name a certificate and its own key, both PEM, readable and without a password",
        ) from error


def _refuse_without_tokens(settings: Settings, port: Port, secret: Secret) -> None:
    if settings.private and not secret.is_kept:
        raise ConfigError(
            settings.origins.get("server.private", "server.private"),
            f"private = true needs your token, and {secret_file()} cannot be kept",
            "make its directory writable, or set private = false in [server]",
        )
    if is_loopback(port.host) or not settings.asks_for_tokens:
        return
    with closing(Hosting()) as hosting:
        tokens = hosting.tokens.all()
    if not tokens:
        raise ConfigError(
            settings.origins.get("server.host", "server.host"),
            f'host = "{port.host}" can be reached by others, and there is no token to read with',
            "make one with `indexfallback token create --allow read`, set public_read = true in "
            '[server], or use "127.0.0.1"',
        )


def _watch_input(stop: Callable[[], None]) -> None:
    def watch() -> None:
        while os.read(sys.stdin.fileno(), 1024):
            pass
        stop()

    threading.Thread(target=watch, name="stop-at-eof", daemon=True).start()


def _limit_arenas() -> None:
    if sys.platform == "linux":
        mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # musl has none
        if mallopt is not None:
            mallopt(_M_ARENA_MAX, ARENAS)


def _import_upstream() -> None:
    """Import the HTTP library, which takes 0.2 s, while the server already answers."""
    import indexfallback.upstream.http  # noqa: F401, PLC0415 - see above

    # What is imported stays: to look through it for garbage would stop a request for 20 ms.
    gc.freeze()
