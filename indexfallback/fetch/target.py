"""Targets: a Python and a platform to install on, as tags and as markers name them."""

import platform
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from packaging import tags
from packaging.markers import default_environment

from indexfallback.dists.platforms import accepted_platforms, parse_platform
from indexfallback.errors import WantedError

_WINDOWS = {"win_amd64": "AMD64", "win_arm64": "ARM64", "win32": "x86"}
_PYTHON = re.compile(r"3\.(\d+)(?:\.\d+)?", re.ASCII)
_REMEDY = (
    "give one like manylinux_2_28_x86_64, musllinux_1_2_aarch64, macosx_14_0_arm64 or win_amd64"
)


class _System(NamedTuple):
    """A platform as markers and uv name it."""

    os_name: str
    sys_platform: str
    platform_system: str
    machine: str
    uv: str


@dataclass(frozen=True)
class Target:
    """A Python on a platform; by default this Python on this machine."""

    #: ``3.12``; None for the running Python.
    python: str | None = None
    #: The tag of a wheel's platform; None for this machine.
    platform: str | None = None

    def __post_init__(self) -> None:
        """Raise `WantedError` for an unknown version or platform."""
        if self.python is not None and not _PYTHON.fullmatch(self.python):
            problem = f"{self.python} is not a version of Python 3"
            raise WantedError("--python", problem, "give one like 3.12")
        if self.platform is not None:
            _system(self.platform)

    def __str__(self) -> str:
        python = f"Python {self.python or platform.python_version()}"
        return f"{python} on {self.platform or 'this machine'}"

    @property
    def is_here(self) -> bool:
        """Whether it is the running Python, whose own pip can resolve for it."""
        return self.platform is None and self._version in (None, sys.version_info[:2])

    @property
    def _version(self) -> tuple[int, int] | None:
        if self.python is None:
            return None
        major, minor = self.python.split(".")[:2]
        return int(major), int(minor)

    @property
    def uv_arguments(self) -> list[str]:
        """The arguments by which uv resolves for it."""
        python = self.python or platform.python_version()
        arguments = ["--python-version", python]
        return [*arguments, *(["--python-platform", _system(self.platform).uv]
                              if self.platform else [])]  # fmt: skip

    @cached_property
    def tags(self) -> Mapping[tags.Tag, int]:
        """The tags of the wheels that it can install, each with its rank; 0 is the best."""
        if self.is_here:
            found: Iterator[tags.Tag] = tags.sys_tags()
        else:
            found = _tags(self._version or sys.version_info[:2], self.platform)
        return {tag: rank for rank, tag in reversed(list(enumerate(found)))}

    @cached_property
    def markers(self) -> dict[str, str]:
        """The environment for markers (PEP 508)."""
        environment = {name: str(value) for name, value in default_environment().items()}
        if self.python is not None and not self.is_here:
            full = self.python if self.python.count(".") > 1 else f"{self.python}.0"
            environment |= {
                "python_version": ".".join(full.split(".")[:2]),
                "python_full_version": full,
                "implementation_version": full,
            }
        if self.platform is not None:
            system = _system(self.platform)
            environment |= {
                "os_name": system.os_name,
                "sys_platform": system.sys_platform,
                "platform_system": system.platform_system,
                "platform_machine": system.machine,
                "platform_release": "",
                "platform_version": "",
                "implementation_name": "cpython",
                "platform_python_implementation": "CPython",
            }
        return environment


def targets(pythons: Sequence[str], platforms: Sequence[str]) -> list[Target]:
    """Return each Python on each platform; raises `WantedError`."""
    return [
        Target(python, each)
        for python in list[str | None](dict.fromkeys(pythons)) or [None]
        for each in list[str | None](dict.fromkeys(platforms)) or [None]
    ]


def _system(name: str) -> _System:
    """Return the parts of a platform tag; raises `WantedError`."""
    if machine := _WINDOWS.get(name):
        processor = {"AMD64": "x86_64", "ARM64": "aarch64", "x86": "i686"}[machine]
        return _System("nt", "win32", "Windows", machine, f"{processor}-pc-windows-msvc")
    parsed = parse_platform(name)
    if parsed is None:
        raise WantedError("--platform", f"{name} is not a known platform", _REMEDY)
    kind, major, minor, machine = parsed
    if kind == "macosx":
        processor = machine.replace("arm64", "aarch64")
        return _System("posix", "darwin", "Darwin", machine, f"{processor}-apple-darwin")
    if kind == "musllinux":
        return _System("posix", "linux", "Linux", machine, f"{machine}-unknown-linux-musl")
    return _System("posix", "linux", "Linux", machine, f"{machine}-{kind}_{major}_{minor}")


def _tags(version: tuple[int, int], name: str | None) -> Iterator[tags.Tag]:
    platforms = list(tags.platform_tags() if name is None else accepted_platforms(name))
    yield from tags.cpython_tags(version, platforms=platforms)
    interpreter = f"cp{version[0]}{version[1]}"
    yield from tags.compatible_tags(version, interpreter, platforms)
