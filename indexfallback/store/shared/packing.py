"""Tables that are one object: MessagePack, compressed; zlib's checksum finds a damaged one."""

import zlib
from typing import TypeVar

import msgspec

from indexfallback.store.shared.bucket import MOST_IN_MEMORY

T = TypeVar("T")


def packed(value: object) -> bytes:
    """Return the object of a value."""
    return zlib.compress(msgspec.msgpack.encode(value), 1)


def unpacked(data: bytes | None, kind: type[T]) -> T | None:
    """Return the value of an object, or None if there is none or it is damaged."""
    if data is None:
        return None
    try:
        whole = zlib.decompressobj().decompress(data, MOST_IN_MEMORY)
        return msgspec.msgpack.decode(whole, type=kind)
    except (zlib.error, msgspec.DecodeError, UnicodeDecodeError):
        return None
