"""Bodies of local files, in the form that upstreams return."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from indexfallback.outcome import Kind, Outcome
from indexfallback.upstream.answers import Body, Part, TransferError

_PIECE = 1 << 20


def body_of_bytes(data: bytes) -> Body:
    """Return the body of bytes in memory."""
    pieces = iter((data,))
    return Body(0, len(data), lambda: next(pieces, b""), lambda: None)


def body_of_file(path: Path, offset: int) -> Body:
    """Return the body of a file from ``offset``; raises OSError if it cannot be opened."""
    file = path.open("rb")
    try:
        total = os.fstat(file.fileno()).st_size
        file.seek(offset)
    except OSError:
        file.close()
        raise
    return Body(offset, total, _reader(file, path), file.close)


def part_of_file(path: Path, wanted: Part) -> tuple[bytes, int]:
    """Return some bytes of a file, and its length; raises OSError."""
    with path.open("rb") as file:
        total = os.fstat(file.fileno()).st_size
        start, stop = wanted.of(total)
        file.seek(start)
        return file.read(max(0, stop - start)), total


def _reader(file: BinaryIO, path: Path) -> Callable[[], bytes]:
    def read() -> bytes:
        try:
            return file.read(_PIECE)
        except OSError as error:
            raise TransferError(Outcome(Kind.FAILED, f"{path}: {error.strerror}")) from error

    return read
