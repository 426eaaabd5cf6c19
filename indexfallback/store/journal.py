"""The journal: a second copy of the records that safety depends on, in a file of its own.

Each line is one change of the owners or pins: the CRC-32 of the rest in hexadecimal, a space, and a
JSON array of the kind and the values. The file is read only when the database is made again, and by
``cache verify``; a damaged line is passed over. It is written anew, without what later lines have
undone, when it has grown to twice what it was: its first line says how long that is.

Locks: `append` and `replace` are called inside a write transaction of the database, so one thread
of one process writes at a time, and the order of the lines is that of the transactions.
"""

import contextlib
import os
import zlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

_FLAGS = os.O_WRONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0)
_NEW = _FLAGS | os.O_CREAT | os.O_EXCL
#: Length of the checksum and the space.
_SUM = 9
#: A file up to this size, bytes, is not written anew.
_SMALL = 1 << 20
#: Kind of the first line of a file that was written as a whole: the size it had then.
_WHOLE = "whole"
#: Most bytes of the first line.
_FIRST = 64

Value = str | float | int | None


class Change(NamedTuple):
    """One change. The values are those of the statement for its kind."""

    kind: str
    values: tuple[Value, ...]


_decoder = msgspec.json.Decoder(tuple[str, tuple[Value, ...]])


def line(change: Change) -> bytes:
    """Return a change as a line of the file."""
    body = msgspec.json.encode(change)
    return b"%08x %s\n" % (zlib.crc32(body), body)


def parsed(text: bytes) -> Change | None:
    """Return the change of a line, or None if the line is damaged."""
    body = text[_SUM:].rstrip(b"\n")
    if text[:_SUM] != b"%08x " % zlib.crc32(body):
        return None
    try:
        return Change(*_decoder.decode(body))
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def _first_line(size: int) -> bytes:
    """Return the first line, which has the same length for every size."""
    return line(Change(_WHOLE, (f"{size:020}",)))


class Journal:
    """The file, which is opened for writing with the first change."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._fd: int | None = None
        #: Size at which the open file is written anew.
        self._most = 0

    def append(self, changes: Sequence[Change]) -> bool:
        """Append changes; return False if the file must be written anew. Raises OSError.

        As in the database, a power cut may lose the last records: there is no sync for each.
        """
        fd = self._opened()
        if fd is None:
            return False
        size = os.fstat(fd).st_size
        if size > self._most:
            return False
        # The first line break ends the line of a process that was killed while it wrote.
        view = memoryview(b"\n" + b"".join(map(line, changes)))
        try:
            while view:
                view = view[os.write(fd, view) :]
        except OSError:
            with contextlib.suppress(OSError):
                os.ftruncate(fd, size)
            raise
        return True

    def _opened(self) -> int | None:
        """Open the file, again if another process has replaced it; return None without one."""
        try:
            now = self.path.stat()
        except FileNotFoundError:
            return None
        if self._fd is not None and not os.path.samestat(now, os.fstat(self._fd)):
            self.close()
        if self._fd is None:
            self._fd = os.open(self.path, _FLAGS | os.O_APPEND)
            self._most = max(_SMALL, 2 * self._whole())
        return self._fd

    def _whole(self) -> int:
        """Return the size that the first line states; 0 without one."""
        with self.path.open("rb") as file:
            first = parsed(file.readline(_FIRST))
        is_size = first is not None and first.kind == _WHOLE
        return int(str(first.values[0])) if first is not None and is_size else 0

    def read(self, start: int = 0) -> Iterator[Change | None]:
        """Yield the changes from the byte ``start`` on, and None for each damaged line.

        Without a file there are none. Raises OSError. A line that is being written counts as
        damaged.
        """
        no_file = (FileNotFoundError, NotADirectoryError)
        with contextlib.suppress(*no_file), self.path.open("rb") as file:
            file.seek(start)
            for text in file:
                change = parsed(text)
                if text != b"\n" and (change is None or change.kind != _WHOLE):
                    yield change

    def replace(self, changes: Iterable[Change]) -> None:
        """Write a new file with ``changes`` alone, durably; raises OSError."""
        new = self.path.with_name(f"{self.path.name}.new")
        new.unlink(missing_ok=True)
        with os.fdopen(os.open(new, _NEW, 0o600), "wb") as file:
            file.write(_first_line(0))
            file.writelines(map(line, changes))
            size = file.tell()
            file.seek(0)
            file.write(_first_line(size))
            file.flush()
            os.fsync(file.fileno())
        self.close()  # Windows replaces no open file
        new.replace(self.path)

    def size(self) -> int:
        """Return the size of the file, bytes; 0 without one."""
        try:
            return self.path.stat().st_size
        except FileNotFoundError:
            return 0

    def close(self) -> None:
        """Close the file; it is opened again with the next change."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None
