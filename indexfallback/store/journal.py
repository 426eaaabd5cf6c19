"""The journal: a second copy of the records that safety depends on, in a file of its own.

Each line is one change of the owners or pins: the CRC-32 of the rest in hexadecimal, a space, and a
JSON array of the kind and the values. The file is read only when the database is made again, and by
``cache verify``; a damaged line is passed over. When it has grown to twice what it was, it is to be
written anew without what later lines have undone (`compaction`); its first line says what it was.

Locks: `append`, `replace`, `mark` and `finish` are called inside a write transaction of the
database, so one thread of one process writes at a time, and the order of the lines is that of the
transactions.
"""

import contextlib
import os
import zlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, NamedTuple

import msgspec

_FLAGS = os.O_WRONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0)
_NEW = _FLAGS | os.O_CREAT | os.O_EXCL
#: Length of the checksum and the space.
_SUM = 9
#: A file up to this size, bytes, is not written anew.
_SMALL = 1 << 20
#: Kind of the first line of a file that was written as a whole: the size it had then.
_WHOLE = "whole"
#: Bytes copied at once.
_COPIED = 1 << 20
#: Most bytes of the first line.
_FIRST = 64

Value = str | float | int | None


class Change(NamedTuple):
    """One change. The values are those of the statement for its kind."""

    kind: str
    values: tuple[Value, ...]


class Mark(NamedTuple):
    """A place in the file."""

    file: os.stat_result
    size: int

    def is_near(self, end: "Mark", distance: int) -> bool:
        """Tell whether so few bytes are between this and a later mark, or it is of another file."""
        is_same = os.path.samestat(self.file, end.file)
        return not is_same or end.size - self.size < distance


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


def _sync(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())


class Journal:
    """The file, which is opened for writing with the first change."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._new = path.with_name(f"{path.name}.new")
        self._fd: int | None = None
        #: Size from which on the open file is to be written anew.
        self._most = 0
        #: Whether the file has reached that size.
        self.is_due = False

    def append(self, changes: Sequence[Change]) -> bool:
        """Append changes; return False if there is no file. Raises OSError.

        As in the database, a power cut may lose the last records: there is no sync for each.
        """
        fd = self._opened()
        if fd is None:
            return False
        size = os.fstat(fd).st_size
        self.is_due = size > self._most
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
        with self.begin(changes) as new:
            self._put(new)

    def mark(self) -> Mark | None:
        """Return the end of the file, from which on `finish` copies; None without a file."""
        fd = self._opened()
        if fd is None:
            return None
        status = os.fstat(fd)
        return Mark(status, status.st_size)

    def begin(self, changes: Iterable[Change]) -> BinaryIO:
        """Write ``changes`` to a file beside this one, and return it open; raises OSError."""
        self.discard()  # that of a process that was killed
        file = os.fdopen(os.open(self._new, _NEW, 0o600), "w+b")
        try:
            file.write(_first_line(0))
            file.writelines(map(line, changes))
            _sync(file)
        except BaseException:
            file.close()
            raise
        return file

    def follow(self, new: BinaryIO, start: Mark, end: Mark) -> None:
        """Copy what was appended between two marks to a file of `begin`; raises OSError.

        It does not change any more, so this may be called outside of a transaction.
        """
        self._copy(new, start.size, end.size)
        _sync(new)

    def finish(self, new: BinaryIO, mark: Mark) -> None:
        """Replace the file by one of `begin` and what was appended to it after ``mark``.

        Does nothing if another process has replaced the file meanwhile. Raises OSError.
        """
        fd, is_same = self._opened(), os.path.samestat
        if fd is None or not is_same(os.fstat(fd), mark.file):
            return
        if not self._new.exists() or not is_same(self._new.stat(), os.fstat(new.fileno())):
            return
        self._copy(new, mark.size, os.fstat(fd).st_size)
        self._put(new)

    def _copy(self, new: BinaryIO, start: int, end: int) -> None:
        with self.path.open("rb") as old:
            old.seek(start)
            new.write(b"\n")  # ends the line of a process that was killed while it wrote
            while start < end and (data := old.read(min(_COPIED, end - start))):
                new.write(data)
                start += len(data)

    def discard(self) -> None:
        """Remove the file of `begin` if it was not needed; raises OSError."""
        self._new.unlink(missing_ok=True)

    def _put(self, new: BinaryIO) -> None:
        size = new.tell()
        new.seek(0)
        new.write(_first_line(size))
        _sync(new)
        new.close()  # Windows renames no open file
        self.close()
        self._new.replace(self.path)

    def postpone(self) -> None:
        """Let the file grow to twice its size before it is due again."""
        self._most = 2 * self.size()

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
