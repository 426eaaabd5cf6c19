"""The requirements that a distribution states in its metadata."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from email.parser import BytesHeaderParser

from packaging.markers import Marker, UndefinedComparison, UndefinedEnvironmentName
from packaging.requirements import InvalidRequirement, Requirement

_OPERAND = r"""(?:"[^"]*"|'[^']*'|\w+)"""
#: One comparison of a marker, as packaging writes it.
_COMPARISON = re.compile(rf"({_OPERAND}) (?:[<>=!~]+|in|not in) ({_OPERAND})")
#: Variables of markers that a requirement itself sets; all others depend on the platform.
_ASKED_FOR = frozenset(("extra", "extras", "dependency_groups"))
#: A comparison that is true on every platform.
_TRUE = 'os_name != ""'


def requires_dist(metadata: bytes) -> Iterator[Requirement]:
    """Yield the valid requirements in metadata."""
    stated = BytesHeaderParser().parsebytes(metadata).get_all("Requires-Dist", [])
    return valid_requirements(map(str, stated))


def valid_requirements(texts: Iterable[str]) -> Iterator[Requirement]:
    """Yield requirements without the invalid ones, which installers refuse."""
    for text in texts:
        try:
            yield Requirement(text)
        # From before PEP 508; nested without end; a NUL or a backslash, with packaging 25.
        except (InvalidRequirement, RecursionError, SyntaxError, ValueError):
            continue


def applies(requirement: Requirement, environment: Mapping[str, str]) -> bool:
    """Tell whether a requirement's marker is true; one that cannot be evaluated is not."""
    return requirement.marker is None or _is_true(requirement.marker, environment)


def applies_anywhere(requirement: Requirement, extras: Collection[str] = ()) -> bool:
    """Tell whether a requirement applies with these extras on some platform and Python.

    Each comparison with a platform counts as true by itself, those that exclude one another too.
    """
    if requirement.marker is None:
        return True
    try:
        marker = Marker(_COMPARISON.sub(_without_platform, str(requirement.marker)))
    # packaging 25 quotes values with quotes and backslashes wrongly.
    except (SyntaxError, ValueError):
        return True
    return any(_is_true(marker, {"extra": extra}) for extra in ("", *extras))


def _without_platform(comparison: re.Match[str]) -> str:
    return _TRUE if _ASKED_FOR.isdisjoint(comparison.groups()) else comparison[0]


def _is_true(marker: Marker, environment: Mapping[str, str]) -> bool:
    try:
        return marker.evaluate(dict(environment))
    # `extras` and the like are for lock files only; packaging 25 raises KeyError for them.
    except (UndefinedComparison, UndefinedEnvironmentName, KeyError):
        return False
