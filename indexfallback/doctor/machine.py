"""The data about the machine that the checks use."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, NamedTuple

from indexfallback.clients import edits, ini, toml
from indexfallback.clients.environment import UV_VARIABLES
from indexfallback.config import Settings, has_login
from indexfallback.config.address import is_at
from indexfallback.config.people import Account
from indexfallback.config.pip import SECTIONS
from indexfallback.config.units import InvalidValueError
from indexfallback.doctor.addresses import ShimAddresses
from indexfallback.doctor.listening import Holder, list_listeners
from indexfallback.doctor.project_file import ProjectFile
from indexfallback.errors import ConfigError
from indexfallback.mode import OfflineState
from indexfallback.outcome import Kind

#: Environment variables of clients other than pip with an address.
_ADDRESS_VARIABLES = (
    *UV_VARIABLES, "PDM_PYPI_URL", "PIPENV_PYPI_MIRROR", "POETRY_PYPI_MIRROR_URL"
)  # fmt: skip
#: An address in a text.
_URL = re.compile(r"https?://[^\s\"'<>]+")


@dataclass(frozen=True)
class IndexCheck:
    """The result of `config check` for one index."""

    index: str
    #: ``ok``, ``warn``, ``FAIL``; ``skip`` if it was not asked.
    verdict: str
    #: The answer.
    what: str
    seconds: float | None = None
    remedy: str = ""
    #: Seconds that this machine's clock is ahead of the index's; None if that is unknown.
    clock_ahead: float | None = None
    #: Why it could not be asked; None if it could, whatever the answer.
    kind: Kind | None = None
    #: Host and port; empty for a directory.
    host: str = ""
    is_private: bool = False


class TextFile(NamedTuple):
    """A file that a client reads."""

    path: str
    text: str
    #: The permission bits; None on Windows.
    mode: int | None = None


class PipOption(NamedTuple):
    """An option of pip, and the file or environment variable that sets it."""

    where: str
    name: str
    value: str
    #: Whether it is in the file of a virtual environment, which overrides the user's.
    in_environment: bool


@dataclass(frozen=True, kw_only=True)
class Cache:
    """The cache directory. Sizes are bytes."""

    directory: str
    free: int
    #: Why it cannot be used, and the remedy.
    problem: str = ""
    remedy: str = ""
    exists: bool = True
    files: int = 0
    quarantined: int = 0
    #: Damages of the records.
    problems: tuple[str, ...] = ()
    #: Damaged databases that were renamed.
    damaged: tuple[str, ...] = ()
    is_temporary: bool = False
    #: Whether a newer version wrote it; this version then has a directory of its own in it.
    is_newer: bool = False


@dataclass(frozen=True)
class SharedBucket:
    """The bucket that several shims share, and what its self-test has found."""

    url: str
    endpoint: str = ""
    #: Why it cannot be tested, and the remedy.
    problem: str = ""
    remedy: str = ""
    #: Whether this shim is to write there.
    is_for_writing: bool = True
    #: Whether this shim answers 503 where it cannot pin (``strict_pins``).
    is_strict: bool = False
    reads: bool = False
    writes: bool = False
    #: Whether it honours conditions.
    conditions: bool = False
    #: Why not more is possible.
    cause: str = ""
    #: Whether writing has failed without being denied.
    may_pass: bool = False


@dataclass(frozen=True, kw_only=True)
class Machine:
    """The machine of one user at one time."""

    #: Only address and cache, as far as they can be read, if ``wrong_setting`` is set.
    settings: Settings
    #: Why the settings cannot be used.
    wrong_setting: ConfigError | None = None
    environ: Mapping[str, str]
    #: Seconds since the epoch, as this machine's clock has it.
    now: float = 0.0
    #: The same of the installation of this program: no true clock is before it.
    installed: float = 0.0
    #: As in ``sys.platform``.
    platform: str = "linux"
    #: The version of this program.
    version: str
    #: The health of this user's shim at the configured port; None if none answers.
    health: Mapping[str, Any] | None = None
    #: Whether that shim has these settings.
    has_settings: bool = True
    #: What else uses the configured port: ``a shim of another user``; empty if nothing does.
    other: str = ""
    #: That program, as far as the system tells.
    holder: Holder | None = None
    #: The private indexes for which a login is configured.
    with_login: tuple[str, ...] = ()
    #: The accounts of this machine, as the system lists them.
    accounts: tuple[Account, ...] = ()
    #: The account of this user, as a number; None on Windows.
    uid: int | None = None
    #: Whether indexes may be asked.
    offline_state: OfflineState = field(default_factory=OfflineState)
    indexes: tuple[IndexCheck, ...] = ()
    #: That of the database of advisories; None if none is configured.
    advisories: IndexCheck | None = None
    #: Why the CA bundle cannot be read; empty if it can.
    trust_problem: str = ""
    #: The last day of the shim's own certificate, and why it cannot be used.
    certificate_end: date | None = None
    certificate_problem: ConfigError | None = None
    #: Our configuration file, if it exists.
    config: TextFile | None = None
    pip: tuple[TextFile, ...] = ()
    #: pip's files in virtual environments: the active one, and those in the current directory.
    pip_of_environments: tuple[TextFile, ...] = ()
    uv: tuple[TextFile, ...] = ()
    #: The files of the project in the current directory, and the receipts of uv's tools.
    project: tuple[ProjectFile, ...] = ()
    #: What is known of the shim's addresses; ``is_shim`` knows the configured one alone.
    addresses: ShimAddresses = field(
        default_factory=lambda: ShimAddresses(host="", ports=frozenset())
    )
    cache: Cache = field(default_factory=lambda: Cache(directory="", free=0))
    #: The bucket of ``cache.shared``; None without one.
    shared: SharedBucket | None = None

    def is_shim(self, url: str) -> bool:
        """Tell whether an address is that of the configured shim."""
        return is_at(url, self.settings.host, self.settings.port)

    @property
    def shim(self) -> str:
        """The configured host and port, for messages."""
        return f"{self.settings.host}:{self.settings.port}"

    @property
    def list_listeners(self) -> str:
        """The command that names the program on the configured port."""
        return list_listeners(self.platform, self.settings.port)

    @property
    def pointed(self) -> tuple[str, ...]:
        """The files and variables that point clients at the shim, even if it does not run."""
        return tuple(dict.fromkeys(where for where, _ in self._addresses()))

    @property
    def without_token(self) -> tuple[str, ...]:
        """Those of them that have no login in the shim's address."""
        return tuple(dict.fromkeys(w for w, url in self._addresses() if not has_login(url)))

    def _addresses(self) -> Iterator[tuple[str, str]]:
        """Yield each of the shim's addresses, and the file or variable that has it."""
        for option in self.pip_options("index-url", "extra-index-url"):
            yield from ((option.where, url) for url in option.value.split() if self.is_shim(url))
        for name in _ADDRESS_VARIABLES:
            urls = urls_in(self.environ.get(name, ""))
            yield from ((name, url) for url in urls if self.is_shim(url))
        for file in self.uv:
            yield from ((file.path, url) for url in uv_indexes(file.text) if self.is_shim(url))

    def pip_options(self, *names: str) -> Iterator[PipOption]:
        """Yield pip's options of these names: from the files, then from the environment."""
        for files, in_environment in ((self.pip, False), (self.pip_of_environments, True)):
            for file in files:
                for option in ini.options(file.text):
                    if option.section in SECTIONS and option.key in names:
                        yield PipOption(file.path, option.key, option.value, in_environment)
        for name in names:
            variable = f"PIP_{name.upper().replace('-', '_')}"
            if stated := self.environ.get(variable):
                yield PipOption(variable, name, stated, in_environment=False)


def urls_in(text: str) -> list[str]:
    """Return the addresses in a text."""
    return _URL.findall(text)


def uv_indexes(text: str) -> list[str]:
    """Return the indexes in a uv.toml or a pyproject.toml, without explicit ones."""
    try:
        document = toml.parse(text)
    except InvalidValueError:  # uv reports the error itself
        return []
    table = toml.value_of(document, ("tool", "uv")) or {} if "tool" in document else document
    return [index.url for index in edits.uv_table_indexes(table)]
