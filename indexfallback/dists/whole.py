"""Whether a distribution is whole: one that is still being written is an archive that breaks off.

What does not begin as an archive is not judged here: clients refuse it by themselves.
"""

import os
import zipfile
import zlib
from bz2 import BZ2File
from collections.abc import Callable
from gzip import BadGzipFile, GzipFile
from io import BufferedIOBase
from lzma import LZMAError, LZMAFile
from pathlib import Path

#: Nothing was written to a settled file for this long, seconds: writers of local files pause for
#: milliseconds, and what is put into a directory is to be seen within a second.
SETTLED = 0.5
_SECOND = 10**9
_PIECE = 1 << 20
#: At most so many pieces of an archive are unpacked, a GB in all: no sdist has as many, and a bomb
#: has millions.
_PIECES = 1024
_ZIP = b"PK\x03\x04"
#: How each kind of compressed archive begins, and what unpacks it.
_COMPRESSED: dict[bytes, Callable[[Path], BufferedIOBase]] = {
    b"\x1f\x8b": GzipFile,
    b"BZh": BZ2File,
    b"\xfd7zXZ": LZMAFile,
}


def is_settled(status: os.stat_result, now: float) -> bool:
    """Tell whether nobody seems to write to a file any more.

    Writing sets both of its times. Once it has been renamed, linked or given its times, as by
    programs that copy with care, the change (ctime) is the later one.
    """
    # Elsewhere this is not the time of a change.
    if os.name == "posix" and status.st_ctime_ns > status.st_mtime_ns:
        return True
    return abs(now - status.st_mtime_ns / _SECOND) >= SETTLED


def breaks_off(path: Path) -> bool:
    """Tell whether a file is empty, or an archive that ends before its end. Raises OSError."""
    with path.open("rb") as file:
        start = file.read(6)
    if start.startswith(_ZIP):
        return not zipfile.is_zipfile(path)
    for magic, unpack in _COMPRESSED.items():
        if start.startswith(magic):
            return _ends_early(path, unpack)
    return not start


def _ends_early(path: Path, unpack: Callable[[Path], BufferedIOBase]) -> bool:
    try:
        with unpack(path) as file:
            for _ in range(_PIECES):
                if not file.read(_PIECE):
                    return False
    except EOFError:
        return True
    except (zlib.error, LZMAError, BadGzipFile):  # damaged, and not by being cut short
        return False
    return False
