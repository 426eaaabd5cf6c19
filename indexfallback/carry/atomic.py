"""Files that appear under their name only when they are complete."""

import os
import re
import uuid
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from indexfallback.store.disk import sync_directory
from indexfallback.store.locks import lock_descriptor

#: The name of a file until it is complete.
_TEMPORARY = re.compile(r"\.(?P<name>.+)\.[0-9a-f]{32}")


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """Give a new file that is renamed to ``path`` when it is complete and durable, or removed."""
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        with temporary.open("xb") as file:
            # Shows `remove_abandoned` that the file has a writer.
            lock_descriptor(file.fileno())
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        sync_directory(path.absolute().parent)
    finally:
        temporary.unlink(missing_ok=True)


def remove_abandoned(directory: Path, names: Collection[str]) -> None:
    """Remove the incomplete files of these names whose writers were killed.

    Files that another process is writing stay; on systems without locks (Windows) all files stay.
    """
    for path in directory.glob(".*"):
        found = _TEMPORARY.fullmatch(path.name)
        if found and found["name"] in names:
            _remove_unless_written(path)


def _remove_unless_written(path: Path) -> None:
    try:
        fd = os.open(path, os.O_RDWR | getattr(os, "O_NOFOLLOW", 0))
    except OSError:  # renamed meanwhile, or another user's
        return
    try:
        if lock_descriptor(fd):
            path.unlink(missing_ok=True)
    finally:
        os.close(fd)
