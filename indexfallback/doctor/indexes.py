"""Checks of the indexes: each is available, accepts the credentials, is fast and up to date."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from indexfallback.condition import SLOW, Condition
from indexfallback.doctor.certificates import today
from indexfallback.doctor.finding import Cause, Finding, fail, ok, warn
from indexfallback.doctor.machine import IndexCheck, Machine
from indexfallback.outcome import TLS_KINDS, Kind

#: Failures of this machine and not of an index: one cause, whatever is asked.
_OF_THIS_MACHINE = frozenset({Kind.OFFLINE, Kind.LOCAL, Kind.PAUSED, Kind.PROXY})


class _Shared(NamedTuple):
    """What it means if all indexes, on several hosts, fail in one way."""

    kinds: frozenset[Kind]
    subject: str
    #: With a place for ``index`` or ``private index``.
    what: str
    remedy: str
    #: Whether it means the same if all private indexes fail so, and the public ones do not.
    of_private: bool = False


#: In each of these ways one index fails by a fault of its own, and all of them by another one.
_SHARED = (
    _Shared(
        frozenset({Kind.UNREACHABLE, Kind.CONNECT_TIMEOUT, Kind.NO_HOST}),
        subject="network",
        what="no {index} can be reached",
        remedy="Connect to the network (VPN) that they are in; until then, `indexfallback offline "
        "on` serves what is cached without waiting",
        of_private=True,
    ),
    _Shared(
        frozenset({Kind.NOT_AN_INDEX}),
        subject="network",
        what="no {index} answers as an index, as before a login to the network",
        remedy="Log in to the network with a browser, or correct the addresses",
    ),
    _Shared(
        frozenset({Kind.UNTRUSTED}),
        subject="certificates",
        what="no {index} has a certificate of a known authority, as behind a proxy that reads TLS",
        remedy="Name the CA of your network in pip's cert setting",
        of_private=True,
    ),
    _Shared(
        frozenset({Kind.EXPIRED}),
        subject="clock",
        what="the certificates of all indexes have expired, as where a clock is wrong",
        remedy="Set the clock of this machine; if it is right, tell whoever runs the indexes",
    ),
)


def answers(machine: Machine) -> Iterator[Finding]:
    """Report the answer of each index, a failure that several have in common once."""
    if not machine.settings.indexes:
        yield fail("indexes", "no index is configured", "indexfallback config init")
    yield from (_of(check) for check in machine.indexes if check.kind is None)
    asked = [check for check in machine.indexes if check.host and check.verdict != "skip"]
    shared = _shared(asked, machine.now)
    if shared is None:
        asked = [check for check in asked if check.is_private]
        shared = _shared(asked, machine.now, private=True)
    if shared is not None:
        yield shared
    told = asked if shared is not None else []
    yield from map(_failed, _groups(c for c in machine.indexes if c.kind and c not in told))


def _of(check: IndexCheck) -> Finding:
    subject = f"index {check.index}"
    if check.verdict == "FAIL":
        return fail(subject, check.what, check.remedy.rstrip("."))
    if check.verdict == "warn":
        return warn(subject, check.what, check.remedy.rstrip("."))
    if check.seconds is not None and check.seconds > SLOW:
        return warn(
            subject,
            f"{Condition.SLOW.word}: {check.what} in {check.seconds:.1f} s",
            f"Check the network to {check.index}, or configure a mirror before it",
        )
    took = f" in {check.seconds * 1000:,.0f} ms" if check.seconds is not None else ""
    return ok(subject, check.what + took)


def _shared(asked: list[IndexCheck], now: float, *, private: bool = False) -> Finding | None:
    """Return the finding for indexes on several hosts that all fail in one way, or None.

    ``private`` tells that they are the private ones, and others of the chain do not fail so.
    """
    if len({check.host for check in asked}) <= 1:
        return None
    for shared in _SHARED:
        holds = shared.of_private or not private
        if holds and all(check.kind in shared.kinds for check in asked):
            each = "; ".join(_and_why(group) for group in _alike(asked))
            at = f" (it is at {today(now)})" if Kind.EXPIRED in shared.kinds else ""
            which = "private index" if private else "index"
            what = f"{shared.what.format(index=which)}{at}: {each}"
            return fail(shared.subject, what, shared.remedy, follows=_follows(asked[0]))
    return None


def _groups(failures: Iterable[IndexCheck]) -> list[list[IndexCheck]]:
    """Return the failures by their cause: one host that fails in one way, or this machine."""
    groups: dict[tuple[Kind | None, str], list[IndexCheck]] = {}
    for check in failures:
        # A directory has no host: each has its own cause.
        place = "" if check.kind in _OF_THIS_MACHINE and check.host else check.host or check.index
        groups.setdefault((check.kind, place), []).append(check)
    return list(groups.values())


def _failed(group: list[IndexCheck]) -> Finding:
    first, *others = group
    remedy, follows = first.remedy.rstrip("."), _follows(first)
    if not others:
        return fail(f"index {first.index}", first.what, remedy, follows=follows)
    return fail("indexes", _and_why(group), remedy, follows=follows)


def _alike(checks: Iterable[IndexCheck]) -> list[list[IndexCheck]]:
    """Return the indexes by what they answered."""
    groups: dict[str, list[IndexCheck]] = {}
    for check in checks:
        groups.setdefault(check.what, []).append(check)
    return list(groups.values())


def _and_why(group: list[IndexCheck]) -> str:
    """Return which indexes are in what condition, and why: ``a and b are down: REASON``."""
    names = " and ".join(check.index for check in group)
    return f"{names} {'are' if len(group) > 1 else 'is'} {group[0].what}"


def _follows(check: IndexCheck) -> Cause | None:
    """Return the fault of this machine that explains a failure, if a check finds that fault."""
    if check.kind is Kind.OFFLINE:
        return Cause.NETWORK
    if check.kind is Kind.EXPIRED:
        return Cause.CLOCK
    return Cause.TRUST if check.kind in TLS_KINDS else None


CHECKS = (answers,)
