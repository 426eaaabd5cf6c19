"""Undoes the content coding of a file that came encoded (RFC 9110, 8.4.1)."""

import zlib
from collections.abc import Iterable, Iterator

#: Bytes decoded at once.
_PIECE = 1 << 20
#: The codings that are known, each with the window bits that zlib knows it by.
_WINDOW_BITS = {
    "gzip": 16 + zlib.MAX_WBITS,
    "x-gzip": 16 + zlib.MAX_WBITS,
    "deflate": zlib.MAX_WBITS,
}


class CodingError(ValueError):
    """Bytes are not of the coding that is stated, or it is not known."""


def decoded(pieces: Iterable[bytes], coding: str, most: int) -> Iterator[bytes]:
    """Yield the decoded bytes, at most ``most``.

    Raises:
        CodingError: They cannot be decoded, end early, or are too many.

    """
    if coding not in _WINDOW_BITS:
        raise CodingError(coding)
    size, decoder = 0, zlib.decompressobj(_WINDOW_BITS[coding])
    try:
        for piece in pieces:
            rest = piece
            while rest:
                if decoder.eof:  # gzip is a series of members
                    decoder = zlib.decompressobj(_WINDOW_BITS[coding])
                data = decoder.decompress(rest, _PIECE)
                rest = decoder.unconsumed_tail or decoder.unused_data
                size += len(data)
                if size > most:
                    raise CodingError(f"more than {most} bytes")
                yield data
    except zlib.error as error:
        raise CodingError(str(error)) from error
    if not decoder.eof:
        raise CodingError("it ends early")
