"""Requirements to resolve, and pins that need no resolver, as files and command lines state them.

Reading list:

- PEP 508: requirements and their markers
- PEP 621, 735 and 518: ``[project]``, ``[dependency-groups]`` and ``[build-system]``
- PEP 751: ``pylock.toml``
"""

from dataclasses import dataclass, field, fields
from typing import Any, NamedTuple

from packaging.requirements import Requirement

from indexfallback.names import normalize

#: In `Wanted.no_binary` and `Wanted.only_binary`, as in pip: every project.
ALL = ":all:"


class Origin(NamedTuple):
    """The place of a requirement, for messages."""

    #: A path as the user gave it, or ``the command line``.
    file: str
    line: int | None = None

    def __str__(self) -> str:
        return self.file if self.line is None else f"{self.file}:{self.line}"


@dataclass(frozen=True)
class Demand:
    """A requirement or constraint for a resolver."""

    #: PEP 508, the marker included: ``acme[all]>=1; python_version < "3.12"``.
    text: str
    origin: Origin
    #: Demands of different groups need not fit together: buildout resolves each part alone.
    group: str = ""


@dataclass(frozen=True)
class Pin:
    """One version of one project, which needs no resolver."""

    #: Normalised.
    project: str
    version: str
    origin: Origin
    #: ``sha256:...`` of the allowed files; empty if all files of the version are allowed.
    hashes: frozenset[str] = frozenset()
    #: PEP 508, with ``extras`` and ``dependency_groups`` (PEP 751); empty if it always applies.
    marker: str = ""
    #: Whether each target needs it. If not, a target for which it has no file can do without it,
    #: such as Linux without pywin32.
    is_needed: bool = True


class DirectReference(NamedTuple):
    """A requirement that is not from an index: a repository, address or directory (PEP 508)."""

    what: str
    origin: Origin


class Unknown(NamedTuple):
    """A requirement that cannot be read, or whose text only a run of the build tool tells."""

    #: As its file states it.
    what: str
    origin: Origin
    cause: str
    remedy: str


class Local(NamedTuple):
    """A project in a directory: what others require of it is there, and not from an index."""

    #: Normalised.
    project: str
    #: Empty if it is not known.
    version: str
    #: The extras that it has, normalised.
    extras: tuple[str, ...]


@dataclass(frozen=True)
class Wanted:
    """All requirements of a run; ``a + b`` has those of both."""

    demands: tuple[Demand, ...] = ()
    constraints: tuple[Demand, ...] = ()
    pins: tuple[Pin, ...] = ()
    direct_references: tuple[DirectReference, ...] = ()
    unknown: tuple[Unknown, ...] = ()
    local: tuple[Local, ...] = ()
    #: Directories with distributions that need not be fetched.
    find_links: tuple[str, ...] = ()
    #: Normalised projects, or `ALL`, of which only sdists, or only wheels, are allowed.
    no_binary: frozenset[str] = frozenset()
    only_binary: frozenset[str] = frozenset()
    #: The dependency groups of a lock that are the default (PEP 751).
    default_groups: frozenset[str] = frozenset()
    #: Whether pre-releases are allowed.
    pre: bool = False
    #: Sentences about settings in files that have no effect.
    remarks: tuple[str, ...] = field(default=())

    @property
    def projects(self) -> frozenset[str]:
        """The normalised names of all required projects."""
        demanded = (normalize(Requirement(demand.text).name) for demand in self.demands)
        return frozenset((*demanded, *(pin.project for pin in self.pins)))

    def __add__(self, other: "Wanted") -> "Wanted":
        both: dict[str, Any] = {}
        for each in fields(self):
            mine, theirs = getattr(self, each.name), getattr(other, each.name)
            is_joined = isinstance(mine, tuple)
            both[each.name] = mine + theirs if is_joined else mine | theirs
        return Wanted(**both)
