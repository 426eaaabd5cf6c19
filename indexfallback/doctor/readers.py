"""Checks of who else can read what the shim serves: other users of this machine."""

from collections.abc import Iterator

from indexfallback.config.loopback import is_loopback
from indexfallback.config.people import named, people
from indexfallback.doctor.finding import Finding, fail, ok, warn
from indexfallback.doctor.machine import Machine


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
        what = (
            f"{named(found)} can read through the shim what your login to "
            f"{' and '.join(machine.with_login)} gives"
        )
        if settings.origins.get("server.private", "default") != "default":
            yield ok("other users", f"{what}, as private = false allows")
            return
        remedy = "Set private = true in [server], restart the shim, and set the clients up again"
        yield warn("other users", what, remedy)


def tokens(machine: Machine) -> Iterator[Finding]:
    """Find clients that the shim refuses because they have no token."""
    places = machine.without_token if machine.settings.asks_for_tokens else ()
    if places:
        what = f"the shim asks for a token, and its address in {' and '.join(places)} has none"
        yield fail("token", what, "indexfallback setup, for these clients again")
    else:
        yield ok("token", "no client lacks one that the shim asks for")


CHECKS = (others, tokens)
