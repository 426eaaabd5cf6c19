"""Stored files that went wrong on the disk: found out, put aside and fetched again."""

import errno
import http.client
import logging
import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any, final

import pytest

from indexfallback.memory import bounds
from indexfallback.memory.table import OVERHEAD, weight
from indexfallback.shim import Shim
from indexfallback.store import Blob, blobs
from tests.conftest import MakeShim, Serve
from tests.fakes import FakeIndex, wheel
from tests.files.support import BIG, fetch, is_kept, key_of
from tests.serving import index_table, wait_until

DEMO = wheel("demo", size=BIG)
PATH = f"/files/{DEMO.filename}"
#: More than is hashed before it is served.
LARGE = wheel("large", size=blobs.SMALL_FILE + 100_000)

#: Headers of a request that is not answered from memory.
AGAIN = {"Cache-Control": "no-cache"}


def flip(path: Path) -> None:
    """Flip a bit in the middle of a file."""
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def filled(shim: Shim) -> Shim:
    """Fetch the file, so that it is stored."""
    assert fetch(shim, DEMO) == DEMO.data
    wait_until(lambda: is_kept(shim), 5, "the file was not kept")
    return shim


@pytest.mark.fault(55)
def test_a_bit_flip_in_a_stored_file_is_found_and_the_file_fetched_again(
    shim: MakeShim, caplog: pytest.LogCaptureFixture
) -> None:
    with FakeIndex([DEMO]) as index:
        path = filled(shim(index)).store.blobs.path(DEMO.sha256)
        flip(path)
        made = shim(index)
        assert fetch(made, DEMO) == DEMO.data
        assert index.count(PATH) == 2
        assert made.store.blobs.quarantined.count() == 1
        (said,) = [r.message for r in caplog.records if "quarantined" in r.message]
        assert str(path) in said
        assert "the stored file cannot be used (its sha256 is " in said
        assert "check the disk's health" in said
        wait_until(lambda: is_kept(made), 5, "the file was not kept again")
        assert dict(made.store.blobs.verify()) == {DEMO.sha256: "right"}


@pytest.mark.fault(56)
def test_a_wrong_byte_in_the_record_of_a_page_has_it_fetched_again(
    served: Serve, tmp_path: Path
) -> None:
    with FakeIndex([DEMO]) as index:
        made = served(index_table("pypi", index.url, fresh="0 s"))
        assert made.get("/simple/demo/").status == 200
        wait_until(lambda: made.json("/-/status")["cache"]["pages"], 5, "the page was not kept")
        with closing(sqlite3.connect(tmp_path / "served" / "cache" / "index.sqlite3")) as other:
            other.execute("UPDATE page SET checked = 'x' || checked")
            other.commit()
        assert made.get("/simple/demo/", AGAIN).status == 200
        assert "the record of the page of demo from" in made.log


@pytest.mark.fault(56)
def test_a_database_full_of_wrong_bytes_is_made_again_while_it_is_in_use(
    served: Serve, tmp_path: Path
) -> None:
    dists = [wheel(f"demo-{number}") for number in range(10)]
    with FakeIndex(dists) as index:
        made = served(index_table("pypi", index.url, fresh="0 s"))
        for dist in dists:
            assert made.get(f"/simple/{dist.project}/").status == 200
        wait_until(lambda: made.json("/-/status")["cache"]["pages"] == 10, 5, "not kept")
        path = tmp_path / "served" / "cache" / "index.sqlite3"
        with closing(sqlite3.connect(path)) as other:
            other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        with path.open("r+b") as file:
            file.seek(4096)
            file.write(os.urandom(path.stat().st_size - 4096))
        for dist in dists:
            assert made.get(f"/simple/{dist.project}/", AGAIN).status == 200
        assert made.log.count("is damaged") == 1


@pytest.mark.fault(55)
def test_a_bit_flip_is_found_before_metadata_is_read_out_of_a_wheel(shim: MakeShim) -> None:
    with FakeIndex([DEMO]) as index:
        flip(filled(shim(index)).store.blobs.path(DEMO.sha256))
        made = shim(index)
        assert fetch(made, DEMO, ending=".metadata") == DEMO.metadata
        assert made.store.blobs.quarantined.count() == 1


@pytest.mark.fault(55)
def test_a_bit_flip_in_a_large_file_cuts_the_answer_and_the_next_one_is_whole_and_right(
    served: Serve, tmp_path: Path
) -> None:
    address = f"/files/pypi/large.{LARGE.sha256}/{LARGE.filename}"
    path = tmp_path / "served" / "cache" / "blobs" / "sha256" / LARGE.sha256[:2] / LARGE.sha256
    with FakeIndex([LARGE]) as index:
        table = index_table("pypi", index.url)
        first = served(table)
        assert first.get(address).body == LARGE.data
        # The pin is the last record of a file: a shim that ends before has nothing to serve.
        wait_until(lambda: first.json("/-/why/large")["pins"], 20, "the file was not kept")
        first.stop()
        flip(path)
        made = served(table)
        with made.ask(address) as response, pytest.raises(http.client.IncompleteRead) as cut:
            response.read()
        got = cut.value.partial
        assert len(LARGE.data) - 65536 <= len(got) < len(LARGE.data)
        # What pip does next: what it has is wrong, so it is given the whole.
        resume = {"Range": f"bytes={len(got)}-", "If-Range": f'"{LARGE.sha256}"'}
        answer = made.get(address, resume)
        assert (answer.status, answer.body == LARGE.data) == (200, True)
        assert index.count(f"/files/{LARGE.filename}") == 2
        assert "Traceback" not in made.log


@pytest.mark.fault(55)
def test_a_file_is_hashed_once_in_each_process(
    shim: MakeShim, monkeypatch: pytest.MonkeyPatch
) -> None:
    checked: list[str] = []
    check = blobs.Blobs._check

    def count(self: blobs.Blobs, blob: Blob, sha256: str) -> None:
        checked.append(sha256)
        check(self, blob, sha256)

    monkeypatch.setattr(blobs.Blobs, "_check", count)
    with FakeIndex([DEMO]) as index:
        first = filled(shim(index))
        assert fetch(first, DEMO) == DEMO.data
        assert checked == []  # hashed while it came
        second = shim(index)
        for _ in range(3):
            assert fetch(second, DEMO) == DEMO.data
        assert checked == [DEMO.sha256]


def test_only_so_many_files_are_remembered_as_right(
    shim: MakeShim, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "store.blobs.Blobs._verified"
    monkeypatch.setitem(bounds.TABLES, name, 2 * (OVERHEAD + weight("0" * 64, None)))
    store = shim().store
    kept = [store.blobs.add(b"%d" % number).sha256 for number in range(3)]
    assert [sha256 in store.blobs._verified for sha256 in kept] == [False, True, True]
    assert all(store.blobs.find(sha256) for sha256 in kept)


@final
class _Broken:
    """An open file that fails when it is read."""

    def __init__(self, file: Any, number: int) -> None:
        self._file = file
        self._number = number

    def __enter__(self) -> "_Broken":
        return self

    def __exit__(self, *args: object) -> None:
        self._file.close()

    def seek(self, position: int) -> None:
        self._file.seek(position)

    def read(self, size: int) -> bytes:
        raise OSError(self._number, "Input/output error")


def break_reads(monkeypatch: pytest.MonkeyPatch, path: Path, number: int) -> None:
    """Let every read of one stored file fail."""
    real = Path.open

    def opened(self: Path, *args: Any, **values: Any) -> Any:
        file = real(self, *args, **values)
        return _Broken(file, number) if self == path else file

    monkeypatch.setattr(Path, "open", opened)


@pytest.mark.fault(52)
@pytest.mark.parametrize("again", [False, True], ids=["read before", "first read"])
def test_a_stored_file_that_cannot_be_read_is_fetched_again(
    shim: MakeShim,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    *,
    again: bool,
) -> None:
    with FakeIndex([DEMO]) as index:
        made = filled(shim(index))
        if again:
            made = shim(index)
        path = made.store.blobs.path(DEMO.sha256)
        break_reads(monkeypatch, path, errno.EIO)
        if not again:  # an answer is on its way when it is found out
            found = made.downloads.get("pypi", key_of(DEMO), DEMO.filename)
            assert isinstance(found, Blob)
            with pytest.raises(OSError, match="Input/output error"):
                next(made.store.blobs.read(found, 0, found.size))
        with caplog.at_level(logging.WARNING):
            assert fetch(made, DEMO) == DEMO.data
        assert index.count(PATH) == 2
        assert "quarantined and fetched again: check the disk's health" in caplog.text


@pytest.mark.fault(52)
def test_what_was_left_of_a_file_and_cannot_be_read_is_fetched_again(
    shim: MakeShim, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with FakeIndex([DEMO]) as index:
        made = shim(index)
        left = made.store.blobs.partials.directory / f"{DEMO.sha256}.dead"
        left.write_bytes(DEMO.data[:1000])
        real = os.pread
        failures = [OSError(errno.EIO, "Input/output error")]

        def pread(fd: int, size: int, offset: int) -> bytes:
            if failures:
                raise failures.pop()
            return real(fd, size, offset)

        monkeypatch.setattr("os.pread", pread)
        assert fetch(made, DEMO) == DEMO.data
        assert [r.headers.get("Range") for r in index.requests if r.path == PATH] == [None]
        assert "the part that is here cannot be read ([Errno 5] Input/output error)" in caplog.text


@pytest.mark.fault(52)
def test_a_right_file_is_not_put_aside_when_this_process_has_too_much_open(
    shim: MakeShim, monkeypatch: pytest.MonkeyPatch
) -> None:
    with FakeIndex([DEMO]) as index:
        filled(shim(index))
        made = shim(index)
        path = made.store.blobs.path(DEMO.sha256)
        with monkeypatch.context() as patch:
            break_reads(patch, path, errno.EMFILE)
            fetch(made, DEMO)
        assert made.store.blobs.quarantined.count() == 0
        assert path.read_bytes() == DEMO.data
