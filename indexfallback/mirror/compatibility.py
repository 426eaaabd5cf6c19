"""Which files run on the selected platforms and versions of Python."""

from collections.abc import Iterable
from fnmatch import fnmatchcase
from functools import lru_cache

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.tags import Tag
from packaging.utils import InvalidWheelFilename, parse_wheel_filename

from indexfallback.dists.interpreters import wheel_tags
from indexfallback.dists.platforms import accepted_platforms
from indexfallback.page import File

#: The platform of wheels that run everywhere.
_ANY = "any"


class Targets:
    """Platforms and versions of Python; an empty list means all of them."""

    def __init__(self, platforms: Iterable[str], pythons: Iterable[str]) -> None:
        self._platforms = tuple(platforms)
        self._pythons = tuple(pythons)
        self._interpreters = {pair for python in self._pythons for pair in _interpreters(python)}
        self._runs_on = lru_cache(maxsize=4096)(self._find_out)

    def accept(self, file: File) -> bool:
        """Tell whether a file is for one of the targets; an sdist is for all platforms."""
        if self._pythons and file.requires_python and not self._is_allowed(file.requires_python):
            return False
        if not (self._platforms or self._pythons) or not file.filename.endswith(".whl"):
            return True
        try:
            tags = parse_wheel_filename(file.filename)[3]
        except InvalidWheelFilename:
            return False
        return any(self._fits(tag) for tag in tags)

    def _is_allowed(self, requires_python: str) -> bool:
        try:
            specifier = SpecifierSet(requires_python)
        except InvalidSpecifier:
            return True  # installers ignore it, too
        # One patch release has to match: the first and a late one are tested.
        versions = (
            python.rstrip("t") + patch for python in self._pythons for patch in (".0", ".99")
        )
        return any(specifier.contains(version) for version in versions)

    def _fits(self, tag: Tag) -> bool:
        if self._pythons and (tag.interpreter, tag.abi) not in self._interpreters:
            return False
        return not self._platforms or tag.platform == _ANY or bool(self._runs_on(tag.platform))

    def _find_out(self, platform: str) -> bool:
        return any(_runs_on(platform, target) for target in self._platforms)


def _interpreters(python: str) -> Iterable[tuple[str, str]]:
    """Return interpreter and ABI of the wheels that a version of CPython accepts."""
    minor = int(python.rstrip("t").partition(".")[2])
    tags = wheel_tags((3, minor), [_ANY], free_threaded=python.endswith("t"))
    return {(tag.interpreter, tag.abi) for tag in tags}


def _runs_on(platform: str, target: str) -> bool:
    """Tell whether a wheel's platform is the target or an older one, or matches its pattern."""
    return fnmatchcase(platform, target) or platform in accepted_platforms(target)
