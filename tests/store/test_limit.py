"""The limit of the cache: what counts, what is evicted at once, and several processes."""

import os
import random
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from indexfallback.store import Store
from indexfallback.store.blob_records import EVICTED_AT_ONCE
from indexfallback.store.inventory import info
from indexfallback.store.maintenance import clean
from indexfallback.store.mirrors import MirroredFile
from indexfallback.store.partials import TIDY_SECONDS, USELESS_SECONDS
from indexfallback.store.spool import Spool
from tests.serving import wait_until

SIZE = 1000
LIMIT = 20 * SIZE


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Store]:
    with closing(Store(tmp_path / "small", LIMIT)) as opened:
        yield opened


def add(store: Store, number: int) -> str:
    return store.blobs.add(number.to_bytes(4, "big") * (SIZE // 4)).sha256


def leave_partial(store: Store, name: str, size: int, age: float) -> Path:
    path = store.blobs.partials.directory / name
    path.write_bytes(bytes(size))
    then = time.time() - age
    os.utime(path, (then, then))
    return path


def stored_bytes(store: Store) -> int:
    return sum(path.stat().st_size for path in store.blobs.path("0").parents[1].rglob("?" * 64))


def test_two_processes_on_one_cache_keep_to_one_limit(small: Store) -> None:
    with closing(Store(small.directory, LIMIT)) as other:
        for number in range(60):
            add(small if number % 2 else other, number)
            assert stored_bytes(small) <= LIMIT


def test_partial_files_count_towards_the_limit(small: Store) -> None:
    for number in range(15):
        add(small, number)
    leave_partial(small, f"{'0' * 64}.writing", 10 * SIZE, age=0)
    clean(small)
    assert stored_bytes(small) <= LIMIT - 10 * SIZE
    assert info(small, LIMIT)[-4:-2] == (1, 10 * SIZE)


def test_room_is_made_while_a_file_is_written(
    small: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("indexfallback.store.spool._ROOM_EACH", SIZE)
    monkeypatch.setattr("indexfallback.store.partials.LOOK_SECONDS", 60)
    for number in range(20):
        add(small, number)
    spool = Spool(small.blobs, "0" * 64)
    for number in range(10):
        spool.write(bytes(SIZE))
        assert stored_bytes(small) + (number + 1) * SIZE <= LIMIT


def test_the_oldest_partial_files_without_a_writer_make_room_for_newer_ones(small: Store) -> None:
    ages = [TIDY_SECONDS * (number + 2) for number in range(5)]
    paths = [leave_partial(small, f"{'0' * 64}.{age}", SIZE, age) for age in ages]
    os.close(small.blobs.partials.open("1" * 64).fd)
    assert [path.exists() for path in paths] == [True, True, False, False, False]


def test_a_partial_file_that_nobody_can_continue_is_removed_after_an_hour(small: Store) -> None:
    old = USELESS_SECONDS + 60
    useless = [
        leave_partial(small, f"{'0' * 64}.empty", 0, old),
        leave_partial(small, "unknown", 10, old),
    ]
    kept = leave_partial(small, f"{'0' * 64}.half", 10, old)
    os.close(small.blobs.partials.open("1" * 64).fd)
    assert [path.exists() for path in (*useless, kept)] == [False, False, True]


def test_many_files_are_evicted_in_the_background(tmp_path: Path) -> None:
    many = 3 * EVICTED_AT_ONCE
    with closing(Store(tmp_path, 10**9)) as large:
        sha256s = [add(large, number) for number in range(many)]
    with closing(Store(tmp_path, LIMIT)) as small:
        add(small, many)
        wait_until(lambda: small.blobs.records.total() <= LIMIT, 5, "the rest is not evicted")
        assert small.blobs.records.held(sha256s[: many - 20]) == set()


def test_the_totals_are_those_of_the_records_whatever_happens(store: Store) -> None:
    chosen = random.Random(1)
    sha256s = [add(store, number) for number in range(12)]
    for _ in range(300):
        number = chosen.randrange(len(sha256s))
        file = MirroredFile(f"p{number % 3}", f"f{number % 5}", chosen.choice(sha256s), SIZE, None)
        match chosen.randrange(5):
            case 0:
                store.blobs.remove(sha256s[number])
            case 1:
                store.mirrors.put("source", [file])
            case 2:
                store.mirrors.put(f"source {number % 2}", [file])
            case 3:
                store.mirrors.forget(file.project)
            case _:
                store.blobs.record({sha256s[number]: chosen.choice((SIZE, 10))})
        mirrored = "WHERE sha256 IN (SELECT sha256 FROM mirror_file)"
        sums = "SELECT count(*), coalesce(sum(size), 0) FROM blob"
        expected = (*store.database.row(sums), *store.database.row(f"{sums} {mirrored}"))
        assert store.blobs.records.totals() == expected


@pytest.mark.parametrize("values", ["'x', -5, 1, 1", None])
def test_a_damaged_total_is_counted_anew(small: Store, values: str | None) -> None:
    for number in range(3):
        add(small, number)
    with small.database.write() as connection:
        connection.execute("DELETE FROM total")
        if values:
            connection.execute(f"INSERT INTO total VALUES ({values})")
    assert small.blobs.records.totals() == (3, 3 * SIZE, 0, 0)


def test_an_empty_partial_file_goes_after_a_minute_unless_it_has_a_writer(store: Store) -> None:
    partials = store.blobs.partials
    left, held = partials.open("a" * 64), partials.open("b" * 64)
    new = partials.open("c" * 64)
    for partial in (left, new):
        os.close(partial.fd)  # as at the end of a process that was killed
    old = time.time() - TIDY_SECONDS - 1
    for partial in (left, held):
        os.utime(partial.path, (old, old))
    partials.tidy()
    assert [p.path.exists() for p in (left, held, new)] == [False, True, True]
    os.close(held.fd)
