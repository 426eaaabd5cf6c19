"""Bodies pass through a stream unchanged, however they are divided and coded."""

import socket
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexfallback.tunnel.bodies import coded, pieces
from indexfallback.tunnel.heads import Framing, HeadError, Length
from indexfallback.tunnel.streams import EndOfStreamError, Stream

SECONDS = 10.0


@contextmanager
def sent(parts: Iterable[bytes]) -> Iterator[Stream]:
    """Give a stream of what another thread sends in parts before it closes."""
    ours, theirs = socket.socketpair()

    def send() -> None:
        with theirs:
            for part in parts:
                theirs.sendall(part)

    thread = threading.Thread(target=send)
    with ours:
        ours.settimeout(SECONDS)
        thread.start()
        yield Stream(ours)
        while ours.recv(65536):
            pass
    thread.join(SECONDS)


def read(parts: Iterable[bytes], length: Length) -> bytes:
    with sent(parts) as stream:
        return b"".join(bytes(piece) for piece in pieces(stream, length))


def divided(data: bytes, cuts: list[int]) -> list[bytes]:
    places = sorted({min(cut, len(data)) for cut in cuts} | {0, len(data)})
    return [data[start:end] for start, end in pairwise(places)]


def views(parts: list[bytes]) -> Iterator[memoryview]:
    return (memoryview(part) for part in parts)


_BODIES = st.lists(st.binary(min_size=1, max_size=50), max_size=6)
_CUTS = st.lists(st.integers(0, 400), max_size=6)


@given(_BODIES, _CUTS, st.sampled_from([Framing.CHUNKED, Framing.UNTIL_CLOSE]))
def test_what_is_coded_is_read_again(body: list[bytes], cuts: list[int], length: Framing) -> None:
    data = b"".join(map(bytes, coded(views(body), length)))
    assert read(divided(data, cuts), length) == b"".join(body)


@given(_BODIES, _CUTS, st.binary(max_size=20))
def test_no_byte_after_the_body_is_taken(body: list[bytes], cuts: list[int], rest: bytes) -> None:
    for length in (Framing.CHUNKED, sum(map(len, body))):
        data = b"".join(map(bytes, coded(views(body), length)))
        with sent(divided(data + rest, cuts)) as stream:
            assert b"".join(map(bytes, pieces(stream, length))) == b"".join(body)
            assert b"".join(map(bytes, pieces(stream, Framing.UNTIL_CLOSE))) == rest


@given(_BODIES.filter(bool), st.data())
def test_a_body_that_breaks_off_is_an_error(body: list[bytes], data: st.DataObject) -> None:
    for length in (Framing.CHUNKED, sum(map(len, body))):
        whole = b"".join(map(bytes, coded(views(body), length)))
        cut = data.draw(st.integers(0, len(whole) - 1))
        with pytest.raises(EndOfStreamError):
            read([whole[:cut]] if cut else [], length)


def test_extensions_and_trailers_are_dropped() -> None:
    data = b'003 ; a="b"\r\nabc\r\n0;x\r\nTrailer: 1\r\nOther: 2\r\n\r\n'
    assert read([data], Framing.CHUNKED) == b"abc"


@pytest.mark.parametrize(
    "data",
    [b"g\r\n", b"-1\r\n", b"0x3\r\n", b"\r\n", b"3\r\nabcd\r\n", b"1" * 16 + b"\r\n",
     b"0\r\n" + b"a: b\r\n" * 101, b"1" * 100_000],
)  # fmt: skip
def test_wrong_chunks_are_an_error(data: bytes) -> None:
    with pytest.raises(HeadError):
        read([data + b"\r\n"], Framing.CHUNKED)


def test_a_large_body_comes_in_pieces() -> None:
    part = bytes(1_000_000)
    with sent([part] * 5) as stream:
        sizes = [len(piece) for piece in pieces(stream, 5_000_000)]
    assert (sum(sizes), max(sizes) <= 256 * 1024) == (5_000_000, True)


def test_an_exact_stream_leaves_what_follows_the_head() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        stream = Stream(ours, exact=True)
        theirs.sendall(b"\r\nCONNECT a:1 HTTP/1.1\r\n\r")
        sender = threading.Timer(0.05, theirs.sendall, (b"\n\x16\x03",))
        sender.start()
        assert stream.read_head(SECONDS, SECONDS) == b"CONNECT a:1 HTTP/1.1\r\n\r\n"
        assert ours.recv(100) == b"\x16\x03"
        sender.join()


def test_a_head_without_an_end_is_an_error() -> None:
    with sent([b"a: b\r\n" * 30_000]) as stream, pytest.raises(HeadError, match="too long"):
        stream.read_head(SECONDS, SECONDS)


def test_a_head_must_be_complete_in_time() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(b"GET /")
        with pytest.raises(TimeoutError):
            Stream(ours).read_head(SECONDS, 0.05)
