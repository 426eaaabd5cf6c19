"""What is not available, and why: in particular after a resolver has found no versions."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from indexfallback.chain.answer import Answer
from indexfallback.chain.cooldown import withheld_until
from indexfallback.errors import FileError, IndexFallbackError, ProjectError
from indexfallback.fetch.download import in_parallel
from indexfallback.fetch.resolver import NoSolutionError
from indexfallback.fetch.target import Target
from indexfallback.fetch.unsatisfied import Asked, Offer, unsatisfied
from indexfallback.names import normalize
from indexfallback.shim import Shim
from indexfallback.wanted import Demand, Wanted


class Missing(NamedTuple):
    """A requirement or file that is not available."""

    what: str
    cause: str
    remedy: str


class _Statement(NamedTuple):
    """A requirement of a project, and where it is from."""

    requirement: Requirement
    source: str
    #: Whether the user has stated it, and not a project.
    is_own: bool = True

    @property
    def project(self) -> str:
        return normalize(self.requirement.name)

    def __str__(self) -> str:
        return f"{self.requirement} ({self.source})"


def missing(what: str, error: IndexFallbackError) -> Missing:
    """Return what an error makes missing."""
    if isinstance(error, (FileError, ProjectError)):
        return Missing(what, error.cause, error.remedy)
    return Missing(what, str(error), "")


def offer_of(shim: Shim, project: str) -> tuple[Answer, Offer]:
    """Ask the chain for a project's page; raises `IndexFallbackError`."""
    answer = shim.fallback.page(project)
    owner = answer.owner.name
    young = {
        each.file.filename: withheld_until(project, each, owner)
        for each in shim.too_young(answer).withheld
    }
    is_offline = answer.offline is not None
    return answer, Offer(answer.corrected, shim.offer(answer), is_offline, young)


def unresolved(
    shim: Shim, wanted: Wanted, target: Target, title: str, error: NoSolutionError
) -> list[Missing]:
    """Return why a resolver has found no versions for a target; ``title`` is what they are for.

    Each requirement that no version satisfies is named, with the nearest versions. If there is
    none, requirements of projects are in conflict, or the resolver has failed, as it says itself.
    """
    found: list[Missing] = []
    remedy = f"Change that; until then nothing that is needed {title} is resolved."
    questions = _questions(wanted, target, error)

    def work(project: str) -> list[Missing]:
        causes = _causes(offer_of(shim, project)[1], questions[project], target, wanted)
        return [Missing(what, cause, remedy) for what, cause in causes]

    for project, future in in_parallel(questions, work, "page"):
        try:
            found += future.result()
        except IndexFallbackError as page_error:
            found.append(missing(str(questions[project][0]), page_error))
    last = Missing(f"what is needed {title}", f"{error.where}: {error.problem}", error.remedy)
    return sorted(found) or [last]


def _questions(
    wanted: Wanted, target: Target, error: NoSolutionError
) -> dict[str, list[_Statement]]:
    """Return, by project, what is demanded for the target and what other projects require."""
    found: dict[str, list[_Statement]] = defaultdict(list)
    for each in _applying(wanted.demands, target):
        found[each.project].append(each)
    for requirement, by in error.needed:
        each = _Statement(requirement, f"required by {by or error.where}", is_own=False)
        if by or each.project not in found:
            found[each.project].append(each)
    for each in _applying(wanted.constraints, target):
        if each.project in found:  # a constraint alone demands nothing
            found[each.project].append(each)
    return found


def _applying(demands: Sequence[Demand], target: Target) -> Iterator[_Statement]:
    for demand in demands:
        requirement = Requirement(demand.text)
        marker, requirement.marker = requirement.marker, None
        if marker is None or marker.evaluate({**target.markers, "extra": ""}):
            yield _Statement(requirement, str(demand.origin))


def _causes(
    offer: Offer, statements: Sequence[_Statement], target: Target, wanted: Wanted
) -> Iterator[tuple[str, str]]:
    """Yield each statement that no version satisfies, or else all of the user, if none does both.

    Each is what was asked and why no version satisfies it.
    """
    is_told = False
    for each in statements:
        if cause := _cause(offer, [each], target, wanted):
            is_told = True
            yield str(each), cause
    own = [each for each in statements if each.is_own]
    if not is_told and len(own) > 1 and (cause := _cause(offer, own, target, wanted)):
        yield " and ".join(map(str, own)), cause


def _cause(
    offer: Offer, statements: Sequence[_Statement], target: Target, wanted: Wanted
) -> str | None:
    specifier = SpecifierSet()
    for each in statements:
        specifier &= each.requirement.specifier
    return unsatisfied(offer, Asked.by(specifier, pre=wanted.pre), target, wanted)
