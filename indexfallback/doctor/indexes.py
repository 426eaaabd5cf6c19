"""Checks of the indexes: each is available, accepts the credentials, is fast and up to date."""

from collections.abc import Iterator

from indexfallback.condition import SLOW
from indexfallback.doctor.finding import Finding, fail, ok, warn
from indexfallback.doctor.machine import IndexCheck, Machine

#: Seconds. Tokens and signed URLs fail at a difference of five minutes; a cache may delay the date
#: of a response a little.
SKEW = 120.0


def answers(machine: Machine) -> Iterator[Finding]:
    """Report the answer of each index."""
    if not machine.settings.indexes:
        yield fail("indexes", "no index is configured", "indexfallback config init")
    for check in machine.indexes:
        yield _of(check)


def _of(check: IndexCheck) -> Finding:
    subject = f"index {check.index}"
    if check.verdict == "FAIL":
        return fail(subject, check.what, check.remedy.rstrip("."))
    if check.verdict == "warn":
        return warn(subject, check.what, check.remedy.rstrip("."))
    if check.seconds is not None and check.seconds > SLOW:
        return warn(
            subject,
            f"slow: {check.what} in {check.seconds:.1f} s",
            f"Check the network to {check.index}, or configure a mirror before it",
        )
    took = f" in {check.seconds * 1000:,.0f} ms" if check.seconds is not None else ""
    return ok(subject, check.what + took)


def clock(machine: Machine) -> Iterator[Finding]:
    """Find a wrong clock, compared with the index whose clock differs least."""
    ahead = [check.clock_ahead for check in machine.indexes if check.clock_ahead is not None]
    if not ahead:
        yield ok("clock", "no index sent its time")
        return
    nearest = min(ahead, key=abs)
    if abs(nearest) <= SKEW:
        yield ok("clock", "the same as that of the indexes")
        return
    direction = "ahead of" if nearest > 0 else "behind"
    what = f"{abs(nearest) / 60:,.0f} min {direction} the indexes: certificates and tokens may fail"
    yield warn("clock", what, "Set the clock, or enable its synchronisation")


CHECKS = (answers, clock)
