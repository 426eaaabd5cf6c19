"""Reads why pip or uv found no versions from what they print. Pure.

Both name requirements that no version satisfies. pip adds all versions of the project, which may be
hundreds; conflicts it explains on standard output, a line for each version that it has tried.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from packaging.requirements import InvalidRequirement, Requirement

#: The most lines that are shown of an explanation, and the most characters.
_LINES = 12
_LENGTH = 1_500
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_VERSIONS = re.compile(r" \(from versions: [^)]*\)")
#: What pip names as the source of a requirement of its caller.
_OWN = ("-r ", "-c ")
_NOT_FOUND = re.compile(
    r"No matching distribution found for (.+?)(?: \(from (.+)\))?$", re.MULTILINE
)
_CONFLICT = re.compile(r"^The conflict is caused by:\n((?: +\S.*\n)+)", re.MULTILINE)
#: pip says on more than one line that it has ignored versions, and that there is no solution.
_NOISE = ("Ignored the following", "ResolutionImpossible")
_DEPENDS = re.compile(r"(?:all versions of )?([^\s,]+) depends? on ([^\s]+)")


class Needed(NamedTuple):
    """A requirement that a resolver has named."""

    requirement: Requirement
    #: The project that requires it, as the resolver names it; empty for the resolver's caller.
    by: str


class Explanation(NamedTuple):
    """Why there is no solution."""

    #: One paragraph.
    text: str
    #: Requirements of projects that may be those that no version satisfies.
    needed: tuple[Needed, ...]


def of_pip(out: str, err: str) -> Explanation:
    """Return the explanation in what ``pip install`` has printed to its two streams."""
    out, err = _COLOUR.sub("", out), _VERSIONS.sub("", _COLOUR.sub("", err))
    needed: list[Needed] = []
    for text, source in _NOT_FOUND.findall(err):
        by = "" if source.startswith(_OWN) else source.partition("->")[0]
        needed += _parsed(text, by)
    if found := _CONFLICT.search(out):
        lines = [line.strip() for line in found[1].splitlines()]
        more = f"; and {len(lines) - _LINES:,} more" if len(lines) > _LINES else ""
        return Explanation("; ".join(lines[:_LINES]) + more, tuple(needed))
    lines = [line for line in err.splitlines() if not any(noise in line for noise in _NOISE)]
    return Explanation(_joined(lines), tuple(needed))


def of_uv(err: str) -> Explanation:
    """Return the explanation in what uv has printed to standard error."""
    text = _COLOUR.sub("", err)
    words = " ".join(text.split())
    needed = [each for by, what in _DEPENDS.findall(words) for each in _parsed(what, by)]
    start = words.find("Because ")
    if start < 0:
        return Explanation(_joined(text.splitlines()), tuple(needed))
    return Explanation(_cut(words[start:].partition(" hint: ")[0]), tuple(needed))


def _parsed(text: str, by: str) -> Iterator[Needed]:
    """Yield a requirement; nothing for other words, or for a limit of Python (``Python>=3.13``)."""
    try:
        requirement = Requirement(text.strip().rstrip(",."))
    except InvalidRequirement:
        return
    if requirement.name != "Python":
        yield Needed(requirement, by)


def _joined(lines: list[str]) -> str:
    """Return the last lines as one paragraph."""
    said = [line.strip() for line in lines if line.strip()]
    return _cut(" ".join(" ".join(said[-_LINES:]).split()))


def _cut(text: str) -> str:
    return text if len(text) <= _LENGTH else f"{text[:_LENGTH]} ..."
