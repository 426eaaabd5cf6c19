"""The words for why there is no page, or not all of it: cause, remedy, what each index said."""

from collections.abc import Iterator, Mapping
from typing import Any

from indexfallback.chain.policy import Refuse, Serve, Step, Why
from indexfallback.chain.question import Candidate, Question
from indexfallback.config import Index
from indexfallback.errors import ProjectError, ProjectNotFoundError, ProjectUnavailableError, Tried
from indexfallback.mode import Cause
from indexfallback.outcome import Kind, Outcome
from indexfallback.page import ProjectPage
from indexfallback.words import counted

_REMEDIES = {
    Kind.DENIED: "Check the user name and password of {index}.",
    Kind.INSECURE: "Check the certificate of {index}, or name its CA in pip's cert setting.",
    Kind.NOT_AN_INDEX: "Check the address of {index}, or log in to the network.",
    Kind.LIMITED: "Wait a little and run again.",
    Kind.LOCAL: "Close other programs or raise this machine's limits (ulimit -n), and run again.",
    Kind.BARRED: "Add the host to allow-hosts, or leave {index} out.",
    Kind.OFFLINE: "Connect and run again; what is in the cache is served meanwhile.",
}
_RUN_AGAIN = (
    "Make {index} reachable (VPN, network) and run again, or use --offline for what is cached."
)

#: Versions that are named: the newest are what one misses.
_VERSIONS = 5


def tried(question: Question, step: Step) -> tuple[Tried, ...]:
    """Return what each index of the chain contributed to a step that ends a walk."""
    end = step.position if isinstance(step, (Serve, Refuse)) else None
    return tuple(
        _tried(question, position, candidate, end)
        for position, candidate in enumerate(question.chain)
    )


def _tried(question: Question, position: int, candidate: Candidate, end: int | None) -> Tried:
    name = candidate.index.name
    outcome = candidate.outcome
    if outcome is not None:
        return Tried(name, _word(outcome), str(outcome), outcome.elapsed)
    if end is not None and position > end:
        last = question.chain[end]
        if candidate.index.group == last.index.group or not last.index.is_private:
            return Tried(name, "not asked", f"{last.index.name} answered")
        found = last.outcome is not None and last.outcome.is_page
        owns = found or last.in_ledger or last.index.claims(question.project)
        belongs = "belongs" if owns else "may belong"
        return Tried(name, "skipped", f"{question.project} {belongs} to {last.index.name}")
    if candidate.mirrored:
        return Tried(name, "found", "it is mirrored")
    if candidate.remembered_absent:
        return Tried(name, "absent", "it said so within the last minute")
    if candidate.page_age is not None and candidate.page_age < question.fresh:
        return Tried(name, "found", "its page is fresh")
    if question.offline_state.ordered is not None and not candidate.index.is_directory:
        return Tried(name, "not asked", "offline")
    if candidate.held:
        return Tried(name, "skipped", candidate.held)
    return Tried(name, "not asked", "an earlier answer holds")


def _word(outcome: Outcome) -> str:
    if outcome.is_page:
        return "found"
    return "absent" if outcome.kind is Kind.ABSENT else "unavailable"


def refusal(question: Question, refuse: Refuse) -> ProjectError:
    """Return the error for a walk that ended without a page."""
    project = question.project
    trail = tried(question, refuse)
    if refuse.why is Why.ABSENT:
        claimed = [c.index.name for c in question.chain if c.index.claims(project)]
        only = f" (only {', '.join(claimed)} may have it, by projects)" if claimed else ""
        remedy = "Check the name, or add the index that has it."
        return ProjectNotFoundError(project, trail, f"no index has it{only}", remedy)
    if question.offline is not None and refuse.why is Why.OFFLINE:
        return ProjectNotFoundError(
            project,
            trail,
            f"{question.offline.words}, and it was never seen here",
            f"{question.offline.remedy} `indexfallback cache list` shows what is here.",
        )
    blocking = question.chain[refuse.position] if refuse.position is not None else None
    return ProjectUnavailableError(
        project, trail, *_blocked(refuse.why, project, blocking, question)
    )


def nothing_held(
    project: str, page: ProjectPage, trail: tuple[Tried, ...], offline: Cause
) -> ProjectNotFoundError:
    """Return the error for a page that is known while none of its files can be had."""
    files = len(page.files)
    none = f"none of its {files} files is" if files > 1 else "its only file is not"
    return ProjectNotFoundError(
        project,
        trail,
        f"{offline.words}, and {none} in the cache",
        f"{offline.remedy} `indexfallback fetch {project}` gets its files for the next time.",
    )


def _blocked(
    why: Why, project: str, blocking: Candidate | None, question: Question
) -> tuple[str, str]:
    """Return cause and remedy of a 503."""
    if blocking is None:
        kinds = [c for c in question.chain if not c.is_absent]
        names = " and ".join(c.index.name for c in kinds)
        return f"{names} could not be asked, and no page of it was seen before", _remedy(kinds[0])
    name = blocking.index.name
    if why is Why.OWNED:
        how = "by projects" if blocking.index.claims(project) else "seen there before"
        cause = (
            f"it belongs to {name} ({how}), which could not be asked, and no page of it is "
            "kept; no other index was asked, since a package of that name there is another one"
        )
        return cause, _remedy(blocking)
    if why is Why.STOP:
        return f"{name} could not be asked, and on_outage is stop", _remedy(blocking)
    cause = (
        f"{name} could not be asked, and its list of names is not known, so that {project} may "
        "be one of them"
    )
    mend = f"Setting projects for {name}, or one reachable moment, mends it."
    return cause, f"{_remedy(blocking)} {mend}"


def _remedy(candidate: Candidate) -> str:
    return remedy_for(candidate.kind or Kind.SILENT, candidate.index)


def remedy_for(kind: Kind, index: Index) -> str:
    """Return what to do about an index that could not be asked."""
    if index.is_directory and kind is Kind.LOCAL:
        return f"Put a whole file into the directory of {index.name}, or wait until it is written."
    if index.is_directory:
        return f"Make the directory of {index.name} readable, or correct its url."
    return _REMEDIES.get(kind, _RUN_AGAIN).format(index=index.name)


def hidden_lines(report: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is left out of a page while there is no network, and why, from `why.found`."""
    hidden = report["hidden"]
    if hidden is None:
        return
    reasons = []
    if hidden["never_fetched"]:
        reasons.append(f"{hidden['never_fetched']:,} never downloaded")
    if hidden["removed"]:
        reasons.append(f"{hidden['removed']:,} removed since")
    here, files = hidden["offered"], counted(hidden["offered"] + hidden["files"], "file")
    verb = "is" if here == 1 else "are"
    yield (
        f"offline: {here:,} of {files} {verb} in the cache; {', '.join(reasons)}: "
        f"`indexfallback fetch {report['project']}` gets them while online"
    )
    if hidden["versions"]:
        more = len(hidden["versions"]) - _VERSIONS
        rest = f" and {more:,} more" if more > 0 else ""
        yield f"hidden versions: {', '.join(hidden['versions'][:_VERSIONS])}{rest}"
    if hidden["sdists"]:
        what = counted(hidden["sdists"], "sdist")
        yield f"{what} offered: whether what is needed to build it is in the cache is not known"
