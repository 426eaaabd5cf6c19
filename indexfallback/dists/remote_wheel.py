"""The metadata inside a wheel at a server, of which only some ranges of bytes are read.

The end of a zip archive says where its list of members is, and that says where METADATA is. The
standard library reads both, in a file whose missing bytes are fetched when they are read.
"""

from collections.abc import Callable
from typing import TypeAlias

from indexfallback.dists.bounds import ArchiveError
from indexfallback.dists.wheel import read_open_wheel

#: Bytes at the end of a wheel that are fetched first. They have room for the end record behind
#: the longest comment (64 KiB) with the two records of Zip64, and hold the list of 600 members;
#: most wheels have fewer, with METADATA just before the list. On a line of 10 Mbit/s, these bytes
#: take as long as one request to a server 50 ms away.
TAIL = 66 * 1024
#: The most bytes fetched of one wheel. Its list of members takes 50 to 150 bytes for each: that of
#: the largest wheels, with ten thousand members and gigabytes of code, is above 1 MB.
MOST = 4 * 1024 * 1024

#: Returns the bytes from a start up to, not including, a stop; what it raises is passed on.
Fetch: TypeAlias = Callable[[int, int], bytes]


def read_remote_metadata(filename: str, size: int, tail: bytes, fetch: Fetch) -> bytes:
    """Return the METADATA of a wheel of ``size`` bytes that ends with ``tail``.

    Few more bytes are fetched, in two requests at most unless the archive is unusual. Raises
    `ArchiveError` if there is no reliable METADATA, or if more than `MOST` bytes would be fetched.
    """
    file = _RemoteFile(size, tail, fetch)
    return read_open_wheel(file, filename, file.fetch)


class _RemoteFile:
    """A seekable file, of which the bytes that are not here are fetched when they are read."""

    def __init__(self, size: int, tail: bytes, fetch: Fetch) -> None:
        self._size = size
        self._fetch = fetch
        self._position = 0
        self._left = MOST
        #: Start of each piece that is here, and its bytes: sorted, without an overlap.
        self._pieces = [(size - len(tail), tail)] if tail else []

    def seekable(self) -> bool:
        """Return True."""
        return True

    def tell(self) -> int:
        """Return the position."""
        return self._position

    def seek(self, offset: int, whence: int = 0) -> int:
        """Go to a position, as `io.IOBase.seek` does; raises ValueError before the start."""
        position = (0, self._position, self._size)[whence] + offset
        if position < 0:
            raise ValueError("a position before the start of the archive")
        self._position = position
        return position

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes; those that are not here are fetched."""
        start = min(self._position, self._size)
        stop = self._size if size < 0 else min(start + size, self._size)
        self.fetch(start, stop)
        self._position = stop
        return b"".join(
            piece[max(0, start - first) : stop - first]
            for first, piece in self._pieces
            if first < stop and start < first + len(piece)
        )

    def fetch(self, start: int, stop: int) -> None:
        """Fetch those of the bytes that are not here; a range may lie outside of the file."""
        for first, last in self._gaps(max(0, start), min(stop, self._size)):
            self._left -= last - first
            if self._left < 0:
                raise ArchiveError(f"its metadata cannot be read within {MOST} bytes of it")
            self._pieces.append((first, self._fetch(first, last)))
        self._pieces.sort(key=lambda piece: piece[0])

    def _gaps(self, start: int, stop: int) -> list[tuple[int, int]]:
        gaps = []
        for first, piece in self._pieces:
            if start < first < stop:
                gaps.append((start, first))
            start = max(start, min(first + len(piece), stop)) if first < stop else start
        return [*gaps, (start, stop)] if start < stop else gaps
