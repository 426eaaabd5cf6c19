"""The request to `cache export`: the projects to select, and what they lack in the cache."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from indexfallback.cli.output import say, say_more
from indexfallback.config import Settings
from indexfallback.config.units import InvalidValueError
from indexfallback.config.values import patterns as read_patterns
from indexfallback.names import is_normalized
from indexfallback.store import Store
from indexfallback.wanted import Pin, Wanted
from indexfallback.words import counted, shortened

if TYPE_CHECKING:
    from packaging.requirements import Requirement

    from indexfallback.carry.missing import Missing, Need

#: The most names in a message; the rest is counted.
_NAMES = 10


class Selected(NamedTuple):
    """The projects to export, and what is missing in the cache."""

    projects: frozenset[str]
    #: Those of them that are only needed to build others.
    build_only: frozenset[str] = frozenset()
    #: Named projects, and requirements of the files that apply on this machine.
    missing: "Sequence[Missing]" = ()
    #: Releases in files that list those of all platforms, groups or parts.
    perhaps: "Sequence[Missing]" = ()
    #: What the sdists of the projects require to be built.
    builds: "Sequence[Missing]" = ()

    def as_data(self) -> dict[str, Any]:
        """Return what is not cached, for JSON."""
        return {
            "missing": [each._asdict() for each in self.missing],
            "missing_perhaps": [each._asdict() for each in self.perhaps],
            "missing_to_build": [each._asdict() for each in self.builds],
        }

    def say_missing(self) -> None:
        """Say what is not cached."""
        for each in (*self.missing, *self.builds):
            say(f"not cached: {each}")
        if self.missing or self.builds:
            say_more("Fetch it with `indexfallback fetch`, and export again.")
        if self.perhaps:
            names = shortened([each.requirement for each in self.perhaps], _NAMES)
            releases = counted(len(self.perhaps), "listed release")
            say(f"not cached, and perhaps not needed here: {releases}: {names}")


class Request(NamedTuple):
    """The request of the command line."""

    #: Normalised patterns of project names.
    patterns: tuple[str, ...]
    #: The contents of requirement files.
    wanted: tuple[Wanted, ...]
    extras: tuple[str, ...]
    groups: tuple[str, ...]
    #: Whether what the projects require is exported too.
    dependencies: bool

    @property
    def names(self) -> tuple[str, ...]:
        """The patterns and the projects of the files."""
        named = {project for wanted in self.wanted for project in wanted.projects}
        return (*self.patterns, *sorted(named))

    def select(self, store: Store) -> Selected:
        """Select the projects of a store, all of them if none is named."""
        from packaging.markers import default_environment  # noqa: PLC0415 - slow to import

        from indexfallback.carry.missing import missing, missing_to_build  # noqa: PLC0415 - few need it
        from indexfallback.carry.selection import select  # noqa: PLC0415 - as above

        selection = select(store, self.names or ("*",), dependencies=self.dependencies)
        if not self.names:  # a cache of a million files is not searched for what it lacks
            return Selected(*selection)
        needs, perhaps = self._needs()
        here = {name: str(value) for name, value in default_environment().items()}
        return Selected(
            *selection,
            [*missing(store, needs), *self._in_no_index()],
            missing(store, perhaps),
            missing_to_build(store, selection.projects, here) if self.dependencies else (),
        )

    def _needs(self) -> "tuple[list[Need], list[Need]]":
        """Return what is named or required on this machine, and what may be required elsewhere."""
        from packaging.requirements import Requirement  # noqa: PLC0415 - slow to import

        from indexfallback.carry.missing import Need  # noqa: PLC0415 - as above
        from indexfallback.dists.requirements import applies  # noqa: PLC0415 - as above
        from indexfallback.fetch.file_selection import is_wanted  # noqa: PLC0415 - as above
        from indexfallback.fetch.target import Target  # noqa: PLC0415 - as above

        here = Target()
        named = filter(is_normalized, self.patterns)  # those without * and ?
        needs = [Need(Requirement(name), "--projects") for name in named]
        perhaps: list[Need] = []
        for wanted in self.wanted:
            for demand in wanted.demands:
                requirement = Requirement(demand.text)
                if applies(requirement, {**here.markers, "extra": ""}):
                    needs.append(Need(requirement, str(demand.origin)))
            for pin in wanted.pins:
                if is_wanted(pin, here, self.extras, self.groups or wanted.default_groups):
                    need = Need(_exactly(pin), str(pin.origin))
                    (needs if pin.is_needed else perhaps).append(need)
        return needs, perhaps

    def _in_no_index(self) -> "Iterator[Missing]":
        """Yield the requirements that are from no index, and those that cannot be known."""
        from indexfallback.carry.missing import Missing  # noqa: PLC0415 - few need it

        for wanted in self.wanted:
            for direct in wanted.direct_references:
                yield Missing(direct.what, (str(direct.origin),))
            for unknown in wanted.unknown:
                yield Missing(unknown.what, (f"{unknown.origin} ({unknown.cause})",))


def _exactly(pin: Pin) -> "Requirement":
    from packaging.requirements import InvalidRequirement, Requirement  # noqa: PLC0415 - as above

    try:
        return Requirement(f"{pin.project}=={pin.version}")
    except InvalidRequirement:  # a version from before PEP 440
        return Requirement(f"{pin.project}==={pin.version}")


def read_request(
    settings: Settings,
    patterns: Sequence[str],
    files: Sequence[Path],
    extras: tuple[str, ...],
    groups: tuple[str, ...],
    *,
    dependencies: bool,
) -> Request:
    """Return what the command line asks for; raises `click.BadParameter` and `WantedError`."""
    from indexfallback.upstream.extended import ExtendedFiles  # noqa: PLC0415 - slow to import
    from indexfallback.wanted.reading import read_file  # noqa: PLC0415 - as above

    try:
        checked = read_patterns(list(patterns), Path())
    except InvalidValueError as error:
        raise click.BadParameter(f"--projects {error}") from error
    wanted = []
    fetch = ExtendedFiles(settings).get
    for file in files:
        wanted.append(read_file(file, extras, groups, fetch=fetch))
        if not wanted[-1].projects:  # which must not select all of them
            raise click.BadParameter(f"{file} names no project", param_hint="-r")
    return Request(checked, tuple(wanted), extras, groups, dependencies)
