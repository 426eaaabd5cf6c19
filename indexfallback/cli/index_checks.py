"""Checks every index by asking it once, all at the same time."""

import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from typing import NamedTuple
from urllib.parse import urlsplit

from indexfallback.chain.lag import behind
from indexfallback.chain.network import Network
from indexfallback.chain.remedies import remedy_for
from indexfallback.cli.compare import NoFacts, judged
from indexfallback.condition import after
from indexfallback.config import Index, Settings
from indexfallback.doctor.certificates import ends_soon, in_days
from indexfallback.doctor.copies import Judgement
from indexfallback.doctor.machine import IndexCheck
from indexfallback.flight import run_within
from indexfallback.hosted.opening import open_any, upload_problem
from indexfallback.outcome import Kind, Outcome
from indexfallback.page import ProjectPage
from indexfallback.upstream.answers import Limits, Upstream
from indexfallback.words import counted, left_out, span

#: A project of every public index; its page is small, but PyPI's list of names has 40 MB.
_EVERYWHERE = "pip"
#: Outcomes of an index that has no list of names.
_NO_LIST = frozenset({Kind.ABSENT, Kind.NOT_AN_INDEX, Kind.FAILED, Kind.REFUSED})


class _Asked(NamedTuple):
    """A result, and the page that was requested, if any."""

    check: IndexCheck
    page: ProjectPage | None = None
    #: The list of names, if it was requested.
    names: frozenset[str] = frozenset()


def check_all(settings: Settings, *, compare: bool) -> list[IndexCheck]:
    """Check the indexes concurrently; return the results in the order of the chain.

    ``compare`` is as of `compare.judged`.
    """
    if not settings.indexes:
        return []
    ends = time.monotonic() + settings.deadline
    limits = Limits(ends, settings.page_size)
    with ExitStack() as stack, ThreadPoolExecutor(len(settings.indexes)) as pool:
        members = [_Member(i, open_any(i, settings, NoFacts())) for i in settings.indexes]
        for member in members:
            stack.callback(member.upstream.close)
        ask = partial(_check_within, limits=limits, offline=Network(settings).is_offline)
        asked = dict(zip(settings.indexes, pool.map(ask, members), strict=True))
    lists = {index: each.names for index, each in asked.items()}
    judgements = judged(settings, lists, compare=compare)
    return [
        _with_judgement(_with_lag(index, asked, settings).check, judgements.get(index))
        for index in settings.indexes
    ]


def _with_judgement(check: IndexCheck, judgement: Judgement | None) -> IndexCheck:
    """Return the check of an index that answers, with the judgement on its names."""
    if judgement is None or check.verdict not in ("ok", "warn"):
        return check
    verdict = "warn" if judgement.remedy else check.verdict
    return _with_clause(check, judgement.what, judgement.remedy, verdict)


def _with_clause(check: IndexCheck, what: str, remedy: str, verdict: str = "warn") -> IndexCheck:
    """Return a check with another verdict and its reason."""
    remedies = " ".join(filter(None, (check.remedy, remedy)))
    return replace(check, verdict=verdict, what=f"{check.what}; {what}", remedy=remedies)


def _with_lag(index: Index, asked: Mapping[Index, _Asked], settings: Settings) -> _Asked:
    """Return the result of an index; a mirror gets a warning if its page is out of date."""
    own = asked[index]
    authority = settings.index(index.mirror_of) if index.mirror_of else None
    other = asked[authority].page if authority is not None else None
    if authority is None or own.page is None or other is None or own.page.name != other.name:
        return own
    lag = behind(own.page, other)
    if lag is None:
        return own
    by = f" by {span(lag.seconds)}" if lag.seconds else ""
    what = f"{own.check.what}, {counted(lag.files, 'file')} behind {authority.name}{by}"
    remedy = f'Set pages = "authority" for {index.name} to see new releases at once.'
    return own._replace(check=replace(own.check, verdict="warn", what=what, remedy=remedy))


@dataclass(frozen=True)
class _Member:
    index: Index
    upstream: Upstream


def _check_within(member: _Member, limits: Limits, *, offline: bool) -> _Asked:
    index = member.index
    if offline and not index.is_directory:
        return _Asked(IndexCheck(index.name, "skip", "not asked: offline"))
    seconds = limits.ends - time.monotonic()
    try:
        asked = run_within(lambda: _check_all_of(member, limits), seconds, f"check-{index.name}")
    except TimeoutError:
        late = Outcome(Kind.UNREACHABLE, f"no answer within {seconds:.0f} s", seconds)
        asked = _Asked(_failed(index, late))
    host = urlsplit(index.url).netloc
    return asked._replace(check=replace(asked.check, host=host, is_private=index.is_private))


def _check_all_of(member: _Member, limits: Limits) -> _Asked:
    """Check the answer of an index and, if it is right, uploads and its certificate."""
    asked = _check(member, limits)
    problem = upload_problem(member.index) if asked.check.verdict == "ok" else ""
    if problem:
        what = f"uploads are refused: {problem}"
        remedy = f"Let the credentials write to {member.index.url}, in a store with conditions."
        return asked._replace(check=_with_clause(asked.check, what, remedy, "FAIL"))
    end = member.upstream.certificate_end() if asked.check.verdict in ("ok", "warn") else None
    now = time.time()
    if end is None or not ends_soon(end, now):
        return asked
    what = f"its certificate {in_days(end, now)}"
    remedy = f"Tell whoever runs {member.index.name} to renew it."
    return asked._replace(check=_with_clause(asked.check, what, remedy))


def _check(member: _Member, limits: Limits) -> _Asked:
    """Request the list of names of a private index or a directory, else one page."""
    index = member.index
    if not index.is_private and not index.is_directory:
        return _check_public(member, limits)
    outcome, asked = _names(member, limits)
    if asked is not None:
        return asked._replace(check=_with_dropped(member, asked.check, limits))
    if index.is_read_each_time or outcome.kind not in _NO_LIST:
        return _Asked(_failed(index, outcome))
    _, asked = _page(member, limits)
    page = asked.check
    if page.verdict != "ok" or index.on_outage != "ledger" or index.projects:
        return asked
    what = f"{page.what}, but its list of names cannot be read ({outcome})"
    remedy = (
        f"While {index.name} is unavailable, every name not seen before is refused: set projects, "
        "or on_outage."
    )
    return _Asked(replace(page, verdict="warn", what=what, remedy=remedy))


def _with_dropped(member: _Member, found: IndexCheck, limits: Limits) -> IndexCheck:
    """Return a check of the names, with the files that the probe's page has and are left out."""
    if member.index.probe is None:
        return found
    _, asked = _page(member, limits)
    if asked.page is None or not asked.page.dropped:
        return found
    return replace(asked.check, what=f"{found.what}, {asked.check.what}")


def _check_public(member: _Member, limits: Limits) -> _Asked:
    kind, asked = _page(member, limits)
    if kind is not Kind.ABSENT or member.index.probe is not None:
        return asked
    # A public index without that project is small: its list of names is, too.
    return _names(member, limits)[1] or asked


def _names(member: _Member, limits: Limits) -> tuple[Outcome, _Asked | None]:
    """Request the list of names; return None as result if there is none."""
    outcome, names, clock, *_ = member.upstream.names(limits)
    if outcome.kind is not Kind.FOUND:
        return outcome, None
    what = counted(len(names), "name")
    return outcome, _Asked(_well(member.index, what, outcome, clock), names=frozenset(names))


def _page(member: _Member, limits: Limits) -> tuple[Kind, _Asked]:
    index = member.index
    project = index.probe or _EVERYWHERE
    answer = member.upstream.page(project, limits, None, None)
    outcome, page = answer.outcome, answer.page
    if page is not None:
        what = f"{counted(len(page.files), 'file')} of {project}"
        dropped = left_out(page.dropped)
        checked = _well(index, f"{what}, {dropped}" if dropped else what, outcome, answer.clock)
        if dropped and not page.files:
            remedy = f"{index.name} lists files that cannot be offered: tell who runs it."
            checked = replace(checked, verdict="warn", remedy=remedy)
        checked = _with_cooldown(index, page, checked)
    elif outcome.kind is Kind.ABSENT:
        remedy = f"Correct the url of {index.name}, or set probe to a project that it has."
        checked = IndexCheck(
            index.name, "FAIL", f"{outcome} for {project}", outcome.elapsed, remedy
        )
    else:
        checked = _failed(index, outcome)
    return outcome.kind, _Asked(checked, page)


def _with_cooldown(index: Index, page: ProjectPage, found: IndexCheck) -> IndexCheck:
    """Return a check, with a warning if the index has a cooldown and its page states no times.

    Not of a mirror: its public index is asked for them.
    """
    dated = [file for file in page.files if file.upload_time is not None]
    if not index.cooldown or index.mirror_of or not page.files or dated:
        return found
    what = (
        "it states no upload times, so all files on the first page of a project count as old for "
        "the cooldown"
    )
    return _with_clause(found, what, "")


def _well(index: Index, what: str, outcome: Outcome, clock: float | None) -> IndexCheck:
    ahead = None if clock is None else time.time() - clock
    return IndexCheck(index.name, "ok", what, outcome.elapsed, clock_ahead=ahead)


def _failed(index: Index, outcome: Outcome) -> IndexCheck:
    what = f"{after(outcome.kind).word}: {outcome}"
    remedy = remedy_for(outcome.kind, index)
    return IndexCheck(index.name, "FAIL", what, outcome.elapsed, remedy, kind=outcome.kind)
