"""The ports that shims of this user have served: files of projects may still name them.

One file of the user's state directory, one port a line. A port is appended once, so the file is
bounded by the number of ports, 65,535 lines or 400 KB. Two shims that append at the same time may
write a port twice; the system appends so short a line as a whole.
"""

import logging
import os
from pathlib import Path

import platformdirs

log = logging.getLogger("indexfallback.store")

#: Bytes that are read: all ports, and some of them twice.
_MOST = 1_000_000
_HIGHEST = 65_535
_DIGITS = 5


def ports_file() -> Path:
    """Return the path of the file."""
    return platformdirs.user_state_path("indexfallback") / "ports"


def served_ports() -> frozenset[int]:
    """Return the ports that were remembered; none if the file does not exist or cannot be read."""
    try:
        with ports_file().open("rb") as file:
            lines = file.read(_MOST).split()
    except OSError:  # nothing was remembered
        return frozenset()
    # A line that another process has written in part, or that is damaged, may be anything.
    ports = (int(line) for line in lines if line.isdigit() and len(line) <= _DIGITS)
    return frozenset(port for port in ports if port <= _HIGHEST)


def remember_port(number: int) -> None:
    """Remember a port; where the directory cannot be written, only log it."""
    if number in served_ports():
        return
    file = ports_file()
    try:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(descriptor, f"{number}\n".encode())
        finally:
            os.close(descriptor)
    except OSError as error:  # a read-only home directory, as in some containers
        log.debug("%s: port %d is not remembered (%s)", file, number, error)
