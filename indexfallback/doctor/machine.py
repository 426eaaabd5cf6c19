"""What was found on the machine: everything that a check decides from."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from indexfallback.clients import edits, ini, toml
from indexfallback.config import Settings
from indexfallback.config.address import is_at
from indexfallback.config.units import InvalidValueError
from indexfallback.mode import OfflineState

#: Sections of pip's files that ``pip install`` reads.
_PIP_SECTIONS = ("global", "install")
#: Variables of other clients that hold an address.
_ADDRESS_VARIABLES = (
    "UV_DEFAULT_INDEX", "UV_INDEX", "UV_INDEX_URL", "UV_EXTRA_INDEX_URL", "PDM_PYPI_URL",
    "PIPENV_PYPI_MIRROR", "POETRY_PYPI_MIRROR_URL",
)  # fmt: skip
#: An address, as far as a user may have written it.
_URL = re.compile(r"https?://[^\s\"'<>]+")


class IndexCheck(NamedTuple):
    """What asking one index told."""

    name: str
    #: ``ok``, ``warn``, ``FAIL``, ``skip``.
    verdict: str
    what: str
    remedy: str
    seconds: float | None
    #: Seconds that this machine's clock is ahead of the index's.
    clock_ahead: float | None


class TextFile(NamedTuple):
    """A file that a client reads."""

    path: str
    text: str
    #: The permission bits; None where they say nothing, on Windows.
    mode: int | None = None


class PipOption(NamedTuple):
    """An option of pip, and where it is set."""

    where: str
    name: str
    value: str
    #: Whether it belongs to a virtual environment, whose file is above the user's.
    in_environment: bool


@dataclass(frozen=True, kw_only=True)
class Cache:
    """The directory of what was seen. Sizes are bytes."""

    directory: str
    free: int
    #: Why it cannot be used, and what to do.
    problem: str = ""
    remedy: str = ""
    exists: bool = True
    files: int = 0
    quarantined: int = 0
    #: Damaged databases that were put aside.
    damaged: tuple[str, ...] = ()
    is_temporary: bool = False
    #: It was written by a newer version, so that this one keeps its own beside it.
    is_newer: bool = False


@dataclass(frozen=True, kw_only=True)
class Machine:
    """The machine of one user, looked at once."""

    settings: Settings
    environ: Mapping[str, str]
    #: This program's own version.
    version: str
    #: What the shim at the configured port says; None if none answers.
    health: Mapping[str, Any] | None = None
    #: Somebody answers at the configured port.
    is_port_taken: bool = False
    #: Whether indexes may be asked.
    offline_state: OfflineState = field(default_factory=OfflineState)
    indexes: tuple[IndexCheck, ...] = ()
    #: Why the CA bundle cannot be read; empty if it can.
    trust_problem: str = ""
    #: Our own configuration file, if there is one.
    config: TextFile | None = None
    pip: tuple[TextFile, ...] = ()
    #: Those of virtual environments: in force, or in the current directory.
    pip_of_environments: tuple[TextFile, ...] = ()
    uv: tuple[TextFile, ...] = ()
    requirements: tuple[TextFile, ...] = ()
    locks: tuple[TextFile, ...] = ()
    cache: Cache = field(default_factory=lambda: Cache(directory="", free=0))

    def is_shim(self, url: str) -> bool:
        """Tell whether an address is the configured shim's."""
        return is_at(url, self.settings.host, self.settings.port)

    @property
    def shim(self) -> str:
        """The configured address, for people."""
        return f"{self.settings.host}:{self.settings.port}"

    @property
    def pointed(self) -> tuple[str, ...]:
        """Where clients are pointed at the shim, whether it runs or not."""
        places = [
            option.where
            for option in self.pip_options("index-url", "extra-index-url")
            if any(map(self.is_shim, option.value.split()))
        ]
        places += [
            name
            for name in _ADDRESS_VARIABLES
            if any(map(self.is_shim, urls_in(self.environ.get(name, ""))))
        ]
        places += [file.path for file in self.uv if any(map(self.is_shim, uv_indexes(file.text)))]
        return tuple(dict.fromkeys(places))

    def pip_options(self, *names: str) -> Iterator[PipOption]:
        """Yield pip's options of these names: from the files, then from the environment."""
        for files, in_environment in ((self.pip, False), (self.pip_of_environments, True)):
            for file in files:
                for option in ini.options(file.text):
                    if option.section in _PIP_SECTIONS and option.key in names:
                        yield PipOption(file.path, option.key, option.value, in_environment)
        for name in names:
            variable = f"PIP_{name.upper().replace('-', '_')}"
            if stated := self.environ.get(variable):
                yield PipOption(variable, name, stated, in_environment=False)


def urls_in(text: str) -> list[str]:
    """Return the addresses in a text."""
    return _URL.findall(text)


def uv_indexes(text: str) -> list[str]:
    """Return the indexes that a uv.toml, or a pyproject.toml's part for uv, has uv ask.

    Without those that are asked only for what names them (``explicit``).
    """
    try:
        document = toml.parse(text)
    except InvalidValueError:  # uv itself says so
        return []
    table = toml.value_of(document, ("tool", "uv")) or {} if "tool" in document else document
    return [index.url for index in edits.uv_table_indexes(table)]
