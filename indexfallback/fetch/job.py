"""One run of fetching, from what is wanted to what is here and what is missing."""

import time
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from indexfallback.errors import (
    FileError,
    IndexFallbackError,
    ProjectError,
    ResolveError,
)
from indexfallback.fetch.bring import Brought, Choice, Watch, bring, found, side_by_side
from indexfallback.fetch.builds import requires_of
from indexfallback.fetch.choose import choose, is_wanted
from indexfallback.fetch.resolve import Resolver
from indexfallback.fetch.target import Target
from indexfallback.shim import Shim
from indexfallback.wanted import Demand, Origin, Pin, Wanted
from indexfallback.words import counted


class Missing(NamedTuple):
    """What is wanted and not here."""

    what: str
    cause: str
    remedy: str


@dataclass
class Result:
    """What came of a run."""

    brought: dict[str, Brought] = field(default_factory=dict)
    missing: list[Missing] = field(default_factory=list)
    #: What was not wanted for any of the targets.
    left_out: list[str] = field(default_factory=list)


class _Round(NamedTuple):
    """Demands and pins that belong together, for one target."""

    target: Target
    wanted: Wanted
    #: Of what: ``Python 3.12 on this machine``, ``building acme-1.0.tar.gz``.
    title: str


class Job:
    """Fetches what is wanted, for each target."""

    def __init__(
        self,
        shim: Shim,
        resolver: Resolver,
        watch: Watch,
        *,
        extras: Collection[str] = (),
        groups: Collection[str] = (),
        dry_run: bool = False,
    ) -> None:
        #: Grows while it runs, so that an interrupted run can tell what it has done.
        self.result = Result()
        self._shim = shim
        self._resolver = resolver
        self._watch = watch
        self._extras = extras
        self._groups = groups
        self._dry_run = dry_run
        self._began = time.time()
        self._done: set[tuple[str, frozenset[str]]] = set()
        self._built: set[tuple[Target, tuple[str, ...]]] = set()

    def run(self, wanted: Wanted, targets: Iterable[Target]) -> Result:
        """Fetch all of it, and what builds the sdists among it."""
        for each in wanted.elsewhere:
            remedy = "build a wheel of it, and put that into an index of your own"
            self._miss(Missing(f"{each.what} ({each.origin})", "it comes from no index", remedy))
        rounds = [_Round(target, wanted, f"for {target}") for target in targets]
        while rounds:
            rounds = self._fetch(rounds)
        return self.result

    def _fetch(self, rounds: list[_Round]) -> list[_Round]:
        """Fetch what rounds want, and return those of the build requirements."""
        # Two pins may have one file in common, and hashes that have each to be checked.
        choices: dict[tuple[str, frozenset[str]], Choice] = {}
        sdists: list[tuple[str, Target]] = []
        for each in rounds:
            for choice in self._choices(each):
                filename = choice.file.filename
                choices[filename, choice.pin.hashes] = choice
                if not filename.endswith(".whl"):
                    sdists.append((filename, each.target))
        self._bring([choice for key, choice in choices.items() if key not in self._done])
        self._done |= choices.keys()
        return self._builds(sdists)

    def _choices(self, each: _Round) -> list[Choice]:
        """Return the files that a round comes to."""
        target, wanted, title = each
        groups = self._groups or wanted.default_groups
        pins = [pin for pin in wanted.pins if is_wanted(pin, target, self._extras, groups)]
        if wanted.demands:
            self._watch.step(f"Resolving {counted(len(wanted.demands), 'requirement')} {title}")
            try:
                pins += self._resolver.resolve(wanted.demands, target, wanted)
            except ResolveError as error:
                cause = f"{error.who}: {error.problem}"
                self._miss(Missing(f"what is needed {title}", cause, error.remedy))
        found = []
        for pin, future in side_by_side(pins, lambda pin: self._choice(pin, each), "page"):
            try:
                choice = future.result()
            except IndexFallbackError as error:
                self._miss(_missing(f"{pin.project} {pin.version}", error))
                continue
            if choice is None:
                self.result.left_out.append(f"{pin.project} {pin.version} (no file {title})")
            else:
                found.append(choice)
        return found

    def _choice(self, pin: Pin, each: _Round) -> Choice | None:
        answer = self._shim.fallback.page(pin.project)
        page = self._shim.offer(answer)
        file = choose(page, pin, each.target, each.wanted)
        if file is None:
            return None
        return Choice(pin, file, answer.owner.name, answer.owner.group)

    def _bring(self, choices: list[Choice]) -> None:
        if self._dry_run:
            for choice in choices:
                self.result.brought[choice.file.filename] = found(self._shim, choice)
            return
        held = self._shim.store.blobs.held(c.file.sha256 for c in choices if c.file.sha256)
        awaited = {c.file.filename: c.file.size or 0 for c in choices if c.file.sha256 not in held}
        self._watch.expect(len(awaited), sum(awaited.values()))

        def work(choice: Choice) -> Brought:
            return bring(self._shim, choice, self._began, self._watch)

        for choice, future in side_by_side(choices, work, "bring"):
            filename = choice.file.filename
            try:
                self.result.brought.setdefault(filename, future.result())
            except IndexFallbackError as error:
                self._miss(_missing(filename, error))
            if filename in awaited:
                self._watch.arrived(filename)

    def _builds(self, sdists: list[tuple[str, Target]]) -> list[_Round]:
        """Return the rounds of what builds the sdists that are here."""
        rounds = []
        for filename, target in sdists:
            brought = self.result.brought.get(filename)
            if brought is None or brought.path is None:
                continue
            requires = requires_of(brought.path, filename)
            if not requires or (target, requires) in self._built:
                continue
            self._built.add((target, requires))
            origin = Origin(f"the build requirements of {filename}")
            wanted = Wanted(demands=tuple(Demand(text, origin) for text in requires))
            rounds.append(_Round(target, wanted, f"to build {filename}"))
        return rounds

    def _miss(self, missing: Missing) -> None:
        if missing not in self.result.missing:
            self.result.missing.append(missing)


def _missing(what: str, error: IndexFallbackError) -> Missing:
    if isinstance(error, (FileError, ProjectError)):
        return Missing(what, error.cause, error.remedy)
    return Missing(what, str(error), "")
