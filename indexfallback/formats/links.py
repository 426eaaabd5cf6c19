"""Resolves the links of a page to absolute addresses, and refuses those that must not be used.

An address is without credentials, because it is stored and served. The login of a link is collected
beside it, for requests alone.
"""

import socket
from collections.abc import Iterable
from ipaddress import IPv4Address, ip_address
from urllib.parse import urljoin, urlsplit

from indexfallback.formats.collected import NO_ADDRESS, PRIVATE_ADDRESS

#: The longest address: common servers accept it in a request line.
_MAX_LENGTH = 8192
#: Characters that HTML strips around an address.
_SPACE = " \t\n\f\r"
#: The most logins collected: more than the largest pages have files.
_MOST_LOGINS = 10_000


def is_local(host: str) -> bool:
    """Tell whether ``host`` is this machine's name or an address that the internet cannot reach.

    A non-ASCII host counts as local, because a lookup may turn Unicode digits and dots into an
    address. This function looks up no names.
    """
    host = host.rstrip(".").lower()
    if not host.isascii() or host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        address = ip_address(host)
    except ValueError:
        try:
            # Resolvers accept 127.1, 0x7f000001 and 2130706433 as addresses, too.
            address = IPv4Address(socket.inet_aton(host))
        except OSError:
            return False
    mapped = address.ipv4_mapped if address.version == 6 else None  # noqa: PLR2004 - IPv6
    return not (mapped or address).is_global


class Links:
    """The links of one page.

    Allowed are http and https, and ``file:`` if the page itself is a file. With ``public``, links
    to local addresses are refused, unless the page is at one itself. Joining is the hot path of
    reading a page, so origins and directories are cached.
    """

    def __init__(
        self, url: str, *, public: bool = False, logins: dict[str, str] | None = None
    ) -> None:
        """Resolve against ``url``.

        To ``logins`` is added the login of each link that has one: resolved address to user name
        and password as in the link, ``user:password``. A relative link has the login of its base,
        as in pip and uv.
        """
        page = urlsplit(url)
        self._file_host = page.netloc if page.scheme == "file" else None
        self._public = public and not is_local(page.hostname or "")
        self._logins = {} if logins is None else logins
        #: Scheme and authority of a link to the same without login, and the login; None if refused.
        self._origins: dict[str, tuple[str, str] | None] = {}
        self._base_on(url)

    def _base_on(self, url: str) -> None:
        self._base = url
        parts = urlsplit(url)
        self._root = f"{parts.scheme}://{parts.netloc}"
        #: Number of directories up to the address of that directory, with a slash at its end.
        self._directories: dict[int, str] = {}

    def rebase(self, href: str) -> None:
        """Apply a ``<base href>``, if it is allowed."""
        base = self._parts(href)
        if base is not None:
            origin, login, path = base
            self._base_on((origin.replace("//", f"//{login}@") if login else origin) + path)

    def resolve(self, href: str) -> str | None:
        """Return the absolute address without credentials and fragment, or None if refused."""
        parts = self._parts(href)
        if parts is None:
            return None
        origin, login, path = parts
        address = origin + path
        if login and len(self._logins) < _MOST_LOGINS:
            self._logins.setdefault(address, login)
        return address

    def _parts(self, href: str) -> tuple[str, str, str] | None:
        """Return origin, login and the rest of the absolute address, or None if refused."""
        href = href.strip(_SPACE)
        if "#" in href:
            href = href.partition("#")[0]
        # Clients differ in whether a backslash is a slash, and so in the host.
        if len(href) > _MAX_LENGTH or not href.isprintable() or "\\" in href:
            return None
        if " " in href:
            href = href.replace(" ", "%20")
        if href.startswith(("https://", "http://")):
            url, path = href, href.find("/", len("https://"))
        else:
            url = self._join(href)
            path = url.find("/", url.find("://") + 3)
        if path < 0:
            return None
        authority = url[:path]
        if authority not in self._origins:
            self._origins[authority] = self._origin(authority)
        origin = self._origins[authority]
        return origin and (*origin, url[path:])

    def resolve_all(self, hrefs: Iterable[str]) -> tuple[str, ...]:
        """Return the addresses of all links that are not refused."""
        return tuple(address for href in hrefs if (address := self.resolve(href)))

    def why_refused(self, href: str) -> str:
        """Return the reason for which `resolve` refuses a link."""
        try:
            parts = urlsplit(urljoin(self._base, href.strip(_SPACE)))
            is_private = self._public and is_local(parts.hostname or "")
        except ValueError:
            return NO_ADDRESS
        is_web = parts.scheme in ("http", "https")
        return PRIVATE_ADDRESS if is_web and is_private else NO_ADDRESS

    def _join(self, href: str) -> str:
        """Return ``href`` joined to the base, as ``urljoin`` does, but faster for common forms."""
        rest, up = href, 0
        while rest.startswith("../"):
            rest, up = rest[3:], up + 1
        if rest[:1] in ".?" or "/." in rest or "//" in href or ":" in rest:
            return _urljoin(self._base, href)
        if rest.startswith("/"):
            return self._root + rest
        if up not in self._directories:
            self._directories[up] = _urljoin(self._base, "../" * up or ".")
        return self._directories[up] + rest

    def _origin(self, authority: str) -> tuple[str, str] | None:
        """Return scheme, host and port of an allowed authority, and its login; or None."""
        try:
            parts = urlsplit(authority)
            host, _port = parts.hostname, parts.port  # a bad port raises
        except ValueError:
            return None
        if parts.scheme == "file":
            return (authority, "") if parts.netloc == self._file_host else None
        if parts.scheme not in ("http", "https") or not host or "%" in host or parts.query:
            return None
        if self._public and is_local(host):
            return None
        login, _, host_and_port = parts.netloc.rpartition("@")
        return f"{parts.scheme}://{host_and_port}", login


def _urljoin(base: str, href: str) -> str:
    """Return the joined address, or an empty text if ``href`` is invalid."""
    try:
        return urljoin(base, href)
    except ValueError:
        return ""
