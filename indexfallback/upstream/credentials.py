"""The logins of an index: from its settings, the keyring, netrc, or links; each for one origin.

The index's own login goes to the index alone. Another origin, for example the host of the files,
gets the login in the link to a file, or what netrc says of that host by name. No login of netrc is
sent over http because of an index at https.

Locks: ``Logins._lock`` guards the table of logins, which are looked up outside of it;
``LinkLogins._lock`` guards what is known of links.
"""

import importlib
import logging
import netrc
import os
import threading
from base64 import b64encode
from collections.abc import Mapping
from pathlib import Path
from typing import TypeAlias, TypeVar
from urllib.parse import unquote, urlsplit

from indexfallback.config import Index
from indexfallback.memory.table import Table
from indexfallback.names import METADATA_ENDING

log = logging.getLogger("indexfallback.upstream")

#: Scheme, host and port.
Origin: TypeAlias = tuple[str, str, int | None]

_DEFAULT_PORTS = {"http": 80, "https": 443}
#: Origins whose login is remembered: an index has a few hosts; a hostile page may name many more.
MOST_ORIGINS = 100

_Key = TypeVar("_Key")


def origin(url: str) -> Origin:
    """Return the origin of an address; raises ValueError if its port is invalid."""
    parts = urlsplit(url)
    return parts.scheme, parts.hostname or "", parts.port or _DEFAULT_PORTS.get(parts.scheme)


def login_in(url: str) -> str:
    """Return the user name and password in an address as they are written, or nothing."""
    return urlsplit(url).netloc.rpartition("@")[0]


def has_password(login: str) -> bool:
    """Tell whether a login in an address has a password, be it an empty one."""
    return ":" in login


def authorization(login: str) -> str:
    """Return the Authorization header for a login in an address, or nothing without one."""
    user, _, password = login.partition(":")
    return _basic((unquote(user), unquote(password)) if login else None)


def is_upgrade(start: Origin, target: Origin) -> bool:
    """Tell whether ``target`` is the same server as ``start``, with https in place of http.

    That is so at the default ports, or at the same port: another port of a host may be a server of
    somebody else.
    """
    if (start[0], target[0]) != ("http", "https") or start[1] != target[1]:
        return False
    return start[2] == target[2] or (start[2], target[2]) == (80, 443)


class Logins:
    """The Authorization headers with which one index and the hosts of its files are asked.

    A header is empty for an origin that no login is known for. A lookup may take long: a keyring
    may ask the user.
    """

    def __init__(self, index: Index) -> None:
        self._index = index
        self._origin = origin(index.url)
        self._lock = threading.Lock()
        self._headers: dict[Origin, str] = {}

    def header(self, where: Origin) -> str:
        """Return the header for an origin."""
        where = self._owner(where)
        with self._lock:
            known = self._headers.get(where)
        return self._look_up(where) if known is None else known

    def renewed(self, where: Origin, refused: str) -> str:
        """Return the header after a refusal: looked up anew, unless another request has done so."""
        where = self._owner(where)
        with self._lock:
            known = self._headers.get(where, refused)
        return self._look_up(where) if known == refused else known

    def is_own(self, where: Origin) -> bool:
        """Tell whether the index's own login is for an origin: also if it has moved to https."""
        return where == self._origin or is_upgrade(self._origin, where)

    def _owner(self, where: Origin) -> Origin:
        """Return the origin whose login is sent."""
        return self._origin if self.is_own(where) else where

    def _look_up(self, where: Origin) -> str:
        found = _basic(self._find(where))
        with self._lock:
            if len(self._headers) >= MOST_ORIGINS:
                self._headers.clear()
            self._headers[where] = found
        return found

    def _find(self, where: Origin) -> tuple[str, str] | None:
        """Return user name and password."""
        if where == self._origin:
            return _own_login(self._index)
        if self._origin[0] == "https" and where[0] != "https":
            return None
        return _from_netrc(where[1], or_default=False)


class LinkLogins:
    """The logins in the links of an index's pages, as they are written there.

    They are kept in memory alone. After a restart, a login is unknown until its page is read again.
    """

    def __init__(self, index: Index) -> None:
        self._index = origin(index.url)
        self._lock = threading.Lock()
        self._links: Table[str, str] = Table("upstream.credentials.LinkLogins._links")
        self._origins: dict[Origin, str] = {}

    def learn(self, found: Mapping[str, str]) -> None:
        """Add the logins of a page: address of the link, without login, to its login."""
        first: dict[str, str] = {}
        for url, login in found.items():
            first.setdefault(url[: url.index("/", len("https://"))], login)
            self._links.put(url, login)
        with self._lock:
            for server, login in first.items():
                _put(self._origins, origin(server), login, MOST_ORIGINS)

    def of(self, url: str) -> str:
        """Return the login for a file or its metadata, or nothing.

        A link without a login has the one that another link to its origin carried last, as in pip
        and uv; but to the index itself goes the index's own.
        """
        path, question, query = url.partition("?")
        link = f"{path.removesuffix(METADATA_ENDING)}{question}{query}"
        where = origin(url)
        with self._lock:
            other = self._origins.get(where, "") if where != self._index else ""
        login = self._links.get(link)
        return other if login is None else login


def _put(table: dict[_Key, str], key: _Key, login: str, most: int) -> None:
    """Set the login of a key, in place of the oldest one if the table is full."""
    table.pop(key, None)
    while len(table) >= most:
        del table[next(iter(table))]
    table[key] = login


def _basic(login: tuple[str, str] | None) -> str:
    # UTF-8 (RFC 7617): the library encodes as Latin-1, which some passwords are not part of.
    return f"Basic {b64encode(':'.join(login).encode()).decode()}" if login else ""


def _own_login(index: Index) -> tuple[str, str] | None:
    # As loaded if the variable is not in this process's environment, or not any more.
    password = os.environ.get(index.password_env or "") or index.password
    if index.username is not None and password is not None:
        return index.username, password
    found = _from_keyring(index) if index.keyring else None
    found = found or _from_netrc(origin(index.url)[1], or_default=True)
    if index.username is None or (found is not None and found[0] == index.username):
        return found
    return index.username, ""


def _from_keyring(index: Index) -> tuple[str, str] | None:
    try:
        keyring = importlib.import_module("keyring")
        found = keyring.get_credential(index.url, index.username)
    except Exception as error:  # noqa: BLE001 - keyring back ends raise any exception
        log.warning(
            "index %s: the keyring gave no password (%s); asking without one: install "
            "keyring beside indexfallback (its extra [keyring]), or set password_env",
            index.name, error,
        )  # fmt: skip
        return None
    return (found.username, found.password) if found else None


def _from_netrc(host: str, *, or_default: bool) -> tuple[str, str] | None:
    """Return the login of a host in netrc, or in its ``default`` entry, which names no host."""
    named = os.environ.get("NETRC")
    for path in map(Path, ("~/.netrc", "~/_netrc") if named is None else (named,)):
        try:
            hosts = netrc.netrc(str(path.expanduser())).hosts
        except (FileNotFoundError, IsADirectoryError):  # a directory: NETRC is empty
            continue
        except netrc.NetrcParseError as error:
            # Not the error's own text, which may hold a password.
            log.warning("%s is invalid near line %s: no login is read from it until that is mended",
                        path, error.lineno)  # fmt: skip
            return None
        except (OSError, UnicodeError, RuntimeError) as error:  # the last one: no home directory
            log.warning("%s cannot be read (%s): no login is read from it",
                        path, type(error).__name__)  # fmt: skip
            return None
        entry = hosts.get(host) or (hosts.get("default") if or_default else None)
        # The account stands in for a missing login name, as in `requests`.
        return (entry[0] or entry[1] or "", entry[2] or "") if entry else None
    return None
