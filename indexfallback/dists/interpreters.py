"""A Python on a platform, as the tags of wheels and as markers name it (PEP 425, 508). Pure.

`packaging` computes both for the running interpreter; here they are for any other.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from packaging.tags import Tag, compatible_tags, cpython_tags, generic_tags

from indexfallback.dists.platforms import accepted_platforms, parse_platform

#: Tag of a Windows platform to the machine as Python names it there.
_WINDOWS = {"win_amd64": "AMD64", "win_arm64": "ARM64", "win32": "x86"}
#: The kind of a platform tag with a version, to the markers of its systems.
_KINDS = {
    "manylinux": ("posix", "linux", "Linux"),
    "musllinux": ("posix", "linux", "Linux"),
    "macosx": ("posix", "darwin", "Darwin"),
}
#: The platforms of a Linux whose C library is not known.
_LINUX = "linux_"
#: The last minor version of Python 3 whose usual ABI tag ends in "m".
_LAST_WITH_M = 7


class System(NamedTuple):
    """A platform as markers name it."""

    os_name: str
    sys_platform: str
    platform_system: str
    machine: str


@dataclass(frozen=True)
class Interpreter:
    """A Python on a platform."""

    #: The full version of the language: ``3.12.4``.
    python: str
    #: The tag of its platform's own wheels: ``manylinux_2_36_x86_64``.
    platform: str
    #: As in `platform.python_implementation`: ``CPython`` or ``PyPy``.
    implementation: str = "CPython"
    #: The version of PyPy; that of CPython is ``python``.
    implementation_version: str = ""
    #: As in `platform.release`; empty if it is not known.
    release: str = ""

    @property
    def version(self) -> tuple[int, int]:
        """Major and minor version of the language."""
        major, minor = self.python.split(".")[:2]
        return int(major), int(minor)

    @cached_property
    def tags(self) -> Mapping[Tag, int]:
        """The tags of the wheels that it can install, each with its rank; 0 is the best."""
        platforms = accepted_platforms(self.platform)
        if self.implementation == "PyPy":
            return ranked(_pypy_tags(self.version, self.implementation_version, platforms))
        return ranked(wheel_tags(self.version, platforms))

    @cached_property
    def markers(self) -> dict[str, str]:
        """The environment for markers (PEP 508); raises ValueError for an unknown platform."""
        system = system_of(self.platform)
        if system is None:
            raise ValueError(self.platform)
        return {
            "implementation_name": self.implementation.lower(),
            "implementation_version": self.implementation_version or self.python,
            "os_name": system.os_name,
            "platform_machine": system.machine,
            "platform_release": self.release,
            "platform_system": system.platform_system,
            "platform_version": "",
            "python_full_version": self.python,
            "platform_python_implementation": self.implementation,
            "python_version": ".".join(map(str, self.version)),
            "sys_platform": system.sys_platform,
        }


def system_of(platform: str) -> System | None:
    """Return what markers say of a platform tag, or None for an unknown one."""
    if machine := _WINDOWS.get(platform):
        return System("nt", "win32", "Windows", machine)
    if platform.startswith(_LINUX):
        return System(*_KINDS["manylinux"], platform.removeprefix(_LINUX))
    parsed = parse_platform(platform)
    return System(*_KINDS[parsed.kind], parsed.machine) if parsed is not None else None


def ranked(tags: Iterator[Tag]) -> dict[Tag, int]:
    """Return tags, the best one first, as a table of their ranks."""
    return {tag: rank for rank, tag in reversed(list(enumerate(tags)))}


def wheel_tags(
    version: tuple[int, int], platforms: Sequence[str], *, free_threaded: bool = False
) -> Iterator[Tag]:
    """Yield the tags of the wheels that a version of CPython installs, best first."""
    name = f"cp{version[0]}{version[1]}"
    abi = f"{name}t" if free_threaded else f"{name}m" if version[1] <= _LAST_WITH_M else name
    # Without an ABI, packaging would take the one of the running interpreter.
    yield from cpython_tags(version, abis=[abi], platforms=platforms)
    yield from compatible_tags(version, interpreter=name, platforms=platforms)


def _pypy_tags(version: tuple[int, int], pypy: str, platforms: Sequence[str]) -> Iterator[Tag]:
    python = f"{version[0]}{version[1]}"
    abi = f"pypy{python}_pp{''.join(pypy.split('.')[:2])}"
    yield from generic_tags(interpreter=f"pp{python}", abis=[abi], platforms=platforms)
    yield from compatible_tags(version, interpreter="pp3", platforms=platforms)
