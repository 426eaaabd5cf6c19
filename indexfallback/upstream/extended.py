"""Files at any address that a configuration names, fetched with the user's settings.

They are asked for as an index would be: with its certificates, proxies and timeouts, and with the
login of an index for its own origin, or else the one in the address or in netrc.
"""

import time
from collections.abc import Iterator
from urllib.parse import urlsplit

from indexfallback.config import Index, Settings, without_credentials
from indexfallback.errors import WantedUnavailableError, redact
from indexfallback.outcome import LOGIN_KINDS, TLS_KINDS, Kind, Outcome
from indexfallback.upstream.answers import Limits, TransferError
from indexfallback.upstream.connection import Connection
from indexfallback.upstream.credentials import login_in, origin
from indexfallback.upstream.journey import Journey
from indexfallback.upstream.received import bounded
from indexfallback.upstream.responses import set_read_timeout

#: For one file, seconds: the whole, whatever its size.
_SECONDS = 60.0
_KEEP = "run again when it answers, or set `extends-cache` in [buildout], which keeps it"


class ExtendedFiles:
    """Fetches files, each once; for one command."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._fetched: dict[str, bytes] = {}

    def get(self, url: str) -> bytes:
        """Return what is at an address; raises `WantedUnavailableError`."""
        if url not in self._fetched:
            self._fetched[url] = self._get(url)
        return self._fetched[url]

    def _get(self, url: str) -> bytes:
        if self._settings.offline:
            cause = "this command is offline"
            raise WantedUnavailableError(redact(url), cause, f"run it online, {_KEEP[4:]}")
        try:
            indexes = list(self._indexes(url))
        except ValueError as error:
            raise WantedUnavailableError(redact(url), f"{error}", "correct the address") from None
        for index in indexes:
            outcome, content = self._ask(index, url)
            if outcome.kind not in LOGIN_KINDS:
                break
        if outcome.kind is not Kind.FOUND:
            raise WantedUnavailableError(redact(url), outcome.detail, _remedy(outcome.kind))
        return content

    def _indexes(self, url: str) -> Iterator[Index]:
        """Yield the indexes whose logins may be sent; raises ValueError for an invalid address."""
        where = origin(url)
        if where[0] not in ("http", "https") or not where[1]:
            raise ValueError("it is not an address of HTTP")
        known = [index for index in self._settings.indexes
                 if not index.is_read_each_time and origin(index.url) == where]  # fmt: skip
        yield from known
        if not known:
            parts = urlsplit(without_credentials(url))
            yield Index(name=where[1], url=f"{parts.scheme}://{parts.netloc}/")

    def _ask(self, index: Index, url: str) -> tuple[Outcome, bytes]:
        """Ask once, as one index."""
        settings = self._settings
        connection = Connection(index, settings.ca_bundle, settings.allow_hosts, settings.proxy)
        limits = Limits(time.monotonic() + _SECONDS, settings.page_size)
        headers = {"Accept": "*/*", "Accept-Encoding": "gzip, deflate"}
        carried = {origin(url): login_in(url)} if login_in(url) else {}
        try:
            timeout = index.connect_timeout, index.read_timeout
            journey = Journey(headers, timeout, carried=carried)
            outcome, response = connection.ask(without_credentials(url), journey)
            if response is None or outcome.kind is not Kind.FOUND:
                return outcome, b""
            set_read_timeout(response, index.read_timeout)
            return outcome, b"".join(bounded(response, limits))
        except TransferError as error:
            return error.outcome, b""
        finally:
            connection.close()


def _remedy(kind: Kind) -> str:
    if kind in LOGIN_KINDS or kind is Kind.REFUSED:
        return "put a login of that host into netrc, or correct the one that is used"
    if kind is Kind.ABSENT:
        return "correct the address"
    if kind in TLS_KINDS:
        return "have the certificate renewed, or add its authority to this machine's"
    if kind is Kind.NOT_ALLOWED:
        return "allow the host"
    return _KEEP
