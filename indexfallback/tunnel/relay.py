"""Relays two connections to each other unchanged, until both sides have ended."""

import contextlib
import socket
import threading

from indexfallback.tunnel.streams import PIECE

#: A relayed connection that is silent for so long is closed, seconds: programs keep idle
#: connections, of which proxies usually close those of an hour.
IDLE_SECONDS = 3600.0


def relay(client: socket.socket, server: socket.socket) -> None:
    """Copy bytes both ways and return when both directions have ended; closes ``server``."""
    for sock in (client, server):
        sock.settimeout(IDLE_SECONDS)
    upwards = threading.Thread(
        target=_copy, args=(client, server), name="tunnel-relay", daemon=True
    )
    with server:
        upwards.start()
        _copy(server, client)
        upwards.join(IDLE_SECONDS)


def _copy(source: socket.socket, target: socket.socket) -> None:
    """Copy bytes until the source ends, then end the target; if either breaks, break both."""
    buffer = memoryview(bytearray(PIECE))
    try:
        while size := source.recv_into(buffer):
            target.sendall(buffer[:size])
        target.shutdown(socket.SHUT_WR)
    except OSError:  # one side has gone; the other learns it
        for sock in (source, target):
            with contextlib.suppress(OSError):  # it has gone as well
                sock.shutdown(socket.SHUT_RDWR)
