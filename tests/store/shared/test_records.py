"""The records of a shared bucket that need none: keys, pins as objects, and what waits."""

import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexfallback.store import Store
from indexfallback.store.acceptances import Acceptance
from indexfallback.store.pins import Pin
from indexfallback.store.shared import keys
from indexfallback.store.shared.pins import decoded, encoded
from indexfallback.store.shared.unshared import Owner, Unshared, conflict_of
from tests.store.support import set_read_only, written_after_reads

SHA = "a" * 64
PIN = Pin("demo", "demo-1.0.tar.gz", SHA, SHA, 1000.5, "https://packages.example.com/simple/")
OTHER = PIN._replace(sha256="b" * 64)


def test_a_distribution_has_one_pin_and_its_metadata_one_for_each_content() -> None:
    assert keys.pin("demo", "demo-1.0.tar.gz", SHA) == keys.pin("demo", "demo-1.0.tar.gz", "")
    name = "demo-1.0-py3-none-any.whl.metadata"
    assert len({keys.pin("demo", name, key) for key in ("", SHA, "b" * 64)}) == 3


def test_no_key_has_the_address_of_an_index() -> None:
    source = "https://packages.example.com/simple/"
    for key in (keys.page(source, "demo"), keys.marker(source, "demo"), keys.names(source)):
        assert "example" not in key
        assert key.startswith(keys.folders(source))


@given(st.floats(0, 2e9), st.text(max_size=20).filter(lambda text: "\ufffd" not in text))
def test_a_pin_is_read_as_it_was_written(seen: float, source: str) -> None:
    pin = PIN._replace(seen=seen, source=source)
    assert decoded(pin.project, pin.filename, encoded(pin)) == pin


@given(st.integers(0, 250), st.integers(1, 255))
def test_a_pin_with_another_byte_is_none_or_the_same(place: int, flipped: int) -> None:
    data = bytearray(encoded(PIN))
    data[place % len(data)] ^= flipped
    assert decoded(PIN.project, PIN.filename, bytes(data)) in (None, PIN)


def test_a_pin_of_another_file_is_none() -> None:
    assert decoded("demo", "demo-2.0.tar.gz", encoded(PIN)) is None


@pytest.fixture
def unshared(store: Store) -> Unshared:
    return Unshared(store.database)


def test_what_waits_is_there_until_it_is_removed(unshared: Unshared) -> None:
    owner = Owner(PIN.source, "demo", 1000.0)
    for record in (PIN, owner, PIN):
        unshared.add(record)
    assert sorted(map(str, unshared.all())) == sorted(map(str, [PIN, owner]))
    assert unshared.count() == 2
    assert unshared.has_pin("demo", PIN.filename)
    unshared.remove(PIN)
    assert unshared.all() == [owner]
    assert not unshared.has_pin("demo", PIN.filename)


def test_a_release_that_is_written_meanwhile_waits(store: Store, unshared: Unshared) -> None:
    release = Acceptance("demo", "2.0", 1000.0, "ann")
    set_read_only(store, True)
    unshared.add(release)
    set_read_only(store, False)
    written_after_reads(store, lambda: unshared._pending.flush(now=True))
    assert [unshared.releases(), unshared.releases()] == [[release], [release]]


@pytest.fixture
def reopened(tmp_path: Path) -> Iterator[Unshared]:
    """Return the records of a store that another process had."""
    first = Store(tmp_path / "again", 10**6)
    Unshared(first.database).add(PIN)
    first.close()
    second = Store(tmp_path / "again", 10**6)
    yield Unshared(second.database)
    second.close()


def test_what_waits_is_there_after_a_restart(reopened: Unshared) -> None:
    assert reopened.all() == [PIN]


def test_a_conflict_is_told_of_its_project(unshared: Unshared) -> None:
    before = time.time()
    unshared.note(conflict_of(PIN, OTHER))
    (conflict,) = unshared.conflicts("demo")
    assert (conflict.refused, conflict.held) == (PIN.sha256, OTHER.sha256)
    assert conflict.found >= before
    assert unshared.conflicts("other") == []
    assert unshared.conflicts() == [conflict]


def test_an_accepted_file_has_neither_record_nor_conflict(unshared: Unshared) -> None:
    unshared.add(PIN)
    unshared.note(conflict_of(PIN, OTHER))
    unshared.forget("demo", PIN.filename)
    assert unshared.all() == []
    assert unshared.conflicts() == []


class Elsewhere:
    """A bucket in which another shim has pinned each file as `PIN` says."""

    def pin(self, _project: str, _filename: str, _key: str) -> Pin | None:
        return None

    def claim(self, _pin: Pin, _gives_way: frozenset[str]) -> Pin:
        return PIN

    def forget_pins(self, _project: str, _filename: str | None) -> None:
        """Forget nothing."""


def test_the_pin_of_the_bucket_holds_also_if_it_cannot_be_stored_here(store: Store) -> None:
    store.pins.shared = Elsewhere()
    set_read_only(store, True)
    assert store.pins.record("demo", PIN.filename, "f" * 64, PIN.source) == PIN.sha256


def test_the_pin_of_the_bucket_holds_also_if_those_here_cannot_be_read(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> list[object]:
        raise sqlite3.OperationalError("disk I/O error")

    store.pins.shared = Elsewhere()
    monkeypatch.setattr(store.database, "agreed", fail)
    assert store.pins.record("demo", PIN.filename, "f" * 64, PIN.source) == PIN.sha256
