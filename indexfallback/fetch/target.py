"""Targets: a Python and a platform to install on, as tags and as markers name them."""

import platform
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from packaging import tags
from packaging.markers import default_environment

from indexfallback.dists.interpreters import Interpreter, ranked, wheel_tags
from indexfallback.dists.platforms import parse_platform
from indexfallback.errors import WantedError

#: Tag of a Windows platform to its processor as uv names it.
_WINDOWS = {"win_amd64": "x86_64", "win_arm64": "aarch64", "win32": "i686"}
_PYTHON = re.compile(r"3\.(\d+)(?:\.\d+)?", re.ASCII)
_REMEDY = (
    "give one like manylinux_2_28_x86_64, musllinux_1_2_aarch64, macosx_14_0_arm64 or win_amd64"
)


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
            _uv_platform(self.platform)

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
        return [*arguments, *(["--python-platform", _uv_platform(self.platform)]
                              if self.platform else [])]  # fmt: skip

    @property
    def _interpreter(self) -> Interpreter | None:
        """The Python on a platform that is named; None for this machine."""
        if self.platform is None:
            return None
        return Interpreter(_full(self.python) or platform.python_version(), self.platform)

    @cached_property
    def tags(self) -> Mapping[tags.Tag, int]:
        """The tags of the wheels that it can install, each with its rank; 0 is the best."""
        if self._interpreter is not None:
            return self._interpreter.tags
        if self.is_here:
            return ranked(tags.sys_tags())
        version = self._version or sys.version_info[:2]
        return ranked(wheel_tags(version, list(tags.platform_tags())))

    @cached_property
    def markers(self) -> dict[str, str]:
        """The environment for markers (PEP 508)."""
        if self._interpreter is not None:
            return self._interpreter.markers
        environment = {name: str(value) for name, value in default_environment().items()}
        full = _full(self.python)
        if full is not None and not self.is_here:
            environment |= {
                "python_version": ".".join(full.split(".")[:2]),
                "python_full_version": full,
                "implementation_version": full,
            }
        return environment


def targets(pythons: Sequence[str], platforms: Sequence[str]) -> list[Target]:
    """Return each Python on each platform; raises `WantedError`."""
    return [
        Target(python, each)
        for python in list[str | None](dict.fromkeys(pythons)) or [None]
        for each in list[str | None](dict.fromkeys(platforms)) or [None]
    ]


def _full(python: str | None) -> str | None:
    """Return a version with its third number, which is 0 where it is not given."""
    return f"{python}.0" if python is not None and python.count(".") == 1 else python


def _uv_platform(name: str) -> str:
    """Return a platform as uv names it; raises `WantedError` for an unknown one."""
    if processor := _WINDOWS.get(name):
        return f"{processor}-pc-windows-msvc"
    parsed = parse_platform(name)
    if parsed is None:
        raise WantedError("--platform", f"{name} is not a known platform", _REMEDY)
    kind, major, minor, machine = parsed
    if kind == "macosx":
        return f"{machine.replace('arm64', 'aarch64')}-apple-darwin"
    if kind == "musllinux":
        return f"{machine}-unknown-linux-musl"
    return f"{machine}-{kind}_{major}_{minor}"
