"""Checks of who else can read what the shim serves: other users of this machine."""

from collections.abc import Iterable, Iterator

from indexfallback.config.loopback import is_loopback
from indexfallback.doctor.finding import Finding, fail, ok, warn
from indexfallback.doctor.machine import Account, Machine

#: The least number of a person's account: on macOS 501, and elsewhere (shadow-utils) 1000.
_LEAST_UID = {"darwin": 500}
_USUAL_LEAST_UID = 1000
#: Nobody's account.
_NOBODY_UID = 65534
#: Programs that let no one log in.
_NO_SHELLS = ("nologin", "false", "sync", "halt", "shutdown")
#: Names of people in a message; the rest is counted.
_NAMED = 3


def people(accounts: Iterable[Account], own: int | None, platform: str) -> list[str]:
    """Return the names of the other people who can log in to this machine."""
    least = _LEAST_UID.get(platform, _USUAL_LEAST_UID)
    return sorted(
        account.name
        for account in accounts
        if account.uid >= least
        and account.uid not in (own, _NOBODY_UID)
        and account.shell.rpartition("/")[2] not in _NO_SHELLS
    )


def others(machine: Machine) -> Iterator[Finding]:
    """Find other people who can read what the shim gets with this user's logins."""
    settings = machine.settings
    found = people(machine.accounts, machine.uid, machine.platform)
    if settings.private or not is_loopback(settings.host):  # a token, or the user has decided
        yield ok("other users", "they cannot read from the shim without a token")
    elif machine.uid is None:
        yield ok("other users", "this system does not list them")
    elif not found:
        yield ok("other users", "nobody else has an account here")
    elif not machine.with_login:
        yield ok("other users", "no private index has a login, which the shim would use for them")
    else:
        more = f" and {len(found) - _NAMED:,} more" if len(found) > _NAMED else ""
        yield warn(
            "other users",
            f"{', '.join(found[:_NAMED])}{more} can read through the shim what your login to "
            f"{' and '.join(machine.with_login)} gives",
            "Set private = true in [server], restart the shim, and set the clients up again",
        )


def tokens(machine: Machine) -> Iterator[Finding]:
    """Find clients that the shim refuses because they have no token."""
    places = machine.without_token if machine.settings.asks_for_tokens else ()
    if places:
        what = f"the shim asks for a token, and its address in {' and '.join(places)} has none"
        yield fail("token", what, "indexfallback setup, for these clients again")
    else:
        yield ok("token", "no client lacks one that the shim asks for")


CHECKS = (others, tokens)
