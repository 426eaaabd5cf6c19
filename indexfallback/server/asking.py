"""Requests to a shim on this machine: it must first prove that it is this user's."""

import http.client
import json
import secrets
import socket
import ssl
import threading
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import Enum
from functools import partial
from typing import Any, NamedTuple, cast
from urllib.parse import urlsplit

from indexfallback.config import Settings
from indexfallback.server.proof import Place, configuration_digest, is_proven
from indexfallback.store.secret import Secret, user_secret
from indexfallback.store.tokens import USER

#: Time-out of a request to a server on loopback, seconds.
_ASK_SECONDS = 2.0
#: Bytes of a challenge: as many as the digest has.
_CHALLENGE_BYTES = 32
#: Bytes read of the health of what may be another program.
_MOST_HEALTH = 64 * 1024

#: Errors of `ask`: no server, no answer in time, another program, another user's shim.
NoAnswer = (OSError, ValueError, http.client.HTTPException)


class Kind(Enum):
    """What answers at an address; the value is for messages."""

    OWN = "a shim of yours"
    FOREIGN = "a shim of another user"
    OTHER = "another program"


@dataclass(frozen=True)
class Found:
    """What answers at an address."""

    kind: Kind
    #: What it says of itself; empty if it is no shim.
    health: Mapping[str, Any]

    def has(self, identity: str) -> bool:
        """Tell whether it is a shim of this user with these settings, by `Settings.identity`."""
        same = configuration_digest(user_secret(), identity)
        return self.kind is Kind.OWN and self.health.get("configuration") == same


class Answer(NamedTuple):
    """A whole answer."""

    status: int
    content_type: str
    body: bytes


class NotOwnError(ValueError):
    """What answers is not a shim of this user."""


def found_at(url: str, seconds: float = _ASK_SECONDS) -> Found | None:
    """Return what answers at an address; None if nothing does."""
    try:
        with _connected(url, seconds) as connection:
            return _examined(connection, user_secret(), seconds)
    except ConnectionRefusedError:
        return None
    except NoAnswer:
        return Found(Kind.OTHER, {})


def ask(url: str, path: str, seconds: float = _ASK_SECONDS) -> Any:
    """Return the JSON that a shim of this user answers for a path; uses no proxy.

    The user's own token is sent, after the proof, on the same connection. Raises one of `NoAnswer`
    if no shim of this user answers, or with an error.
    """
    with _own(url, seconds) as (connection, secret):
        return json.loads(_get(connection, path, {"Authorization": login(secret)}))


def fetch(url: str, path: str, accept: str, seconds: float) -> Answer:
    """Return the answer of a shim of this user for a path, whatever its status; as `ask`.

    ``accept`` are the media types that are wanted. Raises one of `NoAnswer`.
    """
    with _own(url, seconds) as (connection, secret):
        headers = {"Accept": accept, "Authorization": login(secret)}
        connection.request("GET", path, headers=headers)
        response = connection.getresponse()
        return Answer(response.status, response.headers.get_content_type(), response.read())


def connect_to_own(url: str, secret: Secret, seconds: float) -> socket.socket:
    """Return a connection to a shim of this user, which has proven itself on it.

    Raises one of `NoAnswer`.
    """
    connection = _opened(url, seconds)
    try:
        found = _examined(connection, secret, seconds)
        if found.kind is not Kind.OWN:
            raise NotOwnError(f"{found.kind.value} answers")
        sock, connection.sock = connection.sock, None
        if sock is None:
            raise http.client.NotConnected("the shim has closed the connection")
        return cast("socket.socket", sock)
    finally:
        connection.close()


def login(secret: Secret) -> str:
    """Return the Authorization header with the user's own token."""
    return f"Basic {b64encode(f'{USER}:{secret.token}'.encode()).decode()}"


def for_clients(url: str, settings: Settings) -> str:
    """Return the address of a shim as clients need it: with the user's own token if it asks."""
    if not settings.asks_for_tokens:
        return url
    scheme, separator, rest = url.partition("://")
    return f"{scheme}{separator}{USER}:{user_secret().token}@{rest}"


def _examined(connection: http.client.HTTPConnection, secret: Secret, seconds: float) -> Found:
    place = Place(*connection.sock.getpeername()[:2])
    challenge = secrets.token_hex(_CHALLENGE_BYTES)
    with _ended_after(seconds, connection.sock):
        answer = _get(connection, f"/-/health?challenge={challenge}", {}, most=_MOST_HEALTH)
    try:
        health = json.loads(answer)
    except RecursionError:  # another program's, and hostile
        health = None
    if not isinstance(health, dict) or health.get("name") != "indexfallback":
        return Found(Kind.OTHER, {})
    is_own = is_proven(secret, challenge, health, place)
    return Found(Kind.OWN if is_own else Kind.FOREIGN, health)


@contextmanager
def _ended_after(seconds: float, sock: socket.socket) -> Iterator[None]:
    """End the connection after a time, however slowly a hostile program sends its answer."""

    def end() -> None:
        with suppress(OSError):  # it has ended already
            sock.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(seconds, end)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


@contextmanager
def _own(url: str, seconds: float) -> Iterator[tuple[http.client.HTTPConnection, Secret]]:
    """Yield a connection to a shim of this user, which has proven itself on it."""
    secret = user_secret()
    with _connected(url, seconds) as connection:
        found = _examined(connection, secret, seconds)
        if found.kind is not Kind.OWN:
            raise NotOwnError(f"{found.kind.value} answers")
        yield connection, secret


@contextmanager
def _connected(url: str, seconds: float) -> Iterator[http.client.HTTPConnection]:
    connection = _opened(url, seconds)
    try:
        yield connection
    finally:
        connection.close()


def _opened(url: str, seconds: float) -> http.client.HTTPConnection:
    parts = urlsplit(url)
    connect: Any = http.client.HTTPConnection
    if parts.scheme == "https":
        connect = partial(http.client.HTTPSConnection, context=_own_tls())
    connection: http.client.HTTPConnection = connect(
        parts.hostname or "", parts.port or 0, timeout=seconds
    )
    # A closed connection must not be opened again: another program might then answer.
    connection.auto_open = 0
    connection.connect()
    return connection


def _get(
    connection: http.client.HTTPConnection,
    path: str,
    headers: dict[str, str],
    most: int | None = None,
) -> bytes:
    connection.request("GET", path, headers=headers)
    response = connection.getresponse()
    if response.status != http.client.OK:
        raise ValueError(f"status {response.status}")
    return response.read(most)


def _own_tls() -> ssl.SSLContext:
    """Return a TLS context for a shim on this machine, whose certificate names another address.

    The certificate is not checked: the shim proves what it is, and is asked on this machine.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
