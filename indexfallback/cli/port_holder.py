"""Finds the program that listens on a port of this machine, on Linux."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from indexfallback.config.people import accounts, own_uid
from indexfallback.doctor.listening import Holder, Listener, listeners

_PROC = Path("/proc")


def port_holder(host: str, port: int) -> Holder | None:
    """Return the program that listens on an address; None if that cannot be known.

    The programs of other users are named to root only; to others, their user.
    """
    for listener in _listeners(host, port):
        user = "" if listener.uid == own_uid() else _user(listener.uid)
        process = _process_with(f"socket:[{listener.inode}]")
        if process is None:
            return Holder("", None, user) if user else None
        return Holder(_name(process), int(process.name), user)
    return None


def _listeners(host: str, port: int) -> Iterator[Listener]:
    for table in ("tcp", "tcp6"):
        try:
            text = (_PROC / "net" / table).read_text(encoding="ascii")
        except (OSError, UnicodeDecodeError):  # not Linux, or without IPv6
            continue
        yield from listeners(text, host, port)


def _process_with(link: str) -> Path | None:
    """Return the directory of the process one of whose descriptors is a socket."""
    for process in _PROC.iterdir():
        if process.name.isdecimal() and link in _links(process / "fd"):
            return process
    return None


def _links(descriptors: Path) -> Iterator[str]:
    try:
        for each in descriptors.iterdir():
            with suppress(OSError):  # it has just been closed
                yield str(each.readlink())
    except OSError:  # another user's process, or one that has just ended
        return


def _name(process: Path) -> str:
    try:
        return (process / "comm").read_text(encoding="utf-8", errors="replace").strip()
    except OSError:  # it has just ended
        return ""


def _user(uid: int) -> str:
    named = (account.name for account in accounts() if account.uid == uid)
    return next(named, f"the user {uid}")
