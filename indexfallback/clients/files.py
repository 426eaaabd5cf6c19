"""Files that belong to users, read and written whole or not at all."""

import contextlib
import os
import stat
import tempfile
from pathlib import Path

from indexfallback.errors import ConfigError

#: Of a file that was not there: it may come to hold a password.
_PRIVATE = 0o600


def write(file: Path, text: str, mode: int | None = None) -> tuple[Path, ...]:
    """Write a file, through a link to where it leads; return the directories made for it.

    It keeps its mode unless one is given; a new file is for its owner alone.
    """
    target = file.resolve()
    made = tuple(folder for folder in target.parents if not folder.exists())
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if mode is None:
        mode = stat.S_IMODE(target.stat().st_mode) if target.exists() else _PRIVATE
    descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(text.encode("utf-8", "surrogateescape"))
            stream.flush()
            os.fsync(stream.fileno())
        Path(name).chmod(mode)
        Path(name).replace(target)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(name).unlink()
        raise
    return made


def write_configuration(file: Path, text: str) -> None:
    """Write our own configuration file, which may hold passwords; raises `ConfigError`."""
    try:
        write(file, text, mode=0o600)
    except OSError as error:
        raise ConfigError(
            str(file),
            f"the configuration cannot be written ({error.strerror})",
            "choose another place with --config",
        ) from error


def remove(file: Path, made: tuple[Path, ...]) -> None:
    """Remove a file, and the directories that were made for it if nothing else is there now."""
    with contextlib.suppress(FileNotFoundError, NotADirectoryError):
        file.resolve().unlink()
    with contextlib.suppress(OSError):  # somebody else has put something there
        for folder in made:
            folder.rmdir()
