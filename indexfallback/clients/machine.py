"""The machine of a user: its system, environment and files, or those that a test gives."""

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePath

from indexfallback.errors import LocatedError


class ClientFileError(LocatedError):
    """The file ``where`` of a client or a project is not valid, or cannot be read or written."""


@dataclass(frozen=True, kw_only=True)
class Machine:
    """The machine of a user, or of a test."""

    #: As in ``sys.platform``: ``linux``, ``darwin``, ``win32``.
    platform: str
    environ: Mapping[str, str]
    home: PurePath
    #: ``sys.prefix``: pip reads a file there.
    prefix: PurePath
    #: The current directory, which may have files of a project.
    cwd: PurePath
    #: Returns the text of a file, empty if it does not exist; raises `ClientFileError`.
    read: Callable[[PurePath], str]
    #: Tells whether a file or directory exists.
    exists: Callable[[PurePath], bool]

    def directory(self, variable: str, *default: str) -> PurePath:
        """Return the directory in an environment variable, or a default in the home directory."""
        named = self.environ.get(variable)
        return type(self.home)(named) if named else self.home.joinpath(*default)


def this_machine() -> Machine:
    """Return the machine of this process."""
    return Machine(
        platform=sys.platform,
        environ=os.environ,
        home=Path.home(),
        prefix=Path(sys.prefix),
        cwd=Path.cwd(),
        read=read,
        exists=lambda path: Path(path).exists(),
    )


def read(path: PurePath) -> str:
    """Return the text of a file, empty if it does not exist; `files.write` restores its bytes.

    Raises:
        ClientFileError: it exists and cannot be read.

    """
    try:
        return Path(path).read_bytes().decode("utf-8", "surrogateescape")
    except (FileNotFoundError, NotADirectoryError):
        return ""
    except OSError as error:
        problem = f"the file cannot be read ({error.strerror})"
        raise ClientFileError(str(path), problem, "make it a file that you can read") from error
