"""Writes and removes the files of users; each write is atomic."""

import contextlib
import os
import stat
import tempfile
from pathlib import Path

from indexfallback.errors import ConfigError

#: Mode of a new file, which may contain a password.
PRIVATE = 0o600
#: The permissions of group and others.
_OTHERS = 0o077


def write(file: Path, text: str, mode: int | None = None) -> tuple[Path, ...]:
    """Write a file, or the target of a symbolic link; return the directories that were created.

    An existing file keeps its mode unless ``mode`` is given; only the owner can read a new file.
    """
    return write_bytes(file, text.encode("utf-8", "surrogateescape"), mode)


def write_bytes(file: Path, content: bytes, mode: int | None = None) -> tuple[Path, ...]:
    """Write a file as `write` does, whatever its encoding."""
    target = file.resolve()
    made = tuple(folder for folder in target.parents if not folder.exists())
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if mode is None:
        mode = stat.S_IMODE(target.stat().st_mode) if target.exists() else PRIVATE
    descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        Path(name).chmod(mode)
        Path(name).replace(target)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(name).unlink()
        raise
    return made


def open_mode(file: Path) -> int | None:
    """Return the permissions of a file that other users may read; None if they may not."""
    try:
        mode = stat.S_IMODE(file.stat().st_mode)
    except OSError:  # it does not exist, or `machine.read` has told of it
        return None
    return mode if os.name == "posix" and mode & _OTHERS else None


def write_configuration(file: Path, text: str) -> None:
    """Write our configuration file, which may contain passwords; raises `ConfigError`."""
    try:
        write(file, text, mode=0o600)
    except OSError as error:
        raise ConfigError(
            str(file),
            f"the configuration cannot be written ({error.strerror})",
            "choose another path with --config",
        ) from error


def remove(file: Path, made: tuple[Path, ...]) -> None:
    """Remove a file, and those of the directories ``made`` for it that are empty."""
    with contextlib.suppress(FileNotFoundError, NotADirectoryError):
        file.resolve().unlink()
    with contextlib.suppress(OSError):  # not empty any more
        for folder in made:
            folder.rmdir()
