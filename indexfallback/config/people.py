"""The other people who have an account on this machine: they can connect to its loopback."""

import os
import sys
from collections.abc import Iterable
from typing import NamedTuple

from indexfallback.words import shortened

if sys.platform != "win32":
    import pwd

#: The least number of a person's account: on macOS 501, and elsewhere (shadow-utils) 1000.
_LEAST_UID = {"darwin": 500}
_USUAL_LEAST_UID = 1000
#: Nobody's account.
_NOBODY_UID = 65534
#: Programs that let no one log in.
_NO_SHELLS = ("nologin", "false", "sync", "halt", "shutdown")
#: People who are named in a text; the rest is counted.
_NAMED = 3


class Account(NamedTuple):
    """An account of this machine."""

    name: str
    uid: int
    #: The path of the login shell; empty for the default one.
    shell: str


def accounts() -> tuple[Account, ...]:
    """Return the accounts of this machine, as far as the system lists them; none on Windows."""
    if sys.platform == "win32":
        return ()
    return tuple(Account(each.pw_name, each.pw_uid, each.pw_shell) for each in pwd.getpwall())


def own_uid() -> int | None:
    """Return the number of this user's account; None on Windows."""
    return None if sys.platform == "win32" else os.getuid()


def people(listed: Iterable[Account], own: int | None, platform: str) -> list[str]:
    """Return the names of the other people who can log in to this machine."""
    least = _LEAST_UID.get(platform, _USUAL_LEAST_UID)
    return sorted(
        account.name
        for account in listed
        if account.uid >= least
        and account.uid not in (own, _NOBODY_UID)
        and account.shell.rpartition("/")[2] not in _NO_SHELLS
    )


def named(names: list[str]) -> str:
    """Return the first of the names, and how many more there are."""
    return shortened(names, _NAMED)
