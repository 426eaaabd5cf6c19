"""Which program listens on a port, from the tables of Linux (``/proc/net/tcp``); no I/O."""

import sys
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import NamedTuple

#: The state LISTEN in the kernel's table (``include/net/tcp_states.h``).
_LISTEN = "0A"
#: Columns of a line (``Documentation/networking/proc_net_tcp.rst``).
_LOCAL, _STATE, _UID, _INODE = 1, 3, 7, 9
#: Bytes of a word of an address: each is in the byte order of the machine.
_WORD = 4


class Listener(NamedTuple):
    """A socket that listens."""

    #: The account of the program.
    uid: int
    #: ``socket:[INODE]`` is what its descriptor links to in ``/proc/PID/fd``.
    inode: int


class Holder(NamedTuple):
    """The program that listens on a port, as far as the system tells."""

    #: Empty, like ``pid`` None, if it is another user's and may not be looked at.
    name: str
    pid: int | None
    #: The name of the other user's account; empty for this user's own program.
    user: str = ""

    @property
    def words(self) -> str:
        """The program in a message: ``nginx (process 812)``."""
        if self.pid is None:
            return f"a program of {self.user or 'another user'}"
        of = f" of {self.user}" if self.user else ""
        return f"{self.name or 'a program'}{of} (process {self.pid})"


def listeners(table: str, host: str, port: int) -> Iterator[Listener]:
    """Yield the sockets that answer at an address, from the text of a table.

    A host that is a name is taken for any address.
    """
    for line in table.splitlines()[1:]:
        fields = line.split()
        if len(fields) <= _INODE or fields[_STATE] != _LISTEN:
            continue
        address, _, number = fields[_LOCAL].partition(":")
        if int(number, 16) == port and _answers_at(_address(address), host):
            yield Listener(int(fields[_UID]), int(fields[_INODE]))


def _address(digits: str) -> IPv4Address | IPv6Address:
    data = bytes.fromhex(digits)
    if sys.byteorder == "little":
        words = (data[start : start + _WORD] for start in range(0, len(data), _WORD))
        data = b"".join(word[::-1] for word in words)
    return ip_address(data)


def _answers_at(bound: IPv4Address | IPv6Address, host: str) -> bool:
    try:
        wanted = ip_address(host)
    except ValueError:  # a name
        return True
    mapped = bound.ipv4_mapped if isinstance(bound, IPv6Address) else None
    return bound.is_unspecified or wanted.is_unspecified or wanted in (bound, mapped)


def list_listeners(platform: str, port: int) -> str:
    """Return the command that names the program on a port; ``platform`` as in ``sys``."""
    if platform == "win32":
        return f"netstat -abno | findstr :{port}"
    if platform == "darwin":
        return f"sudo lsof -nP -iTCP:{port} -sTCP:LISTEN"
    return f"sudo ss -ltnp 'sport = :{port}'"
