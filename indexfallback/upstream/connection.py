"""HTTP as an index is asked by it: one pool of connections, credentials bound to their origin.

Redirects are followed by hand: at most 5, never from https to http, and never with credentials
to another origin (CVE-2018-18074, CVE-2023-32681).

A public index or a mirror leads to no address that the internet cannot reach, unless it lives at
one itself. What a page or a redirect spells out is refused as it is read; what a name resolves to
is seen at the connected socket, and nothing is sent there. A proxy connects by itself.

Locks: ``_lock`` guards the making of the pool.
"""

import importlib
import ipaddress
import logging
import re
import socket
import ssl
import threading
from collections.abc import Callable
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests
import requests.adapters
import requests.auth
import requests.utils
import truststore
import urllib3

from indexfallback import __version__
from indexfallback.config import Index, without_credentials
from indexfallback.errors import redact
from indexfallback.formats.links import is_local
from indexfallback.outcome import Kind, Outcome
from indexfallback.upstream.bounded import CheckPeer, KeptError, pools
from indexfallback.upstream.failures import (
    ForbiddenAddressError,
    causes,
    outcome_of_error,
    outcome_of_status,
)

log = logging.getLogger("indexfallback.upstream")

MAX_REDIRECTS = 5
#: Idle connections kept to one host: what pip, uv and a browser ask for at once, halved.
POOL_SIZE = 24
_USER_AGENT = f"indexfallback/{__version__}"
#: Statuses that send elsewhere and keep the method.
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
#: What comes after the host, without the fragment (RFC 3986, appendix B).
_AFTER_HOST = re.compile(r"[^:]*://[^/?#]*([^#]*)")


class _Adapter(requests.adapters.HTTPAdapter):
    """Trusts what our TLS context trusts, instead of reading a bundle at each connection."""

    def __init__(self, context: ssl.SSLContext, check_peer: CheckPeer | None) -> None:
        self._context = context
        self._check_peer = check_peer
        super().__init__(pool_connections=POOL_SIZE, pool_maxsize=POOL_SIZE, max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Give the context to every pool."""
        super().init_poolmanager(*args, ssl_context=self._context, **kwargs)
        self.poolmanager.pool_classes_by_scheme = pools(self._check_peer)

    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> Any:
        """Give the context to every pool behind a proxy, which is the user's own choice."""
        manager = super().proxy_manager_for(*args, ssl_context=self._context, **kwargs)
        manager.pool_classes_by_scheme = pools(None)
        return manager

    def request_url(self, request: requests.PreparedRequest, proxies: Any) -> str:
        """Return what is asked for: of a proxy that reads along the whole address."""
        url = super().request_url(request, proxies)
        return _target(str(request.url)) if url.startswith("/") else url

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        """Leave verification to the context."""


def _context(bundle: Path | None) -> ssl.SSLContext:
    if bundle is None:
        return truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    return ssl.create_default_context(
        cafile=None if bundle.is_dir() else str(bundle),
        capath=str(bundle) if bundle.is_dir() else None,
    )


def _target(url: str) -> str:
    """Return what a host is asked for (RFC 9112, 3.2.1): its part of the address as it stands.

    An address that is taken apart and put together again loses an empty query, and gains or loses
    slashes where two follow the host, depending on the version of Python and of `requests`.
    """
    found = _AFTER_HOST.match(url)
    target = found[1] if found else ""
    return target if target.startswith("/") else f"/{target}"


def origin(url: str) -> tuple[str, str, int | None]:
    """Return what credentials are bound to: scheme, host and port."""
    parts = urlsplit(url)
    default = {"http": 80, "https": 443}.get(parts.scheme)
    return parts.scheme, parts.hostname or "", parts.port or default


class Connection:
    """Sends GET requests on behalf of one index."""

    def __init__(
        self, index: Index, ca_bundle: Path | None, allow_hosts: tuple[str, ...] = ("*",)
    ) -> None:
        self._index = index
        self._allow_hosts = allow_hosts
        self._ca_bundle = ca_bundle
        self._origin = origin(index.url)
        self._is_trusted = index.is_private or index.is_directory or is_local(self._origin[1])
        #: Whether its host was reached at an address of this network; None before.
        self._lives_here: bool | None = None
        self._lock = threading.Lock()
        self._adapter: _Adapter | None = None
        self._auth: requests.auth.HTTPBasicAuth | None = None
        self._authorization = ""
        self._proxies: dict[tuple[str, str, int | None], dict[str, str]] = {}

    def get(
        self,
        url: str,
        headers: dict[str, str],
        timeout: tuple[float, float],
        elsewhere: Callable[[str], str | None] = lambda _: None,
    ) -> tuple[Outcome, requests.Response | None]:
        """Send a GET, follow redirects, and return what came, its body still unread.

        ``timeout`` is seconds to connect and between bytes. ``elsewhere`` names the other index
        that an address belongs to: a redirect to there is not followed, since that index is
        asked in its own turn. A response is returned with every outcome that has one; the caller
        closes it.
        """
        for hop in range(MAX_REDIRECTS + 1):
            where = urlsplit(url).netloc
            if not any(fnmatchcase(where, pattern) for pattern in self._allow_hosts):
                return Outcome(Kind.NOT_ALLOWED, f"allow-hosts does not allow {where}"), None
            outcome, response = self._send(url, headers, timeout)
            if hop and outcome.kind is Kind.FORBIDDEN:  # as a captive portal redirects
                return Outcome(Kind.NOT_AN_INDEX, f"unsafe redirect: {outcome}"), None
            location = response.headers.get("Location") if response is not None else None
            if response is None or response.status_code not in _REDIRECTS or location is None:
                return outcome, response
            response.close()
            try:
                is_whole = location.startswith(("https://", "http://"))
                target = location if is_whole else urljoin(url, location)
                scheme, host, _ = origin(target)
            except ValueError:
                return Outcome(Kind.NOT_AN_INDEX, "a redirect to what is no address"), None
            downgrades = url.startswith("https:") and scheme == "http"
            is_forbidden = is_local(host) and not self.may_lead_here
            if scheme not in ("http", "https") or downgrades or is_forbidden:
                return Outcome(Kind.NOT_AN_INDEX, f"unsafe redirect to {redact(target)}"), None
            other = elsewhere(target)
            if other is not None:
                return Outcome(Kind.ABSENT, f"{response.status_code} redirect to {other}"), None
            url = without_credentials(target)
        return Outcome(Kind.NOT_AN_INDEX, f"more than {MAX_REDIRECTS} redirects"), None

    @property
    def may_lead_here(self) -> bool:
        """Whether the index may lead to this machine and its network, as far as that is known."""
        return self._is_trusted or bool(self._lives_here)

    def _check_peer(self, host: str, address: str) -> None:
        """Raise `ForbiddenAddressError` if a host turns out to be where the index may not lead."""
        here = is_local(address)
        if host == self._origin[1]:
            self._lives_here = here
        elif here and not self.may_lead_here:
            if self._lives_here is None and _lives_here(self._origin[1]):
                return
            raise ForbiddenAddressError(host, address)

    def _send(
        self,
        url: str,
        headers: dict[str, str],
        timeout: tuple[float, float],
        *,
        again: bool = True,
    ) -> tuple[Outcome, requests.Response | None]:
        """Send one request; once more if a kept connection broke, which says nothing of today."""
        where = urlsplit(url).netloc
        headers = {"User-Agent": _USER_AGENT, **headers}
        try:
            response = self._answer(url, headers, timeout)
        except (
            requests.RequestException,
            urllib3.exceptions.HTTPError,
            OSError,
            ValueError,
        ) as error:
            if again and any(isinstance(cause, KeptError) for cause in causes(error)):
                return self._send(url, headers, timeout, again=False)
            return outcome_of_error(error, where), None
        retry_after = response.headers.get("Retry-After")
        return outcome_of_status(response.status_code, retry_after), response

    def _answer(
        self, url: str, headers: dict[str, str], timeout: tuple[float, float]
    ) -> requests.Response:
        """Return what comes; raises what `requests` and urllib3 raise.

        Not by a session: to look where a redirect leads it reads all of its body. And without a
        proxy by the adapter's pool itself: a request costs 0.5 ms of CPU there, and 0.9 ms when
        the adapter sends it.
        """
        adapter = self._ready()
        auth = self._auth if origin(url) == self._origin else None
        proxies = self._proxies_for(url)
        if proxies or not url.isascii():
            request = requests.Request("GET", url, headers=headers, auth=auth).prepare()
            return adapter.send(request, stream=True, timeout=timeout, proxies=proxies)
        if auth is not None:
            headers = {**headers, "Authorization": self._authorization}
        connect, read = timeout
        try:
            raw = adapter.poolmanager.connection_from_url(url).urlopen(
                "GET",
                _target(url),
                headers=headers,
                retries=False,
                redirect=False,
                assert_same_host=False,
                preload_content=False,
                decode_content=False,
                timeout=urllib3.Timeout(connect=connect, read=read),
            )
        except urllib3.exceptions.NewConnectionError:  # refused, no route: some are time-outs, too
            raise
        except urllib3.exceptions.ConnectTimeoutError as error:
            raise requests.ConnectTimeout(error) from error
        response = requests.Response()
        response.status_code, response.url, response.raw = raw.status, url, raw
        response.headers = raw.headers
        return response

    def _ready(self) -> _Adapter:
        adapter = self._adapter
        if adapter is not None:
            return adapter
        # Looked up outside the lock: a keyring may ask the user, and netrc is a file.
        auth = self._find_auth()
        check_peer = None if self._is_trusted else self._check_peer
        adapter = _Adapter(_context(self._ca_bundle), check_peer)
        with self._lock:
            if self._adapter is None:
                # In this order: who sees the pool must see the credentials, too.
                self._auth, self._authorization = auth, _header(auth)
                self._adapter = adapter
            return self._adapter

    def _find_auth(self) -> requests.auth.HTTPBasicAuth | None:
        index = self._index
        if index.username is not None and index.password is not None:
            return _basic(index.username, index.password)
        if index.keyring:
            found = _from_keyring(index)
            if found is not None:
                return _basic(*found)
        if index.username is not None:
            return _basic(index.username, "")
        found = requests.utils.get_netrc_auth(index.url)
        return _basic(*found) if found else None

    def _proxies_for(self, url: str) -> dict[str, str]:
        where = origin(url)
        if where not in self._proxies:
            found = {} if _is_here(where[1]) else requests.utils.get_environ_proxies(url, None)
            self._proxies[where] = dict(found)
        return self._proxies[where]

    def close(self) -> None:
        """Close all connections."""
        with self._lock:
            if self._adapter is not None:
                self._adapter.close()


def _is_here(host: str) -> bool:
    """Tell whether a host is this machine's loopback, where a proxy would look for its own."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:  # a name
        return False


def _lives_here(host: str) -> bool:
    """Tell whether the internet can reach none of a host's addresses."""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError:  # it may be reached by a proxy alone
        return False
    return all(is_local(str(address[0])) for *_, address in found)


def _basic(username: str, password: str) -> requests.auth.HTTPBasicAuth:
    # UTF-8, as RFC 7617 asks for: the library's own choice, Latin-1, cannot spell every password.
    return requests.auth.HTTPBasicAuth(username.encode(), password.encode())


def _header(auth: requests.auth.HTTPBasicAuth | None) -> str:
    """Return the value of the header that a login is sent in."""
    request = requests.Request("GET", "http://localhost/", auth=auth).prepare()
    return str(request.headers.get("Authorization", ""))


def _from_keyring(index: Index) -> tuple[str, str] | None:
    try:
        keyring = importlib.import_module("keyring")
        found = keyring.get_credential(index.url, index.username)
    except Exception as error:  # noqa: BLE001 - keyring back ends raise what they like
        log.warning(
            "index %s: the keyring gave no password (%s); asking without one: install "
            "keyring beside indexfallback (its extra [keyring]), or set password_env",
            index.name, error,
        )  # fmt: skip
        return None
    return (found.username, found.password) if found else None
