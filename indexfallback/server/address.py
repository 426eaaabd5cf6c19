"""The address where the server listens: a port that one shim alone may use.

On Linux the server binds with SO_REUSEPORT: a second server on the same port would start without
an error and take every other connection. A lock for each port prevents that.
"""

import errno
import logging
import socket
import time
from dataclasses import dataclass

import platformdirs

from indexfallback.errors import IndexFallbackError
from indexfallback.server.asking import Kind, found_at
from indexfallback.server.proof import Place
from indexfallback.store.locks import FileLock

log = logging.getLogger("indexfallback")

#: A server that is ending may hold the lock for as long as it may take to end, seconds.
LOCK_SECONDS = 3.0
#: Ports that are tried in search of a free one, and the last one that there is.
_NEAR = 100
_LAST = 65535
_ANOTHER = "a shim with another configuration"


@dataclass(eq=False)
class PortTakenError(IndexFallbackError):
    """Another program, or a shim of another user or configuration, listens on the port."""

    host: str
    port: int
    who: str

    def __str__(self) -> str:
        return (
            f"{self.host}:{self.port} is taken by {self.who}; stop it, or choose another port "
            "with --port or INDEXFALLBACK_PORT"
        )


@dataclass(eq=False)
class PortRefusedError(IndexFallbackError):
    """The system does not let this process listen on the address."""

    host: str
    port: int
    reason: str

    def __str__(self) -> str:
        return (
            f"cannot listen on {self.host}:{self.port} ({self.reason}); choose another port "
            "with --port or INDEXFALLBACK_PORT, or another host in the configuration"
        )


@dataclass(eq=False)
class AlreadyServedError(IndexFallbackError):
    """A shim with the same configuration serves the port already: there is nothing to do."""

    url: str
    pid: int

    exit_code = 0

    def __str__(self) -> str:
        return f"already served on {self.url} by process {self.pid}, with this configuration"


class Port:
    """A port of this machine that only this process may serve."""

    def __init__(
        self,
        host: str,
        lock: FileLock | None,
        held: socket.socket,
        *,
        tls: bool,
    ) -> None:
        self.host = host
        #: Address and port as numbers.
        self.place = Place(*held.getsockname()[:2])
        self.number = self.place.port
        self._tls = tls
        self._lock = lock
        self._held = _kept(held)

    @property
    def url(self) -> str:
        """The address of the server's root, without a slash at the end."""
        return url_of(self.host, self.number, tls=self._tls)

    def release(self) -> None:
        """Give the port up."""
        if self._lock is not None:
            self._lock.release()
        if self._held is not None:
            self._held.close()


def url_of(host: str, number: int, *, tls: bool = False) -> str:
    """Return the address of a server's root, without a slash at the end."""
    scheme = "https" if tls else "http"
    return f"{scheme}://[{host}]:{number}" if ":" in host else f"{scheme}://{host}:{number}"


def take_port(host: str, number: int, identity: str, *, tls: bool = False) -> Port:
    """Return the port, locked for this process; number 0 takes a free one.

    ``identity`` is that of the settings. Raises `AlreadyServedError`, `PortTakenError` or
    `PortRefusedError`.
    """
    if number == 0:
        return Port(host, None, _bind(host, 0), tls=tls)
    lock = FileLock(platformdirs.user_state_path("indexfallback") / f"port-{number}.lock")
    ends = time.monotonic() + LOCK_SECONDS
    while not _acquired(lock):
        refuse_if_served(host, number, identity, tls=tls)
        if time.monotonic() > ends:
            raise PortTakenError(host, number, "a shim that is starting or does not answer")
        time.sleep(0.05)  # a file lock cannot be waited for with a deadline
    try:
        refuse_if_served(host, number, identity, tls=tls)
        held = _bind(host, number)
    except IndexFallbackError:
        lock.release()
        raise
    return Port(host, lock, held, tls=tls)


def free_port(host: str, after: int, identity: str) -> int:
    """Return the next port after a number that this process could take; raises `PortTakenError`."""
    for number in range(after + 1, min(after + _NEAR, _LAST) + 1):
        try:
            take_port(host, number, identity).release()
        except (AlreadyServedError, PortTakenError, PortRefusedError):
            continue
        return number
    raise PortTakenError(host, after, "another program, as are those after it")


def _bind(host: str, number: int) -> socket.socket:
    """Bind without listening: the number stays ours, and no connection arrives here."""
    held = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    if hasattr(socket, "SO_REUSEPORT"):
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    try:
        held.bind((host, number))
    except OSError as error:
        held.close()
        if error.errno == errno.EADDRINUSE:
            raise PortTakenError(host, number, "another program") from None
        raise PortRefusedError(host, number, error.strerror or str(error)) from None
    return held


def _kept(held: socket.socket) -> socket.socket | None:
    if hasattr(socket, "SO_REUSEPORT"):
        return held
    held.close()  # Windows: the server could not bind the same port
    return None


def _acquired(lock: FileLock) -> bool:
    try:
        return lock.acquire()
    except OSError as error:  # a home directory that is read-only, as in some containers
        log.warning("%s: the port cannot be locked (%s); going on without a lock", lock.path, error)
        return True


def refuse_if_served(host: str, number: int, identity: str, *, tls: bool = False) -> None:
    """Return if no server listens there; raises `AlreadyServedError` or `PortTakenError`.

    ``identity`` is that of the settings.
    """
    url = url_of(host, number, tls=tls)
    found = found_at(url)
    if found is None:  # the port is free
        return
    if found.kind is not Kind.OWN:
        raise PortTakenError(host, number, found.kind.value)
    if found.has(identity):
        raise AlreadyServedError(f"{url}/simple/", found.health["pid"])
    what = "the shim of a command" if found.health.get("for_one_command") else _ANOTHER
    who = f"{what} (process {found.health['pid']})"
    raise PortTakenError(host, number, who)
