"""Records in memory until they are written: by one thread, each once."""

import threading
from collections.abc import Mapping

from indexfallback.store.pending import PendingRecords

#: Longest wait for another thread, seconds.
WAIT = 10.0


def test_the_thread_that_writes_goes_on_with_what_others_add_meanwhile() -> None:
    begun, may_end = threading.Event(), threading.Event()
    written: list[int] = []

    def write(batch: Mapping[int, str]) -> None:
        written.extend(batch)
        begun.set()
        assert may_end.wait(WAIT)

    records: PendingRecords[int, str] = PendingRecords("numbers", write)
    writer = threading.Thread(target=records.add, args=(0, "first"))
    writer.start()
    assert begun.wait(WAIT)
    for number in range(1, 10):
        records.add(number, "later")  # does not wait for the one that writes
    assert (written, len(records.all())) == ([0], 10)
    may_end.set()
    writer.join(WAIT)
    assert written == list(range(10))
    assert records.all() == {}


def test_a_record_that_is_discarded_while_nothing_can_be_written_is_not_valid_any_more() -> None:
    def fail(batch: Mapping[int, str]) -> None:
        raise OSError(f"{len(batch)} records")

    records: PendingRecords[int, str] = PendingRecords("numbers", fail)
    records.add_all({0: "first", 1: "second"})
    records.discard([0])
    assert records.all() == {1: "second"}
