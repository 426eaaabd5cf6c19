"""What somebody wants of the indexes: requirements to resolve, and pins that are resolved already.

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
    """Where a wish stands."""

    #: A path as the user gave it, or ``the command line``.
    file: str
    line: int | None = None

    def __str__(self) -> str:
        return self.file if self.line is None else f"{self.file}:{self.line}"


@dataclass(frozen=True)
class Demand:
    """A requirement or constraint that a resolver decides on."""

    #: PEP 508, the marker included: ``acme[all]>=1; python_version < "3.12"``.
    text: str
    origin: Origin


@dataclass(frozen=True)
class Pin:
    """One version of one project, which needs no resolver."""

    #: Normalised.
    project: str
    version: str
    origin: Origin
    #: ``sha256:...`` of the files that will do; empty where any file of the version does.
    hashes: frozenset[str] = frozenset()
    #: PEP 508, with ``extras`` and ``dependency_groups`` (PEP 751); empty if it is always wanted.
    marker: str = ""
    #: Whether a lock says that it is wanted for every target: else one without a file for a
    #: target, such as pywin32 on Linux, is not wanted there.
    is_needed: bool = True


class Elsewhere(NamedTuple):
    """What is wanted and comes from no index: a repository, an address, a directory."""

    what: str
    origin: Origin


@dataclass(frozen=True)
class Wanted:
    """All that is wanted together; ``a + b`` is both."""

    demands: tuple[Demand, ...] = ()
    constraints: tuple[Demand, ...] = ()
    pins: tuple[Pin, ...] = ()
    elsewhere: tuple[Elsewhere, ...] = ()
    #: Normalised projects, or `ALL`, of which only sdists, or only wheels, will do.
    no_binary: frozenset[str] = frozenset()
    only_binary: frozenset[str] = frozenset()
    #: Dependency groups that a lock wants where none is asked for (PEP 751).
    default_groups: frozenset[str] = frozenset()
    #: Whether pre-releases will do.
    pre: bool = False
    #: What a file says and is not followed, in sentences.
    remarks: tuple[str, ...] = field(default=())

    @property
    def projects(self) -> frozenset[str]:
        """The normalised names of all projects that are wanted."""
        demanded = (normalize(Requirement(demand.text).name) for demand in self.demands)
        return frozenset((*demanded, *(pin.project for pin in self.pins)))

    def __add__(self, other: "Wanted") -> "Wanted":
        both: dict[str, Any] = {}
        for each in fields(self):
            mine, theirs = getattr(self, each.name), getattr(other, each.name)
            is_joined = isinstance(mine, tuple)
            both[each.name] = mine + theirs if is_joined else mine | theirs
        return Wanted(**both)
