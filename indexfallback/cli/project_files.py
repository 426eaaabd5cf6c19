"""Finds, reads and writes the files that clients write addresses into: a project's, and uv's."""

import codecs
import os
import stat
from collections.abc import Iterator
from itertools import islice
from pathlib import Path, PurePath
from typing import NamedTuple

from indexfallback.cli.output import tilde
from indexfallback.clients import files, toml
from indexfallback.clients.machine import this_machine
from indexfallback.clients.places import uv_tools
from indexfallback.config.units import InvalidValueError
from indexfallback.doctor.project_file import PATTERNS, Kind, ProjectFile

#: Bytes of a file; the lock files of large projects have several MB.
_MOST = 64 * 1024**2
#: Members of a workspace, and files of one kind in a directory; a large monorepo has hundreds.
_MOST_FILES = 1000
#: Marks at the start of a file, and the encodings; PowerShell writes requirements in UTF-16.
_MARKS = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}


class OpenFile(NamedTuple):
    """A file that was read, so that it can be written back in its encoding."""

    path: Path
    content: ProjectFile
    encoding: str

    @property
    def is_read_only(self) -> bool:
        """Whether its mode or its owner forbids this user to write it."""
        mode = self.path.stat().st_mode
        return not mode & stat.S_IWUSR or not os.access(self.path, os.W_OK)

    def write(self, text: str) -> None:
        """Replace its text; raises `OSError`."""
        files.write_bytes(self.path, text.encode(self.encoding, _errors(self.encoding)))


def project_files(here: Path) -> list[OpenFile]:
    """Return the files of the project in a directory and its workspace, and uv's receipts.

    Each file is returned once, by whatever link it is found. What cannot be read is left out: its
    client cannot read it either.
    """
    found: dict[Path, OpenFile] = {}
    for kind, path in _candidates(here):
        target = path.resolve()
        file = None if target in found else _read(path, kind, here)
        if file is not None:
            found[target] = file
    return list(found.values())


def _candidates(here: Path) -> Iterator[tuple[Kind, Path]]:
    for folder in (here, *_members(here)):
        for kind, patterns in PATTERNS.items():
            for pattern in patterns:
                for path in sorted(islice(folder.glob(pattern), _MOST_FILES)):
                    yield kind, path
    receipts = Path(uv_tools(this_machine())).glob("*/uv-receipt.toml")
    for path in sorted(islice(receipts, _MOST_FILES)):
        yield Kind.SETTINGS, path


def _members(here: Path) -> list[Path]:
    """Return the directories of the members of uv's workspace that are below a directory."""
    file = _read(here / "pyproject.toml", Kind.SETTINGS, here)
    try:
        document = toml.parse(file.content.text) if file else {}
    except InvalidValueError:  # its clients report it
        return []
    patterns = toml.value_of(document, ("tool", "uv", "workspace", "members"))
    if not isinstance(patterns, list):
        return []
    found: dict[Path, None] = {}
    for pattern in map(str, patterns):
        # A member outside is no part of the project in this directory.
        if pattern and not PurePath(pattern).is_absolute() and ".." not in PurePath(pattern).parts:
            members = (path for path in here.glob(pattern) if path.is_dir())
            found |= dict.fromkeys(sorted(islice(members, _MOST_FILES)))
    return [path for path in found if path != here]


def _read(path: Path, kind: Kind, here: Path) -> OpenFile | None:
    try:
        status = path.stat()
        # A pipe has no end.
        if not stat.S_ISREG(status.st_mode) or status.st_size > _MOST:
            return None
        data = path.read_bytes()
    except OSError:  # it does not exist, or clients cannot read it either
        return None
    encoding = _MARKS.get(data[:2], "utf-8")
    try:
        text = data.decode(encoding, _errors(encoding))
    except UnicodeDecodeError:  # only of UTF-16: it is something else
        encoding = "utf-8"
        text = data.decode(encoding, _errors(encoding))
    shown = str(path.relative_to(here)) if path.is_relative_to(here) else tilde(path)
    return OpenFile(path, ProjectFile(shown, kind, text), encoding)


def _errors(encoding: str) -> str:
    """Return how bytes that are not valid survive reading and writing."""
    return "surrogateescape" if encoding == "utf-8" else "surrogatepass"
