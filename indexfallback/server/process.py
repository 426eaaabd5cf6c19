"""The processes of the server: a supervisor, and a worker that answers.

The worker ends when the pipe from the supervisor closes, even if that was killed. On request, the
supervisor ends at the end of its standard input.
"""

import ctypes
import logging
import multiprocessing.util
import os
import signal
import ssl
import sys
import threading
from collections.abc import Callable
from contextlib import closing
from functools import partial
from multiprocessing.connection import Connection, Pipe
from typing import Any

from granian.constants import HTTPModes, Interfaces, SSLProtocols
from granian.http import HTTP1Settings
from granian.server import Server

from indexfallback.config import Settings
from indexfallback.errors import ConfigError
from indexfallback.server.address import Port
from indexfallback.store.hosting import Hosting

log = logging.getLogger("indexfallback")

#: Each reader of a file in transfer needs a thread; threads are started when needed. With 256,
#: 300 readers of one slow file made /-/health wait 12 s.
THREADS = 1100
#: A thread without work ends after this long, seconds.
IDLE_SECONDS = 10
#: Heaps (arenas) of glibc for all threads together. Its default, eight a core, takes 30 MB more
#: after fifty clients; Python's threads allocate one at a time anyway.
ARENAS = 2
#: Connections that may wait to be accepted: uv opens 142 at once.
BACKLOG = 1024
#: Time in which a client must send its headers, milliseconds.
HEADER_TIMEOUT = 10_000
#: A worker is killed this long after SIGTERM, seconds: during a transfer it does not end.
KILL_SECONDS = 3
#: Bytes buffered for a connection: one piece of a file, or the largest usual headers.
BUFFER_SIZE = 128 * 1024

#: From glibc's malloc.h.
_M_ARENA_MAX = -8


def run_server(
    settings: Settings,
    port: Port,
    *,
    started: Callable[[], None],
    logging_setup: Callable[[], None],
    stop_at_eof: bool,
) -> None:
    """Serve until a signal; with ``stop_at_eof``, also until standard input ends.

    ``started`` is called when the port is bound, ``logging_setup`` in the worker; both must be
    picklable. Raises `ConfigError` for an unusable certificate, and for an address that other
    machines can reach while there is no token.
    """
    _refuse_without_tokens(settings, port)
    check_certificate(settings)
    reader, writer = Pipe(duplex=False)
    server = _server(settings, port)
    server.on_startup(started)
    server.stops_at_eof = stop_at_eof
    load = partial(_load_app, settings, reader, writer, logging_setup)
    try:
        server.serve(target_loader=load, wrap_loader=False)
    except SystemExit:
        # A terminal sends Ctrl-C to the worker as well, which may then end first.
        if not server.interrupt_signal:
            raise
    finally:
        reader.close()
        writer.close()
        port.release()


class _Supervisor(Server):  # type: ignore[misc, valid-type]  # which one, the build decides
    """Watches its standard input once it has made the worker: a fork copies no other thread."""

    stops_at_eof = False

    def startup(self, spawn_target: Any, target_loader: Any) -> None:
        """Bind the port and make the worker."""
        super().startup(spawn_target, target_loader)
        if self.stops_at_eof:
            _watch_input(self.signal_handler_interrupt)


def _server(settings: Settings, port: Port) -> _Supervisor:
    return _Supervisor(
        "indexfallback",
        address=port.host,
        port=port.number,
        interface=Interfaces.WSGI,
        workers=1,
        blocking_threads=THREADS,
        blocking_threads_idle_timeout=IDLE_SECONDS,
        backlog=BACKLOG,
        backpressure=THREADS,
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
        workers_kill_timeout=KILL_SECONDS,
        log_enabled=False,
    )


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


def _refuse_without_tokens(settings: Settings, port: Port) -> None:
    if not settings.asks_for_tokens:
        return
    with closing(Hosting()) as hosting:
        tokens = hosting.tokens.all()
    if not tokens:
        raise ConfigError(
            settings.origins.get("server.host", "server.host"),
            f'host = "{port.host}" can be reached by others, and there is no token to read with',
            "make one with `indexfallback token create --read-only`, set public_read = true in "
            '[server], or use "127.0.0.1"',
        )


def _watch_input(stop: Callable[[], None]) -> None:
    def watch() -> None:
        while os.read(sys.stdin.fileno(), 1024):
            pass
        stop()

    threading.Thread(target=watch, name="stop-at-eof", daemon=True).start()


def _load_app(
    settings: Settings, reader: Connection, writer: Connection, logging_setup: Callable[[], None]
) -> Any:
    """Return the application, in the worker."""
    from indexfallback.server.app import make_app  # noqa: PLC0415 - only the worker needs it
    from indexfallback.shim import Shim  # noqa: PLC0415 - as above

    _limit_arenas()
    writer.close()  # the worker's own copy: with it open, the pipe would never end
    logging_setup()
    threading.Thread(target=_end_with, args=(reader,), name="supervisor", daemon=True).start()
    shim = Shim(settings)
    multiprocessing.util.Finalize(None, shim.close, exitpriority=1)
    threading.Thread(target=_import_upstream, name="import-upstream", daemon=True).start()
    return make_app(shim)


def _limit_arenas() -> None:
    if sys.platform == "linux":
        mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # musl has none
        if mallopt is not None:
            mallopt(_M_ARENA_MAX, ARENAS)


def _end_with(supervisor: Connection) -> None:
    try:
        supervisor.recv_bytes()
    except (EOFError, OSError):  # the pipe is closed: the supervisor has ended
        log.info("the supervisor has ended; stopping")
    if sys.platform != "win32":
        # The supervisor would kill a worker that is held up by a transfer; now the alarm does.
        signal.alarm(KILL_SECONDS)
    os.kill(os.getpid(), signal.SIGTERM)


def _import_upstream() -> None:
    """Import the HTTP library, which takes 0.2 s, while the server already answers."""
    import indexfallback.upstream.http  # noqa: F401, PLC0415 - see above
