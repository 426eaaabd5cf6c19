"""Tells whether a distribution is complete, or still being written and so cut short.

A file that does not begin as an archive counts as complete: clients refuse it by themselves.
"""

import os
import zipfile
from collections.abc import Callable
from io import BufferedIOBase
from pathlib import Path

from indexfallback.dists.compression import DAMAGED, MAGIC_BYTES, unpacker

#: The time after which an unchanged file is settled, seconds: writers of local files pause for
#: milliseconds, and a new file has to be visible within a second.
SETTLED = 0.5
_SECOND = 10**9
_PIECE = 1 << 20
#: The most pieces of an archive that are unpacked, a GB in all: sdists have fewer, bombs have
#: millions.
_PIECES = 1024
_ZIP = b"PK\x03\x04"


def is_settled(status: os.stat_result, now: float) -> bool:
    """Tell whether a file seems to be no longer written.

    Writing sets both mtime and ctime. A rename, a link or a change of times, with which careful
    programs end, sets only ctime.
    """
    # On other systems ctime is not the time of a change.
    if os.name == "posix" and status.st_ctime_ns > status.st_mtime_ns:
        return True
    return abs(now - status.st_mtime_ns / _SECOND) >= SETTLED


def breaks_off(path: Path) -> bool:
    """Tell whether a file is empty, or an archive that is cut short. Raises OSError."""
    with path.open("rb") as file:
        start = file.read(MAGIC_BYTES)
    if start.startswith(_ZIP):
        return not zipfile.is_zipfile(path)
    unpack = unpacker(start)
    return _ends_early(path, unpack) if unpack is not None else not start


def _ends_early(path: Path, unpack: Callable[[Path], BufferedIOBase]) -> bool:
    try:
        with unpack(path) as file:
            for _ in range(_PIECES):
                if not file.read(_PIECE):
                    return False
    except EOFError:
        return True
    except DAMAGED:  # damaged, but not cut short
        return False
    return False
