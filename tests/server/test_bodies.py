"""The body of an upload, from a real socket: its bytes, and its limits in time."""

import io
import socket
import threading
from collections.abc import Iterator
from typing import BinaryIO

import falcon
import pytest

from indexfallback.server.bodies import PIECE, TimedBody, UploadSlots
from tests.serving import wait_until


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, BinaryIO]]:
    """The client's socket, and the server's end as a stream."""
    client, server = socket.socketpair()
    with client, server, server.makefile("rb") as stream:
        yield client, stream
        client.close()
        wait_until(
            lambda: all(thread.name != "upload-body" for thread in threading.enumerate()),
            10,
            "a body is still read",
        )


def _read(body: TimedBody) -> bytes:
    pieces = []
    while piece := body.read(1000):
        pieces.append(piece)
    return b"".join(pieces)


def test_a_body_is_read_to_its_length(pair: tuple[socket.socket, BinaryIO]) -> None:
    client, stream = pair
    data = bytes(range(256)) * 1024
    threading.Thread(target=client.sendall, args=(data + b"more",)).start()
    ended = threading.Event()
    body = TimedBody(stream, len(data), ended.set)
    assert _read(body) == data
    assert ended.wait(10)


def test_a_body_that_is_cut_short_ends(pair: tuple[socket.socket, BinaryIO]) -> None:
    client, stream = pair
    body = TimedBody(stream, 5, lambda: None)
    client.sendall(b"abc")
    client.shutdown(socket.SHUT_WR)
    assert _read(body) == b"abc"


@pytest.mark.parametrize("limit", ["piece_seconds", "whole_seconds"])
def test_a_client_that_sends_nothing_more_gets_408(
    pair: tuple[socket.socket, BinaryIO], limit: str
) -> None:
    client, stream = pair
    body = TimedBody(stream, 2 * PIECE, lambda: None, **{limit: 0.2})
    client.sendall(bytes(PIECE + 1))
    with pytest.raises(falcon.HTTPError, match="408"):
        _read(body)


def test_a_client_that_sends_a_byte_now_and_then_gets_408(
    pair: tuple[socket.socket, BinaryIO],
) -> None:
    client, stream = pair
    stop = threading.Event()

    def trickle() -> None:
        while not stop.wait(0.05):
            client.sendall(b"x")

    thread = threading.Thread(target=trickle)
    thread.start()
    body = TimedBody(stream, PIECE, lambda: None, piece_seconds=0.5)
    with pytest.raises(falcon.HTTPError, match="408"):
        body.read(PIECE)
    stop.set()
    thread.join()


def test_a_closed_body_that_is_not_taken_ends() -> None:
    ended = threading.Event()
    body = TimedBody(io.BytesIO(bytes(100 * PIECE)), 100 * PIECE, ended.set)
    assert body.read(1)
    body.close()
    assert ended.wait(10)


def test_an_upload_counts_as_under_way_until_nothing_reads_it(
    pair: tuple[socket.socket, BinaryIO],
) -> None:
    client, stream = pair
    slots = UploadSlots(most=1)
    slots.open(stream, 10).close()
    with pytest.raises(falcon.HTTPServiceUnavailable):
        slots.open(stream, 10)
    client.shutdown(socket.SHUT_WR)  # the thread that reads ends

    def is_free() -> bool:
        try:
            slots.open(stream, 0).close()
        except falcon.HTTPServiceUnavailable:
            return False
        return True

    wait_until(is_free, 10, "the upload still counts")
