"""Passes a body on while it comes: of a known length, chunked (RFC 9112, 7.1), or until the end."""

from collections.abc import Iterator

from indexfallback.tunnel.heads import Framing, HeadError, Length
from indexfallback.tunnel.streams import PIECE, EndOfStreamError, Stream

#: Trailer fields at most, which are dropped (RFC 9110, 6.5.1).
_MOST_TRAILERS = 100
#: A chunk size of more digits is an error.
_MOST_DIGITS = 15


def pieces(stream: Stream, length: Length) -> Iterator[memoryview]:
    """Yield the bytes of a body as they come; each piece is valid until the next one.

    Raises OSError if the connection breaks, and `HeadError` for chunks that are not valid.
    """
    buffer = memoryview(bytearray(PIECE if isinstance(length, Framing) else min(PIECE, length)))
    if length is Framing.UNTIL_CLOSE:
        while size := stream.read_into(buffer):
            yield buffer[:size]
    elif length is Framing.CHUNKED:
        yield from _chunks(stream, buffer)
    else:
        yield from _counted(stream, buffer, int(length))


def _counted(stream: Stream, buffer: memoryview, left: int) -> Iterator[memoryview]:
    while left:
        size = stream.read_into(buffer[:left])
        if not size:
            raise EndOfStreamError
        left -= size
        yield buffer[:size]


def _chunks(stream: Stream, buffer: memoryview) -> Iterator[memoryview]:
    while size := _chunk_size(stream.read_line()):
        yield from _counted(stream, buffer, size)
        if stream.read_line():
            raise HeadError("a chunk is longer than it says")
    for _ in range(_MOST_TRAILERS):
        if not stream.read_line():
            return
    raise HeadError("too many trailer fields")


def _chunk_size(line: bytes) -> int:
    digits = line.partition(b";")[0].strip(b" \t")
    if not digits or len(digits) > _MOST_DIGITS or digits.strip(b"0123456789abcdefABCDEF"):
        raise HeadError("a chunk size is not valid")
    return int(digits, 16)


def coded(body: Iterator[memoryview], length: Length) -> Iterator[memoryview | bytes]:
    """Yield the bytes of a body as they are sent: chunked, or as they are."""
    if length is not Framing.CHUNKED:
        yield from body
        return
    for piece in body:
        yield b"".join((b"%x\r\n" % len(piece), piece, b"\r\n"))
    yield b"0\r\n\r\n"
