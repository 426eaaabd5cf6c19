"""Which releases of a project are mirrored, of those that have a file for the targets. Pure.

PEP 440 has the order of versions and says which are final; PEP 592 has the rules for yanked files.
"""

from collections.abc import Collection, Iterable, Mapping
from functools import lru_cache

from packaging.specifiers import SpecifierSet
from packaging.version import Version

from indexfallback.names import version_in
from indexfallback.page import File

#: Operators of specifiers that one version alone satisfies, unless it ends with ``.*``.
_EXACT = frozenset(("==", "==="))


def yanked_by_version(files: Iterable[File], project: str) -> dict[str | None, bool]:
    """Return each version of a project's files, and whether it is yanked: all of its files are.

    None stands for the files whose name tells no version.
    """
    yanked: dict[str | None, bool] = {}
    for file in files:
        version = version_in(file.filename, project)
        yanked[version] = yanked.get(version, True) and bool(file.yanked)
    return yanked


def is_among(version: str | None, specifiers: Iterable[str]) -> bool:
    """Tell whether one of the specifiers matches; only an empty one matches an unknown version."""
    return any(not text or (version and _matches(version, text)) for text in specifiers)


@lru_cache(maxsize=1024)
def _is_exact(specifier: str) -> bool:
    """Tell whether a specifier is a pin: it can match one version alone."""
    return any(
        each.operator in _EXACT and not each.version.endswith(".*")
        for each in _specifier(specifier)
    )


def is_pinned(version: str | None, specifiers: Iterable[str]) -> bool:
    """Tell whether one of the specifiers matches this version alone (``==1.0``)."""
    return version is not None and any(
        _is_exact(text) and _matches(version, text) for text in specifiers
    )


def is_prerelease(version: str | None) -> bool:
    """Tell whether a version is a pre-release or a development release."""
    return version is not None and _parsed(version).is_prerelease


def newest(yanked: Mapping[str | None, bool], specifiers: Collection[str], number: int) -> set[str]:
    """Return the newest releases that each of the specifiers includes.

    These are the newest final releases that are not yanked, and the pre-releases above all of them;
    without any final release, the newest pre-releases. ``yanked`` has the releases to choose from.
    A version that is not known has no place in the order, and is never returned.
    """
    offered = sorted((v for v in yanked if v and not yanked[v]), key=_parsed, reverse=True)
    return {
        version
        for specifier in specifiers
        for version in _first((v for v in offered if _matches(v, specifier)), number)
    }


def _first(descending: Iterable[str], number: int) -> list[str]:
    """Return the first final releases and the pre-releases before them, else pre-releases."""
    finals: list[str] = []
    above: list[str] = []
    for version in descending:
        if not is_prerelease(version):
            finals.append(version)
        elif not finals:
            above.append(version)
        if len(finals) == number:
            break
    return [*above, *finals] if finals else above[:number]


def _matches(version: str, specifier: str) -> bool:
    """Tell whether a specifier matches; an empty one matches every version."""
    return not specifier or _specifier(specifier).contains(version, prereleases=True)


@lru_cache(maxsize=1024)
def _specifier(text: str) -> SpecifierSet:
    return SpecifierSet(text)


@lru_cache(maxsize=4096)
def _parsed(version: str) -> Version:
    return Version(version)
