"""Checks of certificates: those that are trusted, and the one that the shim shows; no I/O."""

from collections.abc import Iterator
from datetime import date, datetime, timezone

from indexfallback.doctor.finding import Cause, Finding, fail, ok, warn
from indexfallback.doctor.machine import Machine
from indexfallback.words import counted

#: Days before its end that a certificate is warned of: automatic renewal (ACME) is due 30 days
#: before, so it has failed by then.
SOON = 14


def trusted(machine: Machine) -> Iterator[Finding]:
    """Find a CA bundle that cannot be read."""
    bundle = machine.settings.ca_bundle
    if bundle is None:
        yield ok("certificates", "the system's certificates are used")
    elif machine.trust_problem:
        origin = machine.settings.origins.get("ca_bundle", "the settings")
        what = f"the CA bundle {bundle} ({origin}) cannot be used: {machine.trust_problem}"
        remedy = "Correct it, or remove the setting to use the system's certificates"
        yield fail("certificates", what, remedy, states=Cause.TRUST)
    else:
        yield ok("certificates", f"those in {bundle} are used")


def own(machine: Machine) -> Iterator[Finding]:
    """Find a certificate of the shim that clients refuse, or soon will."""
    path, end = machine.settings.tls_cert, machine.certificate_end
    if path is None:
        return
    remedy = "Renew it, and restart the shim"
    if machine.certificate_problem is not None:
        wrong = machine.certificate_problem
        yield fail("certificate", wrong.problem, wrong.remedy)
    elif end is None:
        yield ok("certificate", f"the shim uses {path}")
    elif end < today(machine.now):
        what = f"the shim's own ({path}) expired on {end}: clients refuse it"
        yield fail("certificate", what, remedy)
    elif ends_soon(end, machine.now):
        yield warn("certificate", f"the shim's own ({path}) {in_days(end, machine.now)}", remedy)
    else:
        yield ok("certificate", f"the shim's own ({path}) is valid until {end}")


def ends_soon(end: date, now: float) -> bool:
    """Tell whether a certificate ends within `SOON` days; ``now`` is seconds since the epoch."""
    return (end - today(now)).days <= SOON


def in_days(end: date, now: float) -> str:
    """Return when a certificate ends: ``ends on 2026-12-03, in 4 days``."""
    days = (end - today(now)).days
    return f"ends on {end}, " + (f"in {counted(days, 'day')}" if days else "today")


def today(now: float) -> date:
    """Return the day in UTC, as certificates have it."""
    return datetime.fromtimestamp(now, timezone.utc).date()


CHECKS = (trusted, own)
