"""The projects that a run has to ask for, by the index's list of names and what is mirrored.

The list that the last complete run has worked off is kept. If it has not changed, one request with
its validators tells so. If it has, the two lists are compared first, and records are read of the
projects that differ. Only without such a list, as after a change of the settings, the records of
all projects are compared. The same rule decides in each case (`compared`).

Projects that a run could not complete, and those whose records are removed or marked between two
runs, are recorded by name (`MirrorLists.again`): the list alone would not bring them up again.
"""

import hashlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from indexfallback.config import Index
from indexfallback.config.mirror import Mirror
from indexfallback.errors import MirrorError
from indexfallback.formats import ListingChanges, listing_changes, parse_listing
from indexfallback.mirror.fetcher import Fetcher
from indexfallback.mirror.result import Result
from indexfallback.store import Store, Validators
from indexfallback.store.mirror_lists import MirrorList, digest_of
from indexfallback.upstream.answers import ListAnswer

if TYPE_CHECKING:
    from indexfallback.mirror.selection import Selection

#: So many projects are looked up one by one; of more, all records are read, which is faster.
_FEW = 10_000


class Changes(NamedTuple):
    """What a run has to do."""

    #: The projects to ask for, with their serials in the list, if they have one.
    projects: dict[str, int | None]
    #: Mirrored projects that are not selected.
    unwanted: Collection[str] = ()
    #: Of the projects to ask for, those that the list does not have.
    unlisted: Collection[str] = ()
    #: The number of projects in the list that are selected.
    selected: int = 0
    #: The serial of the index.
    serial: int | None = None
    #: The list, if the next run may be spared what is in it, and its text if that is a new one.
    worked_off: MirrorList | None = None
    body: bytes | None = None


class NameList:
    """The list of names of one index, for one run."""

    def __init__(
        self, mirror: Mirror, index: Index, store: Store, fetcher: Fetcher,
        select: "Callable[[], Selection]",
    ) -> None:  # fmt: skip
        """``select`` makes the selection; it is not called if the list has not changed."""
        self._mirror = mirror
        self._index = index.name
        self._source = index.key
        self._store = store
        self._fetcher = fetcher
        self._select = select
        self._again = store.mirror_lists.again(index.key)

    @cached_property
    def selection(self) -> "Selection":
        """What is selected."""
        return self._select()

    @cached_property
    def _settings(self) -> str:
        """The digest of everything that selects."""
        mirror = self.selection.settings if self._mirror.requirements else self._mirror
        return hashlib.sha256(repr(mirror).encode()).hexdigest()

    def changes(self, *, dry: bool) -> Changes:
        """Ask for the list if it is needed; raises `MirrorError` and `WantedError`.

        If it is not ``dry``, a list that other settings have worked off is forgotten: what this run
        stores would not be compared with it.
        """
        known = self._known()
        if known is None and not dry:
            self._store.mirror_lists.forget(self._source)
        if known is None and self.selection.names is not None:
            return self._of_all(dict.fromkeys(self.selection.names), None)
        validators = Validators(known.etag, known.last_modified) if known else Validators()
        found = self._fetcher.names(validators, lambda answer: self._read(answer, known))
        if found is not None:
            return found
        assert known is not None  # noqa: S101 - only a request with validators has such an answer
        last = self._store.mirrors.last_run(self._source)
        return self._of_some(known, ListingChanges({}, {}, last.serial if last else None))

    def _known(self) -> MirrorList | None:
        """Return the list of the last run, if the same is selected now."""
        if self._mirror.dependencies:  # what is mirrored decides what is selected
            return None
        known = self._store.mirror_lists.get(self._source)
        return known if known is not None and known.settings == self._settings else None

    def _read(self, answer: ListAnswer, known: MirrorList | None) -> Changes:
        """Compare the list of an answer; raises `PageError` and `MirrorError`."""
        differences = self._differences(answer, known)
        if known is not None and differences is not None:
            self._check(differences.serial)
            stated = differences.present
            changes = self._of_some(known, differences)
        else:
            listed, serial = parse_listing(
                answer.body, answer.content_type, answer.url, whole=answer.is_whole
            )
            stated = dict(listed)
            self._check(serial)
            changes = self._of_all(stated, serial)
        if self._mirror.dependencies or None in stated.values():
            return changes._replace(worked_off=None)
        worked_off = MirrorList(
            self._settings, answer.etag, answer.last_modified, digest_of(answer.body),
            changes.selected,
        )  # fmt: skip
        return changes._replace(worked_off=worked_off, body=answer.body)

    def _differences(self, answer: ListAnswer, known: MirrorList | None) -> ListingChanges | None:
        before = self._store.mirror_lists.body(self._source, known) if known else None
        return listing_changes(before, answer.body, answer.content_type) if before else None

    def _check(self, serial: int | None) -> None:
        last = self._store.mirrors.last_run(self._source)
        if last is not None and serial is not None and serial < (last.serial or 0):
            raise MirrorError(
                self._index,
                f"its list of names is older than at the last run: serial {serial}, "
                f"then {last.serial}",
                "wait until the index is up to date, and run again; nothing was changed",
            )

    def _of_all(self, listed: Mapping[str, int | None], serial: int | None) -> Changes:
        """Compare all projects of the list, and all that are mirrored."""
        wants = self.selection.wants
        wanted = {name: stated for name, stated in listed.items() if wants(name)}
        selected = len(wanted)
        states = self._store.mirrors.states(self._source)
        found = compared(wanted, states, self.selection)
        return found._replace(selected=selected, serial=serial)

    def _of_some(self, known: MirrorList, differences: ListingChanges) -> Changes:
        """Compare the projects in which two lists differ, and those that are to be done again."""
        present, past, serial = differences
        gone = past.keys() - present.keys()
        names = present.keys() | past.keys() | self._again
        if not names:
            return Changes({}, selected=known.selected, serial=serial, worked_off=known)
        wants = self.selection.wants
        wanted = dict.fromkeys(name for name in self._again - gone if wants(name))
        wanted |= {name: stated for name, stated in present.items() if wants(name)}
        selected = known.selected + sum(map(wants, present.keys() - past.keys()))
        selected -= sum(map(wants, gone))
        found = compared(wanted, self._states(names), self.selection)
        worked_off = known._replace(selected=selected)
        return found._replace(selected=selected, serial=serial, worked_off=worked_off)

    def _states(self, names: Collection[str]) -> Iterator[tuple[str, int | None, str]]:
        mirrors = self._store.mirrors
        if len(names) <= _FEW:
            return mirrors.states_of(self._source, names)
        return (state for state in mirrors.states(self._source) if state[0] in names)

    def keep(self, changes: Changes, result: Result) -> None:
        """Record after a run how far it has worked the list off."""
        if changes.worked_off is None:
            self._store.mirror_lists.put_again(self._source, (), self._again)
            return
        left = self._left_over(changes, result) if changes.projects else set()
        if left or self._again:
            self._store.mirror_lists.put_again(self._source, left, self._again - left)
        if changes.projects or changes.body is not None:
            self._store.mirror_lists.put(self._source, changes.worked_off, changes.body)

    def _left_over(self, changes: Changes, result: Result) -> set[str]:
        """Return the projects that the next run has to ask for, even if the list is the same."""
        asked, fingerprint = changes.projects, self.selection.fingerprint
        done = {
            project
            for project, serial, selected in self._states(asked.keys())
            if selected == fingerprint(project) and asked[project] in (None, serial)
        }
        left = asked.keys() - done - set(changes.unlisted)
        return left | (asked.keys() & (result.failed.keys() | result.owned.keys()))


def compared(
    wanted: dict[str, int | None],
    states: Iterable[tuple[str, int | None, str]],
    selection: "Selection",
) -> Changes:
    """Compare projects with what is mirrored, and return what to do. Pure.

    ``wanted`` are selected projects with their serials in the list; the ones that are complete are
    removed from it. ``states`` are the mirrored projects with serial and fingerprint
    (`store.mirrors.State`); one that is not wanted by this list has left it.
    """
    unwanted, unlisted = [], []
    wants, fingerprint = selection.wants, selection.fingerprint
    for project, serial, selected in states:
        if project in wanted:
            stated = wanted[project]
            if stated is not None and stated == serial and selected == fingerprint(project):
                del wanted[project]
        elif wants(project):
            unlisted.append(project)
        else:
            unwanted.append(project)
    wanted.update(dict.fromkeys(unlisted))
    return Changes(wanted, unwanted, unlisted)
