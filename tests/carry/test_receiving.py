"""Many files on their way into the store: each whole one is kept, whatever ends the work."""

from collections.abc import Iterator

import pytest

from indexfallback.carry.receiving import Receiving
from indexfallback.store import Store
from tests.carry.support import sha256_of

#: More than wait to be made durable at once, twice.
MANY = [b"%d" % number * 10 for number in range(450)]


class DamagedError(Exception):
    """The source of a file broke off."""


def damaged() -> Iterator[bytes]:
    yield b"half"
    raise DamagedError


def receive_until_damaged(store: Store) -> None:
    with Receiving(store) as receiving:
        for data in MANY[:5]:
            receiving.receive([data], sha256_of(data))
        receiving.receive(damaged(), sha256_of(b"half and half"))


def verdicts(store: Store) -> dict[str, str]:
    return dict(store.blobs.verify())


def left(store: Store) -> list[str]:
    return [path.name for path in store.blobs.partials.directory.iterdir()]


def test_all_of_many_files_are_kept_and_recorded(empty: Store) -> None:
    with Receiving(empty) as receiving:
        sizes = [receiving.receive([data], sha256_of(data)) for data in MANY]
    assert sizes == [len(data) for data in MANY]
    assert verdicts(empty) == {sha256_of(data): "right" for data in MANY}
    assert empty.blobs.total() == sum(sizes)
    assert left(empty) == []


def test_whole_files_before_a_damaged_one_are_kept_and_nothing_of_that(empty: Store) -> None:
    with pytest.raises(DamagedError):
        receive_until_damaged(empty)
    assert verdicts(empty) == {sha256_of(data): "right" for data in MANY[:5]}
    assert left(empty) == []


def test_a_file_that_waits_is_known_to_have_come(empty: Store) -> None:
    with Receiving(empty) as receiving:
        receiving.receive([b"data"], sha256_of(b"data"))
        assert sha256_of(b"data") in receiving
        assert sha256_of(b"other") not in receiving
    with Receiving(empty) as receiving:
        assert sha256_of(b"data") in receiving
