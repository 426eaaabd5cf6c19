"""Check of the clock, by the times that indexes state; no I/O.

The clock of this machine is called wrong only if two servers agree that it is. A Date header that
stands alone, or differs from the others, is a fault of its index.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timezone

from indexfallback.doctor.finding import Cause, Finding, ok, warn
from indexfallback.doctor.machine import IndexCheck, Machine
from indexfallback.words import span

#: Seconds. Tokens and signed URLs fail at a difference of five minutes; a cache may delay the date
#: of a response a little.
SKEW = 120.0
#: Seconds between two times that agree: a date has whole seconds, and an answer takes up to ten.
AGREEMENT = 15.0
#: Seconds: no certificate ends or begins between two times that are closer.
_DAY = 86_400.0
_CORRECT = "Set the clock, or enable its synchronisation"


def clock(machine: Machine) -> Iterator[Finding]:
    """Find a wrong clock of this machine, or of an index."""
    stated = {check.host: check for check in machine.indexes if check.clock_ahead is not None}
    if machine.now < machine.installed - _DAY:
        what = f"it is at {_day(machine.now)}, before indexfallback was installed here"
        yield _wrong(f"{what} ({_day(machine.installed)})", is_far=True)
        return
    if not stated:
        yield ok("clock", "no index sent its time")
        return
    odd = [check for check in stated.values() if abs(_ahead(check)) > SKEW]
    agreed = _agreeing(odd) if len(odd) == len(stated) else []
    if agreed:
        ahead = _ahead(agreed[0])
        names = " and ".join(check.index for check in agreed)
        what = f"{_difference(ahead)} the clocks of {names}: certificates and tokens may fail"
        yield _wrong(what, is_far=abs(ahead) > _DAY)
    elif len(odd) < len(stated):
        yield ok("clock", "the same as that of the indexes")
    else:
        yield ok("clock", "no two indexes agree that it is wrong")
    for check in odd:
        if check not in agreed:
            yield _of_index(check, is_alone=len(stated) == 1)


def _wrong(what: str, *, is_far: bool) -> Finding:
    return warn("clock", what, _CORRECT, states=Cause.CLOCK if is_far else None)


def _of_index(check: IndexCheck, *, is_alone: bool) -> Finding:
    what = f"its Date header is {_difference(-_ahead(check))} this machine's clock"
    remedy = f"Tell whoever runs {check.index}: its clock, or a cache before it, is wrong"
    if is_alone:
        remedy = f"Compare this machine's clock with a true one. If it is right, t{remedy[1:]}"
    else:
        what += ", and no other index agrees"
    return warn(f"index {check.index}", what, remedy)


def _agreeing(checks: Sequence[IndexCheck]) -> list[IndexCheck]:
    """Return those that agree with another one about the time, the most that there are."""
    groups = [
        [other for other in checks if abs(_ahead(other) - _ahead(check)) <= AGREEMENT]
        for check in checks
    ]
    largest = max(groups, key=len, default=[])
    return largest if len(largest) > 1 else []


def _ahead(check: IndexCheck) -> float:
    return check.clock_ahead or 0.0


def _difference(ahead: float) -> str:
    return f"{span(abs(ahead))} {'ahead of' if ahead > 0 else 'behind'}"


def _day(when: float) -> str:
    return datetime.fromtimestamp(when, timezone.utc).date().isoformat()


CHECKS = (clock,)
