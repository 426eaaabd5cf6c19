"""The settings: frozen values, and the origin of each."""

import re
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from indexfallback.config.bucket_url import SCHEME
from indexfallback.config.loopback import is_loopback
from indexfallback.config.mirror import Mirror
from indexfallback.names import is_claimed

Role = Literal["private", "mirror", "public"]
OnOutage = Literal["ledger", "stop", "next"]
Pages = Literal["first", "authority"]
Forbidden = Literal["denied", "absent"]
SharedMode = Literal["read", "read-write"]

#: A page of a private index is fresh for this long, seconds: a user who has just uploaded a release
#: wants to install it, and a conditional request in a company's network is cheap.
PRIVATE_FRESH = 15.0

#: A scheme, and user name and password after it (RFC 3986, appendix B).
_LOGIN = re.compile(r"^([^:/?#]*://)[^/?#]*@")


@dataclass(frozen=True, kw_only=True)
class Index:
    """One configured index. Durations are seconds."""

    #: Unique in the chain, and a path segment of URLs: ``[a-z0-9][a-z0-9._-]*``.
    name: str
    #: Address of the simple API: http, https, ``file:`` for a directory, or ``s3:`` for a bucket;
    #: with a slash at the end, and without credentials.
    url: str
    role: Role = "private"
    #: Normalised patterns of project names that only this index may serve.
    projects: tuple[str, ...] = ()
    #: The same, and the index is asked for no other project.
    only: tuple[str, ...] = ()
    #: Copies of projects of the public index do not make them this index's.
    defer_copies: bool = False
    on_outage: OnOutage = "ledger"
    #: The meaning of 403: S3 and CloudFront answer so for what is not there.
    forbidden: Forbidden = "denied"
    #: Files are withheld until they are this old; a mirror without one has that of its public
    #: index. None for no cooldown.
    cooldown: float | None = None
    #: Normalised patterns of the projects that have no cooldown.
    cooldown_except: tuple[str, ...] = ()
    username: str | None = None
    #: As in the address, or in the variable when the settings were loaded.
    password: str | None = field(default=None, repr=False)
    #: The environment variable with the password, which is read again if the login is refused.
    password_env: str | None = None
    #: Whether the password is in the system's keyring.
    keyring: bool = False
    connect_timeout: float = 3.0
    read_timeout: float = 10.0
    #: How long its pages are fresh; None for the default of its kind (`Settings.fresh_for`).
    fresh: float | None = None
    #: Normalised project whose page the health probe requests.
    probe: str | None = None
    #: Name of the public index that this one mirrors.
    mirror_of: str | None = None
    pages: Pages = "first"
    #: Whether the directory or bucket accepts uploads.
    upload: bool = False
    #: Of a bucket: the address of the server that speaks S3; empty for AWS.
    endpoint: str = ""

    @property
    def key(self) -> str:
        """The key of stored pages: the address, without credentials."""
        return self.url

    @property
    def group(self) -> str:
        """The name of the group: that of its public index, or of the only index in it."""
        return self.mirror_of or self.name

    @property
    def json_root(self) -> str | None:
        """The address below which the index may have JSON as PyPI does: ``ROOT/../pypi/``.

        None where the simple API is at an address of another form, as in a directory.
        """
        base, simple, rest = self.url.rpartition("/simple/")
        return f"{base}/pypi/" if simple and not rest and not self.is_directory else None

    @property
    def is_private(self) -> bool:
        """Whether the index owns its projects: no other index may serve them."""
        return self.role == "private"

    @property
    def has_login(self) -> bool:
        """Whether a login is configured for the index here; netrc may have one beside it."""
        return self.username is not None or self.keyring

    @property
    def is_directory(self) -> bool:
        """Whether the index is a directory on this machine."""
        return self.url.startswith("file:")

    @property
    def is_bucket(self) -> bool:
        """Whether the index is in a bucket of an object store."""
        return self.url.startswith(SCHEME)

    @property
    def is_read_each_time(self) -> bool:
        """Whether its pages are made from its files for each request, so that a new one is seen."""
        return self.is_directory or self.is_bucket

    @property
    def is_on_this_machine(self) -> bool:
        """Whether the index can be reached without a network."""
        return self.is_directory or is_loopback(urlsplit(self.endpoint or self.url).hostname or "")

    def claims(self, project: str) -> bool:
        """Tell whether one of the index's patterns matches the normalised project."""
        return is_claimed(project, self.projects) or is_claimed(project, self.only)

    def cooldown_of(self, project: str) -> float:
        """Return how old a file of the normalised project must be to be offered; 0.0 for any."""
        return 0.0 if is_claimed(project, self.cooldown_except) else self.cooldown or 0.0

    def may_have(self, project: str) -> bool:
        """Tell whether the index may be asked for the normalised project."""
        return not self.only or is_claimed(project, self.only)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """All settings. Durations are seconds, sizes are bytes."""

    #: The chain.
    indexes: tuple[Index, ...]
    #: Public indexes that are not in the chain: each answers at its own address only, and for no
    #: project that an index of the chain owns.
    beside: tuple[Index, ...] = ()
    host: str = "127.0.0.1"
    port: int = 5503
    #: Certificate chain and key in PEM format; without them the server speaks plain HTTP.
    tls_cert: Path | None = None
    tls_key: Path | None = None
    #: Path of the server behind a reverse proxy: ``/index``, or empty for the root.
    base_path: str = ""
    #: Addresses and networks of the proxies whose X-Forwarded-* headers are trusted.
    trusted_proxies: tuple[str, ...] = ()
    #: Whether other users of this machine need a token to read. Unless it is set, `load_settings`
    #: decides: it is on where they could read by a login to a private index.
    private: bool = False
    #: Whether other machines may read without a token.
    public_read: bool = False
    #: The largest body of an upload: the largest wheels that are published have 3 GB.
    max_upload_size: int = 4 * 1000**3
    cache_dir: Path
    cache_size: int = 20 * 1000**3
    #: The bucket that several shims share, ``s3://bucket/prefix``; None without one.
    shared: str | None = None
    #: The address of the server of buckets; empty for AWS.
    shared_endpoint: str = ""
    shared_mode: SharedMode = "read-write"
    #: Seconds for one small request to it, and between the bytes of a file.
    shared_timeout: float = 1.0
    #: Whether a file is served only once its pin is in the bucket.
    strict_pins: bool = False
    fresh: float = 600.0
    keep: float = 30 * 86400.0
    deadline: float = 10.0
    page_size: int = 64 * 1024**2
    #: Whether what a client will ask for next is fetched before it asks.
    read_ahead: bool = True
    #: Whether the public indexes' JSON of downloaded releases is asked for, for its notices of
    #: vulnerabilities.
    notices: bool = True
    #: The address of a database of advisories with OSV's API, without a slash at the end; None to
    #: ask none.
    advisories: str | None = None
    offline: bool = False
    #: The table ``[mirror]``; None without one.
    mirror: Mirror | None = None
    #: Patterns of the hosts, or ``host:port``, that may be requested: buildout's ``allow-hosts``.
    allow_hosts: tuple[str, ...] = ("*",)
    #: CA bundle from pip's settings or the environment; None for the system's certificates.
    ca_bundle: Path | None = None
    #: pip's ``proxy``, used where the environment names none: an address, maybe with a password.
    proxy: str | None = field(default=None, repr=False)
    #: Whether the shim ends with the command that it was started for, so that no other uses it.
    for_one_command: bool = False
    #: Origin of each setting (``cache.fresh``, ``index.private.url``).
    origins: dict[str, str] = field(default_factory=dict, compare=False, repr=False)

    @property
    def identity(self) -> str:
        """All settings that change the answers of a shim, as a text.

        It has the passwords: only a keyed digest of it may leave the process, since those of a
        plain one are found by trying.
        """
        secrets = [self.proxy, *(index.password for index in self.every_index)]
        return repr((replace(self, host="", port=0), secrets))

    @property
    def every_index(self) -> tuple[Index, ...]:
        """The indexes of the chain, and those beside it."""
        return (*self.indexes, *self.beside)

    def index(self, name: str) -> Index | None:
        """Return the index with this name, or None."""
        return next((index for index in self.every_index if index.name == name), None)

    @property
    def asks_for_tokens(self) -> bool:
        """Whether readers need a token: others can connect."""
        return self.private or not (is_loopback(self.host) or self.public_read)

    @property
    def hosted(self) -> tuple[Index, ...]:
        """The indexes that accept uploads, in the order of the chain."""
        return tuple(index for index in self.indexes if index.upload)

    def fresh_for(self, index: Index) -> float:
        """Return for how many seconds a page of ``index`` is served without asking it."""
        if index.is_read_each_time:  # it costs little, and a new file must be seen at once
            return 0.0
        if index.fresh is not None:
            return index.fresh
        return min(PRIVATE_FRESH, self.fresh) if index.is_private else self.fresh

    def foreign_keys(self, group: str) -> frozenset[str]:
        """Return the addresses of the indexes of all other groups: what they have is not its."""
        return frozenset(index.key for index in self.every_index if index.group != group)

    def group(self, name: str) -> tuple[Index, ...]:
        """Return the members of a group, in the order of the chain."""
        return tuple(index for index in self.every_index if index.group == name)


def has_login(url: str) -> bool:
    """Tell whether an address has a user name, and maybe a password."""
    return _LOGIN.match(url) is not None


def without_credentials(url: str) -> str:
    """Return ``url`` without user name and password."""
    return _LOGIN.sub(r"\1", url)
