"""Translates exceptions of the HTTP libraries and status codes to outcomes."""

import email.utils
import ssl
import time
from http import HTTPStatus

import requests
import urllib3

from indexfallback.outcome import Kind, Outcome
from indexfallback.process.machine import causes, fault_of
from indexfallback.upstream.route import has_route, shortage


class ForbiddenAddressError(OSError):
    """A host resolves to an address that the index may not lead to."""

    def __init__(self, host: str, address: str) -> None:
        super().__init__(f"{host} is at {address}")
        self.host = host
        self.address = address


#: Statuses with another meaning than "failed".
_KINDS = {
    HTTPStatus.OK: Kind.FOUND,
    HTTPStatus.PARTIAL_CONTENT: Kind.FOUND,
    HTTPStatus.NOT_MODIFIED: Kind.NOT_MODIFIED,
    HTTPStatus.NOT_FOUND: Kind.ABSENT,
    HTTPStatus.GONE: Kind.ABSENT,
    HTTPStatus.UNAUTHORIZED: Kind.DENIED,
    HTTPStatus.PROXY_AUTHENTICATION_REQUIRED: Kind.PROXY,
    HTTPStatus.REQUEST_TIMEOUT: Kind.FAILED,
    HTTPStatus.TOO_MANY_REQUESTS: Kind.LIMITED,
    # Of the network, which wants a login (RFC 6585, 6).
    HTTPStatus.NETWORK_AUTHENTICATION_REQUIRED: Kind.NOT_AN_INDEX,
}
#: All other statuses of this class concern what was asked for (RFC 9110, 15.5).
_CLIENT_ERRORS = range(400, 500)
#: Codes of X509_verify_cert_error_string(3) that have a remedy of their own: expired; self-signed
#: alone or in the chain; an unknown issuer, and a first certificate without a known one.
_TLS_KINDS = {10: Kind.EXPIRED, **dict.fromkeys((18, 19, 20, 21), Kind.UNTRUSTED)}
#: Faults of a gateway that are often over at once.
_TRANSIENT = frozenset(
    {HTTPStatus.BAD_GATEWAY, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.GATEWAY_TIMEOUT}
)


def outcome_of_status(status: int, retry_after: str | None) -> Outcome:
    """Return the outcome for a status code and the Retry-After header."""
    kind = Kind.REFUSED if status in _CLIENT_ERRORS else Kind.FAILED
    try:
        code = HTTPStatus(status)
    except ValueError:  # unassigned
        return Outcome(kind, f"status {status}")
    return Outcome(
        _KINDS.get(code, kind),
        f"{status} {code.phrase}",
        retry_after=_seconds(retry_after),
        is_transient=code in _TRANSIENT and retry_after is None,
    )


def _seconds(retry_after: str | None) -> float | None:
    """Return a Retry-After (RFC 9110, 10.2.3) in seconds from now, or None if it is invalid."""
    if retry_after is None:
        return None
    seconds = retry_after.strip()
    if seconds.isdecimal():
        return float(seconds)
    try:
        when = email.utils.parsedate_to_datetime(retry_after).timestamp()
    except (ValueError, OverflowError):  # neither a number nor a date
        return None
    return max(0.0, when - time.time())


def outcome_of_error(error: Exception, where: str) -> Outcome:
    """Return the outcome for an exception of `requests` or urllib3; ``where`` is host and port."""
    chain = list(causes(error))
    local = _local_outcome(error)
    if local is not None:
        return local
    if any(isinstance(cause, (ssl.SSLError, urllib3.exceptions.SSLError)) for cause in chain):
        return Outcome(_tls_kind(chain), f"TLS with {where} failed: {_reason(chain)}")
    if isinstance(error, requests.ConnectTimeout):
        return _unreachable(Kind.CONNECT_TIMEOUT, f"connect timeout ({where})")
    if any(
        isinstance(cause, (urllib3.exceptions.ReadTimeoutError, TimeoutError)) for cause in chain
    ):
        return Outcome(Kind.UNREACHABLE, f"no answer in time ({where})")
    if isinstance(error, requests.exceptions.ProxyError):
        return _unreachable(Kind.PROXY, f"the proxy for {where} failed: {_reason(chain)}")
    if any(isinstance(cause, urllib3.exceptions.NameResolutionError) for cause in chain):
        return _unreachable(Kind.NO_HOST, f"no such host ({where})")
    if any(isinstance(cause, ConnectionRefusedError) for cause in chain):
        return Outcome(Kind.CLOSED, f"connection refused ({where})")
    if any(isinstance(cause, urllib3.exceptions.NewConnectionError) for cause in chain):
        return _unreachable(Kind.UNREACHABLE, f"cannot connect: {_reason(chain)} ({where})")
    detail = f"connection broke: {_reason(chain)} ({where})"
    return Outcome(Kind.FAILED, detail, is_transient=True)


def _local_outcome(error: Exception) -> Outcome | None:
    """Return the outcome if the cause is a rule or a fault of this machine, or None."""
    for cause in causes(error):
        if isinstance(cause, ForbiddenAddressError):
            what = f"{cause.host} is at {cause.address}, where a public index may not lead"
            return Outcome(Kind.FORBIDDEN, what)
    fault = fault_of(error)
    return Outcome(Kind.LOCAL, fault) if fault is not None else None


def _tls_kind(chain: list[BaseException]) -> Kind:
    for cause in chain:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return _TLS_KINDS.get(cause.verify_code, Kind.INSECURE)
    return Kind.INSECURE


def _reason(chain: list[BaseException]) -> str:
    """Return the message of the innermost cause."""
    for cause in reversed(chain):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return cause.verify_message
        if isinstance(cause, OSError) and cause.strerror:
            return cause.strerror
    return str(chain[-1]) or type(chain[-1]).__name__


def _unreachable(kind: Kind, detail: str) -> Outcome:
    fault = shortage()
    if fault is not None:
        return Outcome(Kind.LOCAL, fault)
    if has_route():
        return Outcome(kind, detail)
    return Outcome(Kind.OFFLINE, "this machine has no network")
