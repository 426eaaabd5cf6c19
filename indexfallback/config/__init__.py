"""Settings: frozen values that everything else is built from, and where each came from."""

import hashlib
from dataclasses import dataclass, field, replace
from ipaddress import ip_address
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit, urlunsplit

from indexfallback.config.loopback import is_loopback
from indexfallback.config.mirror import Mirror
from indexfallback.names import is_claimed

Role = Literal["private", "mirror", "public"]
OnOutage = Literal["ledger", "stop", "next"]
Pages = Literal["first", "authority"]


@dataclass(frozen=True, kw_only=True)
class Index:
    """One configured source. Durations are seconds."""

    #: Unique in the chain; also a segment of addresses: ``[a-z0-9][a-z0-9._-]*``.
    name: str
    #: Of the simple API, ending in a slash, http or https, without credentials; or ``file:``
    #: for a directory.
    url: str
    role: Role = "private"
    #: Normalised patterns of the project names that come from here and from nowhere else.
    projects: tuple[str, ...] = ()
    on_outage: OnOutage = "ledger"
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    #: Ask the system's keyring for the password.
    keyring: bool = False
    connect_timeout: float = 3.0
    read_timeout: float = 10.0
    #: Normalised project whose page a health probe asks for.
    probe: str | None = None
    #: Name of the index whose content this one repeats.
    mirror_of: str | None = None
    pages: Pages = "first"
    #: Takes uploads, into its directory.
    upload: bool = False

    @property
    def key(self) -> str:
        """What stored pages belong to: the address, never with credentials."""
        return self.url

    @property
    def group(self) -> str:
        """The name of the group's public index; an index without mirrors is its own group."""
        return self.mirror_of or self.name

    @property
    def is_private(self) -> bool:
        """Whether the index owns its names, so that nobody else may answer for them."""
        return self.role == "private"

    @property
    def is_directory(self) -> bool:
        """Whether the index is a directory on this machine."""
        return self.url.startswith("file:")

    @property
    def is_on_this_machine(self) -> bool:
        """Whether it takes no network to reach the index."""
        host = urlsplit(self.url).hostname or ""
        return self.is_directory or host == "localhost" or _is_loopback(host)

    def claims(self, project: str) -> bool:
        """Tell whether the index claims the normalised project by one of its patterns."""
        return is_claimed(project, self.projects)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Everything that can be configured. Durations are seconds, sizes bytes."""

    indexes: tuple[Index, ...]
    host: str = "127.0.0.1"
    port: int = 5503
    #: Certificate chain and key, both PEM; without them the server speaks plain HTTP.
    tls_cert: Path | None = None
    tls_key: Path | None = None
    #: Where a proxy shows the server: ``/index``, or nothing for the root.
    base_path: str = ""
    #: Addresses and networks of proxies whose X-Forwarded-* are believed.
    trusted_proxies: tuple[str, ...] = ()
    #: Whether others may read without a token, where ``host`` is one that they can reach.
    public_read: bool = False
    cache_dir: Path
    cache_size: int = 20 * 1000**3
    fresh: float = 600.0
    keep: float = 30 * 86400.0
    deadline: float = 10.0
    page_size: int = 64 * 1024**2
    offline: bool = False
    #: What is mirrored, if anything.
    mirror: Mirror | None = None
    #: Patterns of hosts, with their ports where they have one, that may be asked for anything:
    #: buildout's ``allow-hosts``.
    allow_hosts: tuple[str, ...] = ("*",)
    #: CA bundle that pip or the environment names; None means the system's store.
    ca_bundle: Path | None = None
    #: Setting (``cache.fresh``, ``index.private.url``) to where it came from.
    origins: dict[str, str] = field(default_factory=dict, compare=False, repr=False)

    @property
    def fingerprint(self) -> str:
        """A digest of all that decides what is answered, to tell two shims' settings apart."""
        secrets = [index.password for index in self.indexes]
        text = repr((replace(self, host="", port=0), secrets))
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def index(self, name: str) -> Index | None:
        """Return the index of that name, or None."""
        return next((index for index in self.indexes if index.name == name), None)

    @property
    def asks_for_tokens(self) -> bool:
        """Whether nobody reads without a token, since others than this machine can ask."""
        return not is_loopback(self.host) and not self.public_read

    @property
    def hosted(self) -> tuple[Index, ...]:
        """The indexes that take uploads, in the order of the chain."""
        return tuple(index for index in self.indexes if index.upload)

    def group(self, name: str) -> tuple[Index, ...]:
        """Return the members of a group, in the order of the chain."""
        return tuple(index for index in self.indexes if index.group == name)


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:  # a name
        return False


def without_credentials(url: str) -> str:
    """Return ``url`` without user name and password."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
