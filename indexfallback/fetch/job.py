"""One run of ``fetch``: from requirements to fetched and missing files."""

import time
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from packaging.requirements import Requirement

from indexfallback.dists.sdist_requirements import build_requirements
from indexfallback.errors import IndexFallbackError, ResolveError
from indexfallback.fetch.download import (
    FetchedFile,
    Progress,
    SelectedFile,
    fetch_file,
    in_parallel,
    planned_file,
)
from indexfallback.fetch.file_selection import is_wanted, select_file
from indexfallback.fetch.find_links import directory_with, needs_page
from indexfallback.fetch.missing import Missing, missing, offer_of, unresolved
from indexfallback.fetch.resolver import NoSolutionError, Resolver
from indexfallback.fetch.target import Target
from indexfallback.names import normalize
from indexfallback.shim import Shim
from indexfallback.wanted import Demand, Origin, Pin, Wanted
from indexfallback.words import counted

#: A file's name, and its sha256 if the page states it: two files of a page may have one name.
FileId = tuple[str, str | None]


@dataclass
class Result:
    """The result of a run."""

    #: By file name and, as far as the page states it, sha256.
    files: dict[FileId, FetchedFile] = field(default_factory=dict)
    missing: list[Missing] = field(default_factory=list)
    #: Pins without a file for a target that does not need them.
    left_out: list[str] = field(default_factory=list)


class _Round(NamedTuple):
    """Requirements and pins that are resolved together, for one target."""

    target: Target
    wanted: Wanted
    #: For messages: ``for Python 3.12 on this machine``, ``to build acme-1.0.tar.gz``.
    title: str


class Job:
    """Fetches what is wanted, for each target."""

    def __init__(
        self,
        shim: Shim,
        resolver: Resolver,
        progress: Progress,
        *,
        extras: Collection[str] = (),
        groups: Collection[str] = (),
        dry_run: bool = False,
    ) -> None:
        #: Filled while the run goes on, for the report of an interrupted run.
        self.result = Result()
        self._shim = shim
        self._resolver = resolver
        self._progress = progress
        self._extras = extras
        self._groups = groups
        self._dry_run = dry_run
        self._began = time.time()
        self._done: set[tuple[FileId, frozenset[str]]] = set()
        self._built: set[tuple[Target, tuple[str, ...]]] = set()

    def run(self, wanted: Iterable[tuple[Target, Wanted]]) -> Result:
        """Fetch all files, and the build requirements of the sdists among them.

        What is wanted for one target in several items is resolved apart.
        """
        rounds = [_Round(target, each, f"for {target}") for target, each in wanted]
        for each in rounds:
            self._miss_unavailable(each.wanted)
        while rounds:
            rounds = self._fetch(rounds)
        return self.result

    def _miss_unavailable(self, wanted: Wanted) -> None:
        """Report what no index can have, and what cannot be known."""
        for direct in wanted.direct_references:
            remedy = "build a wheel of it, and add that to an index of your own"
            what = f"{direct.what} ({direct.origin})"
            self._miss(Missing(what, "it is not from an index", remedy))
        for unknown in wanted.unknown:
            what = f"{unknown.what} ({unknown.origin})"
            self._miss(Missing(what, unknown.cause, unknown.remedy))

    def _fetch(self, rounds: list[_Round]) -> list[_Round]:
        """Fetch the files of some rounds, and return the rounds for their build requirements."""
        # Two pins may select the same file with different hashes, each of which is checked.
        choices: dict[tuple[FileId, frozenset[str]], SelectedFile] = {}
        sdists: list[tuple[FileId, Target]] = []
        for each in rounds:
            for choice in self._select(each):
                choices[_id_of(choice), choice.pin.hashes] = choice
                if not choice.file.filename.endswith(".whl"):
                    sdists.append((_id_of(choice), each.target))
        self._download([choice for key, choice in choices.items() if key not in self._done])
        self._done |= choices.keys()
        return self._builds(sdists)

    def _select(self, each: _Round) -> list[SelectedFile]:
        """Return the files for a round."""
        target, wanted, title = each
        groups = self._groups or wanted.default_groups
        pins = [pin for pin in wanted.pins if is_wanted(pin, target, self._extras, groups)]
        pins += self._resolve(each)
        found = []
        for pin, future in in_parallel(pins, lambda pin: self._select_file(pin, each), "page"):
            try:
                choice = future.result()
            except IndexFallbackError as error:
                if directory := directory_with(pin, target, wanted):
                    self._leave_out(f"{pin.project} {pin.version} (it is in {directory})")
                else:
                    self._miss(missing(f"{pin.project} {pin.version} ({pin.origin})", error))
                continue
            if choice is None:
                self._leave_out(f"{pin.project} {pin.version} (no file {title})")
            else:
                found.append(choice)
        return found

    def _resolve(self, each: _Round) -> list[Pin]:
        """Return the pins for the demands of a round.

        If they do not fit together, or one cannot be resolved, each group is resolved apart.
        """
        target, wanted, title = each
        if not wanted.demands:
            return []
        self._progress.step(f"Resolving {counted(len(wanted.demands), 'requirement')} {title}")
        try:
            return self._resolver.resolve(wanted.demands, target, wanted)
        except ResolveError as error:
            if len(_groups(wanted)) == 1:
                self._miss(*self._unresolved(each, error))
                return []
        return self._resolve_apart(target, wanted)

    def _unresolved(self, each: _Round, error: ResolveError) -> list[Missing]:
        """Return why the demands of a round are not resolved."""
        target, wanted, title = each
        if isinstance(error, NoSolutionError):
            asked = tuple(each for each in wanted.demands if needs_page(each, target, wanted))
            return unresolved(self._shim, replace(wanted, demands=asked), target, title, error)
        cause = f"{error.where}: {error.problem}"
        return [Missing(f"what is needed {title}", cause, error.remedy)]

    def _resolve_apart(self, target: Target, wanted: Wanted) -> list[Pin]:
        """Return the pins for the demands of each group, without those that have no page.

        A resolver that is run for these takes long to fail where an index is down.
        """
        absent = self._without_page(target, wanted)
        found: list[Pin] = []
        for group, demands in _groups(wanted).items():
            rest = tuple(each for each in demands if each.text not in absent)
            title = f"for {group}, with {target}"
            found += self._resolve(_Round(target, replace(wanted, demands=rest), title))
        return found

    def _without_page(self, target: Target, wanted: Wanted) -> set[str]:
        """Return the demands whose projects have no page, and report them."""
        absent: set[str] = set()
        for demand, future in in_parallel(
            [each for each in wanted.demands if needs_page(each, target, wanted)],
            lambda each: self._shim.fallback.page(normalize(Requirement(each.text).name)),
            "page",
        ):
            try:
                future.result()
            except IndexFallbackError as error:
                absent.add(demand.text)
                self._miss(missing(f"{demand.text} ({demand.origin})", error))
        return absent

    def _select_file(self, pin: Pin, each: _Round) -> SelectedFile | None:
        answer, offer = offer_of(self._shim, pin.project)
        file = select_file(offer, pin, each.target, each.wanted)
        if file is None:
            return None
        return SelectedFile(pin, file, answer.owner.name, answer.owner.group)

    def _download(self, choices: list[SelectedFile]) -> None:
        if self._dry_run:
            for choice in choices:
                self.result.files[_id_of(choice)] = planned_file(self._shim, choice)
            return
        held = self._shim.store.blobs.records.held(c.file.sha256 for c in choices if c.file.sha256)
        awaited = {_id_of(c): c.file.size or 0 for c in choices if c.file.sha256 not in held}
        self._progress.expect(len(awaited), sum(awaited.values()))

        def work(choice: SelectedFile) -> FetchedFile:
            return fetch_file(self._shim, choice, self._began, self._progress)

        for choice, future in in_parallel(choices, work, "fetch"):
            filename = choice.file.filename
            try:
                self.result.files.setdefault(_id_of(choice), future.result())
            except IndexFallbackError as error:
                self._miss(missing(filename, error))
            if _id_of(choice) in awaited:
                self._progress.finish(filename)

    def _builds(self, sdists: list[tuple[FileId, Target]]) -> list[_Round]:
        """Return the rounds for the build requirements of sdists."""
        rounds = []
        for each, target in sdists:
            file, filename = self.result.files.get(each), each[0]
            if file is None or file.path is None:
                continue
            requires = build_requirements(file.path, filename)
            if not requires or (target, requires) in self._built:
                continue
            self._built.add((target, requires))
            origin = Origin(f"the build requirements of {filename}")
            wanted = Wanted(demands=tuple(Demand(text, origin) for text in requires))
            rounds.append(_Round(target, wanted, f"to build {filename}"))
        return rounds

    def _leave_out(self, text: str) -> None:
        if text not in self.result.left_out:
            self.result.left_out.append(text)

    def _miss(self, *found: Missing) -> None:
        for each in found:
            if each not in self.result.missing:
                self.result.missing.append(each)


def _groups(wanted: Wanted) -> dict[str, tuple[Demand, ...]]:
    """Return the groups of demands by name, each set of demands once."""
    groups: dict[str, tuple[Demand, ...]] = {}
    for demand in wanted.demands:
        groups[demand.group] = (*groups.get(demand.group, ()), demand)
    sets = {frozenset(each.text for each in demands): group for group, demands in groups.items()}
    return {group: groups[group] for group in sets.values()}


def _id_of(choice: SelectedFile) -> FileId:
    return choice.file.filename, choice.file.sha256
