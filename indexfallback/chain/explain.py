"""The words for a missing or partial page: cause, remedy, and the answer of each index."""

from collections.abc import Iterator, Mapping
from typing import Any

from indexfallback.chain.policy import Refuse, Serve, Step, Why
from indexfallback.chain.question import Candidate, Question
from indexfallback.chain.remedies import remedy_for
from indexfallback.config import Index
from indexfallback.errors import ProjectError, ProjectNotFoundError, ProjectUnavailableError, Tried
from indexfallback.mode import Cause
from indexfallback.names import is_claimed
from indexfallback.outcome import Kind, Outcome
from indexfallback.page import ProjectPage
from indexfallback.words import counted, day, shortened

#: Versions that are named: the newest are what one misses.
_VERSIONS = 5


def tried(question: Question, step: Step) -> tuple[Tried, ...]:
    """Return what each index of the chain contributed to a step that ends a walk."""
    end = step.position if isinstance(step, (Serve, Refuse)) else None
    return tuple(_tried(question, position, end) for position in range(len(question.chain)))


def _tried(question: Question, position: int, end: int | None) -> Tried:
    candidate = question.chain[position]
    name = candidate.index.name
    outcome = candidate.outcome
    if candidate.is_copy:
        return Tried(name, "skipped", "all that it has are copies of the public index's files")
    if outcome is not None:
        return Tried(name, _word(outcome), str(outcome), outcome.elapsed)
    if question.owners and position not in question.owners:
        owner = question.chain[question.owners[0]].index.name
        return Tried(name, "skipped", f"{question.project} belongs to {owner}")
    if position not in question.answering:
        return Tried(name, "not asked", "one other index alone was to answer")
    if end is not None and position > end:
        last = question.chain[end]
        if candidate.index.group == last.index.group or not last.index.is_private:
            return Tried(name, "not asked", f"{last.index.name} answered")
        found = last.outcome is not None and last.outcome.is_page
        belongs = "belongs" if found or last.owned else "may belong"
        return Tried(name, "skipped", f"{question.project} {belongs} to {last.index.name}")
    return _not_asked(question, candidate)


def _not_asked(question: Question, candidate: Candidate) -> Tried:
    """Return why an index that might have answered was not asked in this walk."""
    name = candidate.index.name
    if candidate.mirrored:
        return Tried(name, "found", "it is mirrored")
    if candidate.remembered_absent:
        return Tried(name, "absent", "it said so within the last minute")
    if candidate.is_fresh:
        return Tried(name, "found", "its page is fresh")
    if question.offline_state.requested is not None and not candidate.index.is_directory:
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
        remedy = "Check the name, or add the index that has it."
        return ProjectNotFoundError(project, trail, _absent(question), remedy)
    if refuse.why in (Why.GONE, Why.ELSEWHERE) and refuse.position is not None:
        owner = question.chain[refuse.position]
        return _owned_elsewhere(question, refuse.why, owner, trail)
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


def _absent(question: Question) -> str:
    """Return the cause of a 404 for a project that belongs to no index."""
    project = question.project
    if question.alone is not None:
        return f"{question.chain[question.alone].index.name} does not have it"
    claims = [c.index for c in question.chain if c.index.claims(project)]
    names = ", ".join(index.name for index in claims)
    by = " and ".join(dict.fromkeys(claim(index, project) for index in claims))
    return "no index has it" + (f" (only {names} may have it, by {by})" if claims else "")


def _owned_elsewhere(
    question: Question, why: Why, owner: Candidate, trail: tuple[Tried, ...]
) -> ProjectNotFoundError:
    """Return the error for a project of an index that does not have it, or was not asked for."""
    project, name = question.project, owner.index.name
    reason = "since a package of that name there is another one"
    if why is Why.ELSEWHERE:
        cause = f"it belongs to {name} ({_known(project, owner)}); no other index may answer"
        remedy = f"Ask for it at the address of the whole chain, or of {name}."
    else:
        says = f"says {owner.outcome or 'that it does not have it'} now"
        cause = (
            f"it belongs to {name} ({_known(project, owner)}), which {says}; no other index was "
            f"asked, {reason}"
        )
        remedy = f"Check the login of {name}: many indexes answer 404 to a login without rights."
    left = f" If the project has left {name} for good,"
    if owner.index.claims(project):
        remedy += f"{left} remove it from {claim(owner.index, project)} of {name} and disown it:"
        remedy += f" `indexfallback cache disown {project}`."
    elif owner.known_since is not None:
        remedy += f"{left} `indexfallback cache disown {project}` lets another index own it."
    return ProjectNotFoundError(project, trail, cause, remedy, owner=name)


def _known(project: str, owner: Candidate) -> str:
    """Return how it is known whose a project is."""
    if owner.index.claims(project):
        return f"by {claim(owner.index, project)}"
    if owner.known_since is None:  # a mirror of an index that claims it
        return "by its group"
    return f"known there since {day(owner.known_since)}"


def claim(index: Index, project: str) -> str:
    """Return the setting by which an index claims a project."""
    return "projects" if is_claimed(project, index.projects) else "only"


def owner_reason(belongs: Mapping[str, Any]) -> str:
    """Return how it is known whose a project is, from ``belongs_to`` of a report of `why`."""
    if belongs["seen"] is None:
        return f"claimed by {belongs['by']}"
    how = "in its list of names" if belongs["by"] == "list" else "served by it"
    return f"{how}, known there since {day(belongs['seen'])}"


def not_asked_for(project: str, index: Index) -> ProjectNotFoundError:
    """Return the error for a project that an index with ``only`` is not asked for."""
    return ProjectNotFoundError(
        project,
        (Tried(index.name, "not asked", "by only"),),
        f"{index.name} is asked for nothing but {', '.join(index.only)}",
        f"Add it to only of {index.name}, or ask for it at the address of the whole chain.",
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
        answering = [question.chain[p] for p in question.answering]
        unavailable = [c for c in answering if not c.is_absent]
        names = " and ".join(c.index.name for c in unavailable)
        cause = f"{names} could not be asked, and no page of it was seen before"
        return cause, _remedy(unavailable[0])
    name = blocking.index.name
    failed = "refuses it" if blocking.kind is Kind.REFUSED else "could not be asked"
    if why is Why.OWNED:
        cause = (
            f"it belongs to {name} ({_known(project, blocking)}), which {failed}, and no "
            "page of it is kept; no other index was asked, since a package of that name there is "
            "another one"
        )
        return cause, _remedy(blocking)
    if why is Why.STOP:
        return f"{name} {failed}, and on_outage is stop", _remedy(blocking)
    cause = (
        f"{name} {failed}, and its list of names is not known, so that {project} may be one of them"
    )
    mend = f"Setting projects for {name}, or one reachable moment, mends it."
    return cause, f"{_remedy(blocking)} {mend}"


def _remedy(candidate: Candidate) -> str:
    return remedy_for(candidate.kind or Kind.UNREACHABLE, candidate.index)


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
        yield f"hidden versions: {shortened(hidden['versions'], _VERSIONS)}"
    if hidden["sdists"]:
        what = counted(hidden["sdists"], "sdist")
        yield f"{what} offered: whether what is needed to build it is in the cache is not known"
