"""The files of a project that clients write an address into, by their names; no I/O."""

import re
from enum import Enum
from typing import NamedTuple

#: The block of PEP 723, with either line end; a client reads nothing else of a script.
_SCRIPT = re.compile(r"^# /// script[ \t]*\r?\n(?:#[^\n]*\n)*?# ///[ \t]*\r?$", re.MULTILINE)


class Kind(Enum):
    """What the text of a file means, as far as addresses depend on it."""

    #: Each address of an index belongs to the project named before it.
    LOCK = "lock"
    #: The sources of pipenv, each with a name and its ``verify_ssl``.
    PIPENV = "pipenv"
    REQUIREMENTS = "requirements"
    SCRIPT = "script"
    #: The settings of a project, or of a tool that uv installed.
    SETTINGS = "settings"


#: Patterns of the files of each kind, relative to the directory of a project.
PATTERNS = {
    Kind.SETTINGS: ("pyproject.toml",),
    Kind.LOCK: ("uv.lock", "*.py.lock", "pylock.toml", "pylock.*.toml", "poetry.lock", "pdm.lock"),
    Kind.PIPENV: ("Pipfile", "Pipfile.lock"),
    Kind.REQUIREMENTS: (
        "requirements*.txt", "requirements*.in", "constraints*.txt", "constraints*.in",
        "requirements/*.txt", "requirements/*.in", "requirements/*/*.txt", "requirements/*/*.in",
    ),
    Kind.SCRIPT: ("*.py",),
}  # fmt: skip


class ProjectFile(NamedTuple):
    """A file of a project."""

    #: For messages.
    path: str
    kind: Kind
    text: str

    @property
    def span(self) -> tuple[int, int]:
        """Where in the text an address counts: in a script, only in its block."""
        if self.kind is not Kind.SCRIPT:
            return 0, len(self.text)
        block = _SCRIPT.search(self.text)
        return block.span() if block else (0, 0)
