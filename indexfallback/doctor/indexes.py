"""The indexes: each is reachable, lets us in, is quick, and in step with what it repeats."""

from collections.abc import Iterator

from indexfallback.doctor.finding import Finding, fail, ok, warn
from indexfallback.doctor.machine import IndexCheck, Machine

#: The least that the shim waits for an index that is usually quick, seconds: one slower than
#: that is given up on more often.
SLOW = 1.5
#: Signed addresses and tokens are refused by clocks five minutes apart; a cache in between may
#: keep an answer's date for a moment.
SKEW = 120.0


def answers(machine: Machine) -> Iterator[Finding]:
    """Find what asking each index told."""
    if not machine.settings.indexes:
        yield fail("indexes", "none is configured", "indexfallback config init")
    for check in machine.indexes:
        yield _of(check)


def _of(check: IndexCheck) -> Finding:
    subject = f"index {check.name}"
    if check.verdict == "FAIL":
        return fail(subject, check.what, check.remedy.rstrip("."))
    if check.verdict == "warn":
        return warn(subject, check.what, check.remedy.rstrip("."))
    if check.seconds is not None and check.seconds > SLOW:
        return warn(
            subject,
            f"slow: {check.what} in {check.seconds:.1f} s",
            f"Look at the network to {check.name}, or set a mirror of it before it",
        )
    took = f" in {check.seconds * 1000:,.0f} ms" if check.seconds is not None else ""
    return ok(subject, check.what + took)


def clock(machine: Machine) -> Iterator[Finding]:
    """Find a clock that is wrong by the word of the index that is nearest to it."""
    ahead = [check.clock_ahead for check in machine.indexes if check.clock_ahead is not None]
    if not ahead:
        yield ok("clock", "no index said what time it is")
        return
    nearest = min(ahead, key=abs)
    if abs(nearest) <= SKEW:
        yield ok("clock", "as the indexes'")
        return
    direction = "ahead of" if nearest > 0 else "behind"
    what = f"{abs(nearest) / 60:,.0f} min {direction} the indexes': certificates and tokens fail"
    yield warn("clock", what, "Set the clock, or switch on its synchronisation")


CHECKS = (answers, clock)
