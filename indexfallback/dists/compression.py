"""The compressions of tar archives, told apart by their first bytes."""

import zlib
from bz2 import BZ2File
from collections.abc import Callable
from gzip import BadGzipFile, GzipFile
from io import BufferedIOBase
from lzma import LZMAError, LZMAFile
from pathlib import Path

#: First bytes of a file that are enough to tell them apart.
MAGIC_BYTES = 6
_CLASSES: dict[bytes, Callable[[Path], BufferedIOBase]] = {
    b"\x1f\x8b": GzipFile,
    b"BZh": BZ2File,
    b"\xfd7zXZ": LZMAFile,
}
#: The exceptions for damaged content; EOFError is the one for content that is cut short.
DAMAGED = (zlib.error, LZMAError, BadGzipFile)


def unpacker(start: bytes) -> Callable[[Path], BufferedIOBase] | None:
    """Return the class that unpacks a file that begins so, or None if it is not compressed."""
    return next((each for magic, each in _CLASSES.items() if start.startswith(magic)), None)
