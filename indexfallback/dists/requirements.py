"""The requirements that a distribution states in its metadata."""

from collections.abc import Iterator, Mapping
from email.parser import BytesHeaderParser

from packaging.markers import UndefinedComparison, UndefinedEnvironmentName
from packaging.requirements import InvalidRequirement, Requirement


def requires_dist(metadata: bytes) -> Iterator[Requirement]:
    """Yield the requirements in metadata, without invalid ones, which installers refuse."""
    for stated in BytesHeaderParser().parsebytes(metadata).get_all("Requires-Dist", []):
        try:
            yield Requirement(str(stated))
        except (InvalidRequirement, RecursionError):  # from before PEP 508; nested without end
            continue


def applies(requirement: Requirement, environment: Mapping[str, str]) -> bool:
    """Tell whether a requirement's marker is true; one that cannot be evaluated is not."""
    if requirement.marker is None:
        return True
    try:
        return requirement.marker.evaluate(dict(environment))
    # `extras` and the like are for lock files only; packaging 25 raises KeyError for them.
    except (UndefinedComparison, UndefinedEnvironmentName, KeyError):
        return False
