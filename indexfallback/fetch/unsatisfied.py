"""Says in one sentence why no version of a project satisfies a requirement. Pure.

Sources: PEP 440 (order of versions, pre-releases), 503 (requires-python), 592 (yanked files).
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import NamedTuple

from packaging.specifiers import Specifier, SpecifierSet
from packaging.version import InvalidVersion, Version

from indexfallback.fetch.installable import obstacle
from indexfallback.fetch.target import Target
from indexfallback.names import version_in
from indexfallback.page import File, ProjectPage
from indexfallback.wanted import Wanted
from indexfallback.words import counted

#: The most versions that a sentence names.
_MOST = 3
#: The most characters of why a file is yanked: its author may have written a page.
_REASON = 100
_PLURAL = {"needs": "need", "has": "have", "is": "are"}


class Offer(NamedTuple):
    """The page of a project, and what of it is offered to clients."""

    listed: ProjectPage
    offered: ProjectPage
    is_offline: bool = False
    #: File name to the predicate of why a cooldown withholds it.
    young: Mapping[str, str] = MappingProxyType({})


class Asked(NamedTuple):
    """What is asked of a version."""

    matches: Callable[[Version], bool]
    #: The versions that it names.
    bounds: Sequence[Version]
    #: The version, if it names exactly one.
    exact: str = ""
    #: Whether yanked files, and pre-releases, may be taken.
    with_yanked: bool = True
    with_pre: bool = True

    @classmethod
    def by(cls, specifier: SpecifierSet, *, pre: bool = False) -> "Asked":
        """Return what a specifier asks; ``pre`` allows pre-releases where it does not."""
        exact = [each.version for each in specifier if _is_exact(each)]
        return cls(
            partial(specifier.contains, prereleases=True),
            _versions(each.version.removesuffix(".*") for each in specifier),
            exact[0] if len(exact) == len(specifier) == 1 else "",
            with_yanked=bool(exact),
            with_pre=pre or bool(specifier.prereleases),
        )

    @classmethod
    def pinned(cls, version: str) -> "Asked":
        """Return what a pin asks: unlike ``==1.0``, not 1.0+local."""
        bounds = _versions([version])
        return cls(lambda each: each in bounds, bounds, version)


def unsatisfied(offer: Offer, asked: Asked, target: Target, wanted: Wanted) -> str | None:
    """Return why a target can install no version that is asked for; None if it can.

    ``there is no 9.9; the nearest versions are 9.8 and 10.0. 9.8 needs Python >=3.13, and this is
    3.11.7``.
    """
    versions = _Versions(offer, asked, target, wanted)
    matching = [each for each in versions.all if asked.matches(each)]
    if any(map(versions.is_taken, matching)):
        return None
    if matching:
        return _unfit(versions, matching)
    if not versions.all:
        return f"the page of {offer.listed.name} lists no file that can be installed"
    return _absent(versions, asked)


def _absent(versions: "_Versions", asked: Asked) -> str:
    """Return the sentence for a requirement that no version matches."""
    nearest = versions.nearest(asked.bounds, versions.all) or versions.all[-1:]
    if all(map(versions.obstacle, nearest)):
        fitting = versions.nearest(nearest, versions.fitting())[:1]
        nearest = sorted({*nearest[: _MOST - 1], *fitting})
    if len(versions.all) == 1:
        said = f"there is only {nearest[0]}"
    else:
        of_all = f"none of its {len(versions.all):,} versions matches"
        said = f"there is no {asked.exact}" if asked.exact else of_all
        said += f"; the nearest {_verb(nearest, 'version is', 'versions are')} {_listed(nearest)}"
    reasons = versions.reasons(nearest)
    return f"{said}. {reasons}" if reasons else said


def _unfit(versions: "_Versions", matching: Sequence[Version]) -> str:
    """Return the sentence for versions that are there, and that the target cannot install."""
    reasons = versions.reasons(matching[-_MOST:])
    if (more := len(matching) - _MOST) > 0:
        reasons += f", and {counted(more, 'older one')} cannot be installed either"
    fitting = versions.nearest((matching[0], matching[-1]), versions.fitting())
    if not fitting:
        return reasons
    return f"{reasons}; the nearest that {_verb(fitting, 'fits is', 'fit are')} {_listed(fitting)}"


class _Versions:
    """The versions of a page, and what is against each of them."""

    def __init__(self, offer: Offer, asked: Asked, target: Target, wanted: Wanted) -> None:
        self._offer, self._asked = offer, asked
        self._target, self._wanted = target, wanted
        self._files: dict[Version, list[File]] = {}
        for file in offer.listed.files:
            text = version_in(file.filename, offer.listed.name)
            if text is not None:
                self._files.setdefault(Version(text), []).append(file)
        #: From the oldest to the newest.
        self.all = sorted(self._files)
        self._offered = {file.filename for file in offer.offered.files}
        self._has_final = any(not each.is_prerelease for each in self.all)
        self._obstacles: dict[Version, str | None] = {}

    def is_taken(self, version: Version) -> bool:
        """Tell whether a resolver may take a version that matches."""
        offered = self._offered_files(version)
        files = offered if self._asked.with_yanked else _not_yanked(offered)
        return bool(files) and self._misfit(files) is None and self._takes_pre(version)

    def obstacle(self, version: Version) -> str | None:
        """Return what is against installing a version, as a predicate; None if nothing is."""
        if version not in self._obstacles:
            self._obstacles[version] = self._obstacle(version)
        return self._obstacles[version]

    def _obstacle(self, version: Version) -> str | None:
        offered = self._offered_files(version)
        if not offered:
            young = (self._offer.young.get(each.filename) for each in self._files[version])
            return next(filter(None, young), self._withheld)
        good = _not_yanked(offered)
        if misfit := self._misfit(good or offered):
            return misfit
        if not good:
            reason = " ".join(str(offered[0].yanked).split())[:_REASON]
            return "is yanked" if offered[0].yanked is True else f"is yanked ({reason})"
        is_odd = version.is_prerelease and self._has_final and not self._asked.with_pre
        return "is a pre-release" if is_odd else None

    def _offered_files(self, version: Version) -> list[File]:
        return [each for each in self._files[version] if each.filename in self._offered]

    def _misfit(self, files: Sequence[File]) -> str | None:
        return obstacle(files, self._offer.listed.name, self._target, self._wanted)

    def fitting(self) -> list[Version]:
        """Return the versions that the target can install."""
        return [each for each in self.all if self.obstacle(each) is None]

    def reasons(self, versions: Iterable[Version]) -> str:
        """Return what is against some versions: ``9.8 and 9.9 need Python >=3.13, ...``."""
        against: dict[str, list[Version]] = {}
        for each in versions:
            if found := self.obstacle(each):
                against.setdefault(found, []).append(each)
        sentences = []
        for found, those in against.items():
            verb, _, rest = found.partition(" ")
            sentences.append(f"{_listed(those)} {_verb(those, verb, _PLURAL[verb])} {rest}")
        return "; ".join(sentences)

    @staticmethod
    def nearest(bounds: Iterable[Version], versions: Collection[Version]) -> list[Version]:
        """Return the next lower and the next higher version of each bound, at most three."""
        found = set()
        for bound in bounds:
            found.update(sorted(each for each in versions if each <= bound)[-1:])
            found.update(sorted(each for each in versions if each >= bound)[:1])
        return sorted(found)[:_MOST]

    def _takes_pre(self, version: Version) -> bool:
        """Tell whether the resolver takes a version if it is a pre-release.

        pip takes one if nothing else matches, and uv only if the project has nothing else.
        """
        is_usual = not version.is_prerelease or self._asked.with_pre
        return is_usual or self._target.is_here or not self._has_final

    @property
    def _withheld(self) -> str:
        if self._offer.is_offline:
            return "is not in the cache, and no index can be asked"
        if self._offer.listed.status == "quarantined":
            return "is withheld, because its index has the project in quarantine"
        return "is withheld, because its content has changed since it was first seen"


def _not_yanked(files: Iterable[File]) -> list[File]:
    return [each for each in files if each.yanked is False]


def _is_exact(specifier: Specifier) -> bool:
    return specifier.operator in ("==", "===") and not specifier.version.endswith(".*")


def _versions(texts: Iterable[str]) -> list[Version]:
    found = []
    for text in texts:
        try:
            found.append(Version(text))
        except InvalidVersion:  # of a legacy pin, or after "==="
            continue
    return found


def _verb(those: Sequence[Version], one: str, many: str) -> str:
    return one if len(those) == 1 else many


def _listed(versions: Sequence[Version]) -> str:
    texts = [str(each) for each in versions]
    return " and ".join(filter(None, (", ".join(texts[:-1]), texts[-1])))
