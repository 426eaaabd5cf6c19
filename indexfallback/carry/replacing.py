"""Files that are written for elsewhere: whole under their name, or not there."""

import os
import re
import uuid
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from indexfallback.store.disk import sync_directory
from indexfallback.store.locks import lock_descriptor

#: What a file is called until it is whole.
_TEMPORARY = re.compile(r"\.(?P<name>.+)\.[0-9a-f]{32}")


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """Give a new file that takes the name ``path`` once it is whole and durable, or is removed."""
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        with temporary.open("xb") as file:
            # Tells `remove_left` that somebody writes it.
            lock_descriptor(file.fileno())
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        sync_directory(path.absolute().parent)
    finally:
        temporary.unlink(missing_ok=True)


def remove_left(directory: Path, names: Collection[str]) -> None:
    """Remove what `replacing` has left where it was killed while it wrote files of these names.

    What another process is writing stays, as does everything on systems without locks (Windows).
    """
    for path in directory.glob(".*"):
        found = _TEMPORARY.fullmatch(path.name)
        if found and found["name"] in names:
            _remove_unless_written(path)


def _remove_unless_written(path: Path) -> None:
    try:
        fd = os.open(path, os.O_RDWR | getattr(os, "O_NOFOLLOW", 0))
    except OSError:  # it is whole meanwhile, or somebody else's
        return
    try:
        if lock_descriptor(fd):
            path.unlink(missing_ok=True)
    finally:
        os.close(fd)
