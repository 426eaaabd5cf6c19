"""The private directory of a tunnel: removed with it; if it is killed, by the next tunnel.

A lock in the directory tells whether its process lives. Another lock, beside the directories, is
held while one is made and while leftovers are removed, so that a new one is not taken for one.
"""

import contextlib
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import platformdirs

from indexfallback.errors import TunnelError
from indexfallback.store.locks import FileLock

#: Another tunnel holds the lock beside the directories for milliseconds.
_LOCK_SECONDS = 5.0
_PREFIX = "run-"
_LOCK = "lock"


@contextlib.contextmanager
def base_directory() -> Iterator[Path]:
    """Yield where tunnels keep their directories.

    If the home directory is read-only, as in some containers, that is a new temporary directory.
    """
    path = platformdirs.user_state_path("indexfallback") / "tunnel"
    with contextlib.suppress(OSError):  # it cannot be made
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    if os.access(path, os.W_OK):
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="indexfallback-", ignore_cleanup_errors=True) as other:
        yield Path(other)


@contextlib.contextmanager
def private_directory(base: Path) -> Iterator[Path]:
    """Yield a new directory below ``base`` that only this user can read; remove it at the end.

    Raises `TunnelError` if it cannot be made.
    """
    try:
        base.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _alone(FileLock(base / _LOCK)):
            _remove_leftovers(base)
            path = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=base))
            own = FileLock(path / _LOCK)
            own.acquire()
    except OSError as error:
        raise TunnelError(
            str(base), f"no directory can be made there ({error.strerror})",
            "set XDG_STATE_HOME to a directory that can be written, or use `run --address`",
        ) from error  # fmt: skip
    try:
        yield path
    finally:
        own.release()  # Windows removes no open file
        shutil.rmtree(path, ignore_errors=True)


@contextlib.contextmanager
def _alone(lock: FileLock) -> Iterator[None]:
    ends = time.monotonic() + _LOCK_SECONDS
    while not lock.acquire():
        if time.monotonic() > ends:
            raise OSError(0, f"another process holds {lock.path}")
        time.sleep(0.01)  # a file lock cannot be waited for with a deadline
    try:
        yield
    finally:
        lock.release()


def _remove_leftovers(base: Path) -> None:
    for path in base.glob(f"{_PREFIX}*"):
        lock = FileLock(path / _LOCK)
        if path.is_dir() and lock.acquire():
            lock.release()
            shutil.rmtree(path, ignore_errors=True)
