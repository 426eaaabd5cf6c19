"""Pins: the first sha256 at each address of a file; another content is refused later.

The address of a file on this server has its project, the sha256 of the distribution where that is
known, and the file's name. An address without a sha256 stands for whatever the name was first. Two
files of one name have two addresses, and so have their metadata files.

A pin records its index and applies to the group of that index: another owner of the project has its
own files, and the public index of a group corrects its mirrors.
"""

import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import NamedTuple, Protocol

from indexfallback.names import METADATA_ENDING
from indexfallback.store.best_effort import StoreFault, best_effort
from indexfallback.store.database import Database
from indexfallback.store.pending import PendingRecords
from indexfallback.store.safety_records import ADD_PIN, REMOVE_PINS, Changes
from indexfallback.store.search_index import Note

_COLUMNS = "project, filename, key, sha256, seen, source"
#: Both hold whole pins: see `Database.agreed`.
_INDEXES = ("sqlite_autoindex_pin_1", "pin_again")


class Pin(NamedTuple):
    """The sha256 at an address. ``seen`` is when it was first used, seconds since the epoch."""

    project: str
    filename: str
    #: The sha256 in the address, that of the distribution also for its metadata; empty if the
    #: address has none.
    key: str
    #: Of the file itself.
    sha256: str
    seen: float
    #: Address of its index.
    source: str


class _Record(NamedTuple):
    """A pin that is to be written, and which other pins of its file name it removes."""

    pin: Pin
    #: Addresses of indexes whose pin of the same address is replaced.
    replaces: frozenset[str]
    #: Addresses of mirrors whose pins of the name are wrong unless they have one of these sha256.
    corrects: frozenset[str]
    right: frozenset[str]

    def removes(self, other: Pin) -> bool:
        """Tell whether a pin of the same file name is removed."""
        is_replaced = other.key == self.pin.key and other.source in self.replaces
        return is_replaced or (other.source in self.corrects and other.sha256 not in self.right)


class PinSharing(Protocol):
    """A bucket with the pins of several shims."""

    def pin(self, project: str, filename: str, key: str) -> Pin | None:
        """Return the pin of the bucket, or None if it has none or cannot be asked."""

    def claim(self, pin: Pin, gives_way: frozenset[str]) -> Pin:
        """Return the pin that is valid: ``pin``, which is new here, or the bucket's own.

        The bucket's pin is replaced if it is of one of the indexes ``gives_way``. If the bucket
        does not answer, ``pin`` is valid, and is written later.
        """

    def forget_pins(self, project: str, filename: str | None) -> None:
        """Remove the pins of a file name, or of a project; raises `BucketUnavailableError`."""


#: Project, file name and key.
_Address = tuple[str, str, str]


class Pins:
    """All pins."""

    def __init__(self, database: Database, note: Note) -> None:
        """``note`` is told which project has a new pin: its metadata may have come."""
        self._database = database
        self._note = note
        self.shared: PinSharing | None = None
        #: In their order, as far as each changed something.
        self._pending: PendingRecords[_Address, tuple[_Record, ...]] = PendingRecords(
            "the sha256 of files that were served", self._write
        )

    def find(
        self, project: str, filename: str, key: str, foreign: Collection[str] = ()
    ) -> Pin | None:
        """Return the pin of an address, or None; pins of the indexes ``foreign`` are ignored."""
        pins = self.of_name(project, filename, foreign)
        return next((pin for pin in pins if pin.key == key), None)

    def get(self, project: str, filename: str, foreign: Collection[str] = ()) -> str | None:
        """Return the sha256 of the `first` pin, or None."""
        pin = first(self.of_name(project, filename, foreign))
        return pin.sha256 if pin is not None else None

    def of_name(self, project: str, filename: str, foreign: Collection[str] = ()) -> list[Pin]:
        """Return the pins of a file name, the oldest first, without those of ``foreign``."""
        return self.of_names(project, (filename,), foreign)[filename]

    def of_names(
        self, project: str, filenames: Collection[str], foreign: Collection[str] = ()
    ) -> dict[str, list[Pin]]:
        """Return the pins of each of a few file names, as `of_name` does, by one query."""
        marks = ",".join("?" * len(filenames))
        unwritten = self._pending.all()  # first: what is written meanwhile is in the database
        rows = self._database.agreed(
            f"SELECT {_COLUMNS} FROM pin {{index}} WHERE project = ? AND filename IN ({marks})",  # noqa: S608 - ours
            _INDEXES,
            (project, *filenames),
        )
        stored: dict[str, list[Pin]] = {name: [] for name in filenames}
        for row in rows:
            stored[row[1]].append(Pin._make(row))
        pending: dict[str, list[_Record]] = {name: [] for name in filenames}
        for address, records in unwritten.items():
            if address[0] == project and address[1] in pending:
                pending[address[1]].extend(records)
        return {
            name: [pin for pin in _with(pending[name], pins) if pin.source not in foreign]
            for name, pins in stored.items()
        }

    def of_project(self, project: str, foreign: Collection[str] = ()) -> dict[str, list[Pin]]:
        """Return file name to its pins, the oldest first, without those of ``foreign``."""
        unwritten = self._pending.all()  # first, as above
        rows = self._database.agreed(
            f"SELECT {_COLUMNS} FROM pin {{index}} WHERE project = ? ORDER BY seen, key",  # noqa: S608 - ours
            _INDEXES,
            (project,),
        )
        pins: dict[str, list[Pin]] = {}
        for row in rows:
            pins.setdefault(row[1], []).append(Pin._make(row))
        pending: dict[str, list[_Record]] = {}
        for address, records in unwritten.items():
            if address[0] == project:
                pending.setdefault(address[1], []).extend(records)
        for name, of_name in pending.items():
            pins[name] = _with(of_name, pins.get(name, []))
        if not foreign:
            return pins
        own = {name: [p for p in found if p.source not in foreign] for name, found in pins.items()}
        return {name: found for name, found in own.items() if found}

    def record(
        self,
        project: str,
        filename: str,
        sha256: str,
        source: str,
        replaces: Collection[str] = (),
        *,
        key: str = "",
        corrects: Collection[str] = (),
        right: Collection[str] = (),
    ) -> str:
        """Pin the sha256 at an address, and return the one that is valid there.

        An existing pin is kept, unless it is of one of the indexes ``replaces``. Of the mirrors
        ``corrects`` all pins of the name are removed whose sha256 is not one of ``right``. The pin
        is valid at once, and if it cannot be written, for the life of this process.
        """
        address = (project, filename, key)
        pin = Pin(project, filename, key, sha256, time.time(), source)
        record = _Record(pin, *map(frozenset, (replaces, corrects, right)))
        others = self._of_name_if_readable(project, filename)
        if all(other.key != key for other in others) or any(map(record.removes, others)):
            if self.shared is not None:
                held = _claimed(self.shared, record, others)
                if held.sha256 != sha256:
                    with best_effort(f"store the pin of {filename}"):
                        self.merge([held])
                    return held.sha256
            self._pending.add(address, (*(self._pending.get(address) or ()), record))
            self._note(source, project)
        else:
            self._pending.flush()
        found = self.find(project, filename, key)
        return found.sha256 if found is not None else sha256

    def _of_name_if_readable(self, project: str, filename: str) -> list[Pin]:
        """Return the pins of a file name; none if they cannot be read: a new one holds anyway."""
        try:
            return self.of_name(project, filename)
        except StoreFault:
            return []

    def bring(self, project: str, filename: str, key: str) -> None:
        """Add the pin that other shims have for a file name, unless there is one here."""
        if self.shared is None or self.of_name(project, filename):
            return
        pin = self.shared.pin(project, filename, key)
        if pin is not None:
            with best_effort(f"store the pin of {filename}"):
                self.merge([pin])

    def follow(self, own: Pin, held: Pin) -> None:
        """Replace a pin, at every address of the content, by the one that holds for all shims."""
        self._pending.flush(now=True)
        wrong = [pin[:3] for pin in self.of_name(*own[:2]) if pin.sha256 == own.sha256]
        with self._database.change() as changes:
            changes.make(REMOVE_PINS, wrong)
            changes.make(ADD_PIN, [held])

    def _write(self, batch: Mapping[_Address, tuple[_Record, ...]]) -> None:
        with self._database.change() as changes:
            for record in sorted(chain.from_iterable(batch.values()), key=_time_of):
                _remove_others(changes, record)
                changes.make(ADD_PIN, [record.pin])

    def merge(self, pins: Iterable[Pin]) -> None:
        """Add pins for addresses that have none."""
        added = list(pins)
        with self._database.change() as changes:
            changes.make(ADD_PIN, added)
        for pin in added:
            self._note(pin.source, pin.project)

    def remove(self, project: str, filename: str | None = None) -> int:
        """Remove the pins of one file name, or all of a project; return their number.

        Raises `BucketUnavailableError` if other shims would bring them back.
        """
        if self.shared is not None:
            self.shared.forget_pins(project, filename)
        self._pending.flush(now=True)
        with self._database.change() as changes:
            return changes.make(REMOVE_PINS, [(project, filename, None)])

    def flush(self) -> None:
        """Try to write the pending records."""
        self._pending.flush(now=True)

    def __iter__(self) -> Iterator[Pin]:
        query = (
            f"SELECT {_COLUMNS} FROM pin WHERE (project, filename, key) > (?, ?, ?)"  # noqa: S608 - ours
            " ORDER BY project, filename, key LIMIT 1000"  # of a million, few are in memory
        )
        last: Sequence[str] = ("", "", "")
        while rows := self._database.rows(query, last):
            yield from map(Pin._make, rows)
            last = rows[-1][:3]


def first(pins: Iterable[Pin]) -> Pin | None:
    """Return the pin of a name that applies to a file without a stated sha256, or None.

    That of the address without a sha256, else the oldest one; ``pins`` begin with the oldest.
    """
    return min(pins, key=lambda pin: pin.key != "", default=None)


def _claimed(shared: PinSharing, record: _Record, others: Iterable[Pin]) -> Pin:
    """Return the pin that holds for all shims, in place of a new one; ``others`` are here."""
    pin = record.pin
    has_other = any(
        not record.removes(other)
        and (other.key == pin.key or not pin.filename.endswith(METADATA_ENDING))
        for other in others
    )
    # The page lists another file of the name: the bucket has the first one.
    return pin if has_other else shared.claim(pin, record.replaces | record.corrects)


def _time_of(record: _Record) -> float:
    return record.pin.seen


def _with(records: Iterable[_Record], pins: list[Pin]) -> list[Pin]:
    """Return the pins of one file name, the oldest first, as if ``records`` were written."""
    for record in sorted(records, key=_time_of):
        pins = [pin for pin in pins if not record.removes(pin)]
        if all(pin.key != record.pin.key for pin in pins):
            pins.append(record.pin)
    return sorted(pins, key=lambda pin: (pin.seen, pin.key))


def _remove_others(changes: Changes, record: _Record) -> None:
    if not record.replaces and not record.corrects:
        return
    rows = changes.connection.execute(
        f"SELECT {_COLUMNS} FROM pin WHERE project = ? AND filename = ?",  # noqa: S608 - ours
        record.pin[:2],
    )
    pins = [Pin(*row) for row in rows]
    changes.make(REMOVE_PINS, [pin[:3] for pin in pins if record.removes(pin)])
