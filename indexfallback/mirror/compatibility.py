"""Which files run on the platforms and versions of Python that are asked for."""

import re
from collections.abc import Iterable
from fnmatch import fnmatchcase
from functools import lru_cache

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.tags import Tag, compatible_tags, cpython_tags, mac_platforms
from packaging.utils import InvalidWheelFilename, parse_wheel_filename

from indexfallback.page import File

#: The glibc that each of the older names stands for (PEP 600).
_LEGACY = {"manylinux1": (2, 5), "manylinux2010": (2, 12), "manylinux2014": (2, 17)}
_LIBC = re.compile(r"(many|musl)linux_([0-9]+)_([0-9]+)_(\w+)", re.ASCII)
_MACOS = re.compile(r"macosx_([0-9]+)_([0-9]+)_(\w+)", re.ASCII)
#: Before this version, an interpreter built as usual says so by an "m".
_LAST_WITH_M = 7
#: What stands for a platform while interpreters are compared.
_ANY = "any"


class Targets:
    """Platforms and versions of Python; none of a kind means all."""

    def __init__(self, platforms: Iterable[str], pythons: Iterable[str]) -> None:
        self._platforms = tuple(platforms)
        self._pythons = tuple(pythons)
        self._interpreters = {pair for python in self._pythons for pair in _interpreters(python)}
        self._runs_on = lru_cache(maxsize=4096)(self._find_out)

    def take(self, file: File) -> bool:
        """Tell whether a file is for one of the targets; what is no wheel is for all platforms."""
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
            return True  # as installers take it
        # Any patch release of the version will do: the first and a late one tell.
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
    """Return interpreter and ABI of the wheels that a version of CPython takes."""
    minor = int(python.rstrip("t").partition(".")[2])
    name = f"cp3{minor}"
    abi = f"{name}t" if python.endswith("t") else f"{name}m" if minor <= _LAST_WITH_M else name
    tags = (
        *cpython_tags((3, minor), abis=[abi], platforms=[_ANY]),
        *compatible_tags((3, minor), interpreter=name, platforms=[_ANY]),
    )
    return {(tag.interpreter, tag.abi) for tag in tags}


def _runs_on(platform: str, target: str) -> bool:
    """Tell whether a wheel's platform is the target or older, or the target's pattern has it."""
    if fnmatchcase(platform, target):
        return True
    wanted, stated = _libc(target), _libc(platform)
    if wanted is not None and stated is not None:
        return wanted[0] == stated[0] and wanted[2] == stated[2] and stated[1] <= wanted[1]
    mac = _MACOS.fullmatch(target)
    return mac is not None and platform in _mac(int(mac[1]), int(mac[2]), mac[3])


def _libc(platform: str) -> tuple[str, tuple[int, int], str] | None:
    """Return kind, version and machine of a Linux platform."""
    legacy, _, machine = platform.partition("_")
    if legacy in _LEGACY:
        return "many", _LEGACY[legacy], machine
    match = _LIBC.fullmatch(platform)
    return (match[1], (int(match[2]), int(match[3])), match[4]) if match else None


@lru_cache(maxsize=64)
def _mac(major: int, minor: int, machine: str) -> frozenset[str]:
    return frozenset(mac_platforms((major, minor), machine))
