"""A client as the User-Agent of pip or uv describes it: Python, platform and purpose. Pure.

Both send ``NAME/VERSION {json}`` with every request. Every other User-Agent has no profile.
"""

import re
from functools import lru_cache
from typing import NamedTuple

import msgspec
from packaging.version import InvalidVersion, Version

from indexfallback.dists.interpreters import Interpreter

#: A longer User-Agent is not read; those of pip and uv have about 600 characters.
LONGEST = 4096
#: Profiles kept, each with a table of some hundred tags: more kinds of clients than a team has.
_KEPT = 64
#: The subcommands of uv that install what they download. pip names none: it downloads wheels whose
#: metadata it has only to install or to keep them.
_INSTALLING = frozenset(
    {
        ("pip", "install"), ("pip", "sync"), ("sync",), ("run",), ("add",), ("remove",),
        ("tool", "install"), ("tool", "run"), ("tool", "upgrade"),
    }
)  # fmt: skip
_CLIENT = re.compile(r"(pip|uv)/[0-9][0-9A-Za-z.+-]{0,40} (\{.+\})", re.ASCII)
_PYTHON = re.compile(r"(3\.\d{1,2}\.[0-9a-z.+]{1,20}?)\+?", re.ASCII)
_PYPY = re.compile(r"\d{1,2}\.\d{1,2}(\.[0-9a-z.]{1,20})?", re.ASCII)
_PAIR = re.compile(r"(\d{1,2})\.(\d{1,3})(?![0-9])", re.ASCII)
_CPU = re.compile(r"\w{1,32}", re.ASCII)
_RELEASE = re.compile(r"[\x20-\x7e]{0,200}", re.ASCII)
_MACHINES = {"AMD64": "win_amd64", "ARM64": "win_arm64", "x86": "win32"}
_LINUX = {"glibc": "manylinux", "musl": "musllinux"}


class Profile(NamedTuple):
    """One kind of client."""

    interpreter: Interpreter
    #: Whether it installs, or at least keeps, the files that it downloads.
    installs: bool


class _Libc(msgspec.Struct):
    lib: str = ""
    version: str = ""


class _Distro(msgspec.Struct):
    version: str | None = None
    libc: _Libc | None = None


class _Implementation(msgspec.Struct):
    name: str
    version: str = ""


class _System(msgspec.Struct):
    name: str
    release: str | None = None


class _Installer(msgspec.Struct):
    name: str
    subcommand: tuple[str, ...] | None = None


class _UserAgent(msgspec.Struct):
    """The JSON of a User-Agent; fields that are not used here are not read."""

    installer: _Installer
    python: str
    implementation: _Implementation
    system: _System
    cpu: str
    distro: _Distro | None = None


_decoder = msgspec.json.Decoder(_UserAgent)


@lru_cache(maxsize=_KEPT)
def profile_of(user_agent: str) -> Profile | None:
    """Return what a User-Agent tells; None if it is not one of pip or uv, or is malformed."""
    match = _CLIENT.fullmatch(user_agent) if len(user_agent) <= LONGEST else None
    if match is None:
        return None
    try:
        agent = _decoder.decode(match[2])
    except msgspec.DecodeError:  # ValidationError is one, too
        return None
    interpreter = _interpreter(agent)
    if interpreter is None or agent.installer.name != match[1]:
        return None
    installs = match[1] == "pip" or agent.installer.subcommand in _INSTALLING
    return Profile(interpreter, installs)


def _interpreter(agent: _UserAgent) -> Interpreter | None:
    python = _PYTHON.fullmatch(agent.python)
    platform = _platform(agent)
    implementation, version = agent.implementation.name, agent.implementation.version
    release = agent.system.release or ""
    if python is None or platform is None or not _is_version(python[1]):
        return None
    if not _RELEASE.fullmatch(release):
        return None
    if implementation == "PyPy" and _PYPY.fullmatch(version):
        return Interpreter(python[1], platform, implementation, version, release)
    if implementation == "CPython":
        return Interpreter(python[1], platform, release=release)
    return None


def _platform(agent: _UserAgent) -> str | None:
    """Return the tag of the platform's own wheels, or None for a platform that is not known."""
    cpu, distro = agent.cpu, agent.distro or _Distro()
    if not _CPU.fullmatch(cpu):
        return None
    if agent.system.name == "Windows":
        return _MACHINES.get(cpu)
    if agent.system.name == "Darwin":
        version = _PAIR.match(distro.version or "")
        return f"macosx_{int(version[1])}_{int(version[2])}_{cpu}" if version else None
    if agent.system.name != "Linux":
        return None
    libc = distro.libc or _Libc()
    version = _PAIR.match(libc.version)
    if libc.lib not in _LINUX or version is None:
        return f"linux_{cpu}"
    return f"{_LINUX[libc.lib]}_{int(version[1])}_{int(version[2])}_{cpu}"


def _is_version(text: str) -> bool:
    try:
        Version(text)
    except InvalidVersion:
        return False
    return True
