"""What the set-up of clients looks at: the system, the environment, and files, all given."""

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePath

from indexfallback.errors import IndexFallbackError


@dataclass(eq=False)
class ClientFileError(IndexFallbackError):
    """A file of a client or of a project cannot be read, understood or written."""

    file: PurePath
    problem: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.file}: {self.problem}; {self.remedy}"


@dataclass(frozen=True, kw_only=True)
class Machine:
    """The machine of a user, or one that a test has made up."""

    #: As ``sys.platform`` has it: ``linux``, ``darwin``, ``win32``.
    platform: str
    environ: Mapping[str, str]
    home: PurePath
    #: Of the Python that runs this, whose pip reads a file there.
    prefix: PurePath
    #: The current directory: a project there may have files of its own.
    cwd: PurePath
    #: Of a file: its text, empty if there is none; raises `ClientFileError` if it cannot be read.
    read: Callable[[PurePath], str]
    #: Of a file or directory.
    exists: Callable[[PurePath], bool]

    def directory(self, variable: str, *default: str) -> PurePath:
        """Return the directory that a variable names, else one below the home directory."""
        named = self.environ.get(variable)
        return type(self.home)(named) if named else self.home.joinpath(*default)


def this_machine() -> Machine:
    """Return the machine that this process runs on."""
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
    """Return a file's text, which survives being written whatever its encoding; empty if none.

    Raises:
        ClientFileError: it is there and cannot be read.

    """
    try:
        return Path(path).read_bytes().decode("utf-8", "surrogateescape")
    except (FileNotFoundError, NotADirectoryError):
        return ""
    except OSError as error:
        problem = f"the file cannot be read ({error.strerror})"
        raise ClientFileError(path, problem, "make it a file that you may read") from error
