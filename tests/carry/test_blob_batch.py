"""Batches of imported files: each complete file is stored, however the import ends."""

from collections.abc import Iterator

import pytest

from indexfallback.carry.blob_batch import BlobBatch
from indexfallback.store import Store
from tests.carry.support import sha256_of

#: More than two batches.
MANY = [b"%d" % number * 10 for number in range(450)]


class DamagedError(Exception):
    """The source of a file broke off."""


def damaged() -> Iterator[bytes]:
    yield b"half"
    raise DamagedError


def receive_until_damaged(store: Store) -> None:
    with BlobBatch(store) as batch:
        for data in MANY[:5]:
            batch.add([data], sha256_of(data))
        batch.add(damaged(), sha256_of(b"half and half"))


def verdicts(store: Store) -> dict[str, str]:
    return dict(store.blobs.verify())


def left(store: Store) -> list[str]:
    return [path.name for path in store.blobs.partials.directory.iterdir()]


def test_all_of_many_files_are_kept_and_recorded(empty: Store) -> None:
    with BlobBatch(empty) as batch:
        sizes = [batch.add([data], sha256_of(data)) for data in MANY]
    assert sizes == [len(data) for data in MANY]
    assert verdicts(empty) == {sha256_of(data): "right" for data in MANY}
    assert empty.blobs.records.total() == sum(sizes)
    assert left(empty) == []


def test_whole_files_before_a_damaged_one_are_kept_and_nothing_of_that(empty: Store) -> None:
    with pytest.raises(DamagedError):
        receive_until_damaged(empty)
    assert verdicts(empty) == {sha256_of(data): "right" for data in MANY[:5]}
    assert left(empty) == []


def test_a_file_that_waits_is_known_to_have_come(empty: Store) -> None:
    with BlobBatch(empty) as batch:
        batch.add([b"data"], sha256_of(b"data"))
        assert sha256_of(b"data") in batch
        assert sha256_of(b"other") not in batch
    with BlobBatch(empty) as batch:
        assert sha256_of(b"data") in batch
