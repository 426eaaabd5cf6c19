"""The reading side of a transfer: what readers get of a file, and when."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from indexfallback.files import arrival
from indexfallback.files.arrival import HELD_BACK, CommittedError, IncomingFile, Progress
from indexfallback.store import Store
from indexfallback.store.spool import Spool
from indexfallback.upstream.answers import TransferError

DATA = b"0123456789" * (HELD_BACK // 5)


@pytest.fixture
def file(tmp_path: Path) -> Iterator[IncomingFile]:
    store = Store(tmp_path / "cache", 10**9)
    made = IncomingFile("demo.whl", None)
    made.begin(Spool(store.blobs))
    yield made
    store.close()


def test_no_answer_begins_before_the_length_is_known(file: IncomingFile) -> None:
    file.append(DATA)
    assert (file.received, file.can_stream) == (len(DATA), False)
    file.expect(len(DATA))
    assert file.can_stream


def test_the_last_piece_is_held_back_until_the_end(file: IncomingFile) -> None:
    file.expect(len(DATA))
    file.append(DATA)
    ready = len(DATA) - HELD_BACK
    pieces = file.read(0, len(DATA), most=ready)
    assert next(pieces) == DATA[:ready]
    file.fail()
    with pytest.raises(TransferError):
        next(pieces)
    assert file.progress is Progress.FAILED


def test_more_bytes_than_stated_are_not_written(file: IncomingFile) -> None:
    file.expect(10)
    with pytest.raises(TransferError, match="more than the 10 bytes stated"):
        file.append(DATA)
    assert file.received == 0


def test_a_file_starts_over_unless_an_answer_has_begun(file: IncomingFile) -> None:
    file.append(DATA)
    file.start_over()
    assert (file.received, file.total) == (0, None)
    file.expect(len(DATA))
    file.append(DATA)
    assert file.wait(0.0, 0.0) is Progress.RUNNING
    with pytest.raises(CommittedError):
        file.start_over()
    assert file.received == len(DATA)


def test_a_file_that_cannot_be_stored_is_not_waited_for(file: IncomingFile) -> None:
    file.append(DATA)
    file.finish("00")
    assert b"".join(file.read(0, len(DATA))) == DATA
    file.settle(None)
    assert file.wait_stored(60.0) is None


def test_readers_are_not_woken_for_every_few_bytes(
    file: IncomingFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arrival, "WAKE_SECONDS", 3600.0)
    woken: list[int] = []
    monkeypatch.setattr(file._changed, "notify_all", lambda: woken.append(file._received))
    file.expect(len(DATA))
    for start in range(0, len(DATA), 100):
        file.append(DATA[start : start + 100])
    file.finish("00")
    assert woken == [0, 100, len(DATA)], "the length, the first bytes, the end"
