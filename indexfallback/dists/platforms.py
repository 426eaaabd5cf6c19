"""The platforms of wheels as their tags name them (PEP 425, 600 and 656). Pure."""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from packaging.tags import mac_platforms

#: The glibc of the manylinux names that do not state it (PEP 600).
_LEGACY = {"manylinux2014": (2, 17), "manylinux2010": (2, 12), "manylinux1": (2, 5)}
_LEGACY_NAMES = {version: name for name, version in _LEGACY.items()}
#: The minor version of the oldest glibc that wheels are made for (PEP 600): of Intel machines, and
#: of all others.
_OLDEST_GLIBC, _OLDEST_GLIBC_ELSEWHERE = 5, 17
_INTEL = frozenset(("x86_64", "i686"))
_PLATFORM = re.compile(r"(manylinux|musllinux|macosx)_(\d+)_(\d+)_(\w+)", re.ASCII)


class Platform(NamedTuple):
    """The parts of a platform tag with a version."""

    #: ``manylinux``, ``musllinux`` or ``macosx``; the version is that of glibc, musl or macOS.
    kind: str
    major: int
    minor: int
    machine: str


def parse_platform(name: str) -> Platform | None:
    """Return the parts of a platform tag, or None for one without a version, as Windows' are."""
    legacy, _, machine = name.partition("_")
    if legacy in _LEGACY and machine:
        return Platform("manylinux", *_LEGACY[legacy], machine)
    match = _PLATFORM.fullmatch(name)
    return Platform(match[1], int(match[2]), int(match[3]), match[4]) if match else None


@lru_cache(maxsize=64)
def accepted_platforms(name: str) -> tuple[str, ...]:
    """Return the tags of the wheels that run on a platform, best first: its own and older ones."""
    platform = parse_platform(name)
    if platform is None:
        return (name,)
    if platform.kind == "macosx":
        return tuple(mac_platforms((platform.major, platform.minor), platform.machine))
    return tuple(_linux_platforms(platform))


def _linux_platforms(platform: Platform) -> Iterator[str]:
    kind, major, newest, machine = platform
    # What was built on a machine like this one comes first, as pip has it.
    yield f"linux_{machine}"
    oldest = 0
    if kind == "manylinux":
        oldest = _OLDEST_GLIBC if machine in _INTEL else _OLDEST_GLIBC_ELSEWHERE
    for minor in range(newest, oldest - 1, -1):
        yield f"{kind}_{major}_{minor}_{machine}"
        if kind == "manylinux" and (major, minor) in _LEGACY_NAMES:
            yield f"{_LEGACY_NAMES[major, minor]}_{machine}"
