"""A disk that is full, read-only or gone: the shim is slower, and what it serves is right."""

import errno
import gc
import json
import os
import shutil
import sqlite3
import stat
import subprocess
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from indexfallback.shim import Shim
from indexfallback.store import Store
from tests.chain.chain import ask
from tests.conftest import MakeShim, Serve
from tests.fakes import FakeIndex, wheel
from tests.files.support import BIG, fetch, is_kept
from tests.in_process import indexfallback
from tests.serving import index_table, wait_until

DEMO = wheel("demo", size=BIG)
OTHER = wheel("other", size=BIG)
PATH = f"/files/{DEMO.filename}"
ADDRESS = f"/files/pypi/demo.{DEMO.sha256}/{DEMO.filename}"


def fill_up(monkeypatch: pytest.MonkeyPatch, directory: Path, room: int) -> Callable[[], None]:
    """Let writes below a directory fail after so many bytes; return what makes room again."""
    real: Callable[[int, Any], int] = os.write
    left = [room]
    full = [True]

    def write(fd: int, data: Any) -> int:
        status = os.fstat(fd)
        if not (full[0] and stat.S_ISREG(status.st_mode) and _is_below(directory, status)):
            return real(fd, data)
        if not left[0]:
            raise OSError(errno.ENOSPC, "No space left on device")
        written = real(fd, data[: left[0]])
        left[0] -= written
        return written

    monkeypatch.setattr(os, "write", write)
    return lambda: full.__setitem__(0, False)


def _is_below(directory: Path, status: os.stat_result) -> bool:
    return any(os.path.samestat(path.stat(), status) for path in directory.iterdir())


@pytest.mark.fault(51)
@pytest.mark.parametrize("room", [0, 1, 65_537, BIG])
def test_a_disk_that_is_full_after_n_bytes_lets_the_file_through_uncached(
    shim: MakeShim, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, room: int
) -> None:
    with FakeIndex([DEMO]) as index:
        made = shim(index)
        partial = made.store.blobs.partials.directory
        make_room = fill_up(monkeypatch, partial, room)
        assert fetch(made, DEMO) == DEMO.data
        assert index.count(PATH) == 1
        assert made.store.blobs.records.count() == 0
        (said,) = [r.message for r in caplog.records if "without being stored" in r.message]
        assert said == (
            f"{partial}: cannot be written (No space left on device); "
            "the file is served without being stored: free space"
        )
        wait_until(lambda: gc.collect() >= 0 and not list(partial.iterdir()), 5, "a file is left")
        wait_until(lambda: not made.downloads._running, 5, "it does not end")
        make_room()
        assert fetch(made, DEMO) == DEMO.data
        wait_until(lambda: is_kept(made), 5, "the file was not kept")


@pytest.mark.fault(51)
def test_a_full_disk_leaves_what_was_stored_as_it_was(
    shim: MakeShim, monkeypatch: pytest.MonkeyPatch
) -> None:
    with FakeIndex([DEMO, OTHER]) as index:
        made = shim(index)
        fetch(made, OTHER)
        wait_until(lambda: is_kept(made), 5, "the file was not kept")
        fill_up(monkeypatch, made.store.blobs.partials.directory, 1000)
        assert fetch(made, DEMO) == DEMO.data
        assert fetch(made, OTHER) == OTHER.data
        assert index.count(f"/files/{OTHER.filename}") == 1
        assert dict(made.store.blobs.verify()) == {OTHER.sha256: "right"}


@pytest.mark.fault(51)
def test_a_file_that_cannot_be_made_durable_is_served_and_not_recorded(
    shim: MakeShim, monkeypatch: pytest.MonkeyPatch
) -> None:
    with FakeIndex([DEMO]) as index:
        made = shim(index)

        def fsync(fd: int) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr(os, "fsync", fsync)
        assert fetch(made, DEMO) == DEMO.data
        wait_until(lambda: not made.downloads._running, 5, "it does not end")
        assert made.store.blobs.records.count() == 0


@pytest.mark.fault(53)
def test_a_read_only_cache_directory_lets_everything_through(
    served: Serve, mount: Callable[..., Path]
) -> None:
    with FakeIndex([DEMO]) as index:
        made = served(index_table("pypi", index.url), cache_dir=mount("ro"))
        assert made.get("/simple/demo/").status == 200
        assert made.get(ADDRESS).body == DEMO.data
        assert "a temporary one is used for what is new" in made.log


@pytest.mark.fault(53)
@pytest.mark.parametrize("ends", ["closed", "killed"])
def test_a_read_only_cache_is_read(
    shim: MakeShim, mount: Callable[..., Path], caplog: pytest.LogCaptureFixture, ends: str
) -> None:
    cache = mount()
    with FakeIndex([DEMO, OTHER]) as index:
        leave_read_only(shim(index), cache, is_killed=ends == "killed")
        index.clear()
        made = shim(index, cache_dir=cache)
        assert fetch(made, DEMO) == DEMO.data
        assert index.count(PATH) == 0
        index.stop_listening()
        assert ask(made, "demo") == "pypi"
        assert made.store.pins.get("demo", DEMO.filename) == DEMO.sha256
        index.start_again()
        assert fetch(made, OTHER) == OTHER.data
        assert len([r for r in caplog.records if "cannot be written" in r.message]) == 1


@pytest.mark.fault(53)
def test_commands_show_a_read_only_cache(shim: MakeShim, mount: Callable[..., Path]) -> None:
    cache = mount()
    with FakeIndex([DEMO]) as index:
        leave_read_only(shim(index), cache)

    def shown(*arguments: str) -> Any:
        environ = {**os.environ, "INDEXFALLBACK_CACHE_DIR": str(cache)}
        return json.loads(indexfallback("cache", *arguments, "--json", environ=environ).stdout)

    info = shown("info")
    assert (info["directory"], info["files"]) == (str(cache), 1)
    assert [file["filename"] for file in shown("list")["files"]] == [DEMO.filename]


def leave_read_only(made: Shim, cache: Path, *, is_killed: bool = False) -> None:
    """Leave the cache of a shim that has fetched a file on a file system that is read-only then."""
    assert fetch(made, DEMO) == DEMO.data
    wait_until(lambda: is_kept(made), 5, "the file was not kept")
    left = made.store.directory
    if not is_killed:  # else the records are in the write-ahead log alone
        made.close()
    shutil.copytree(left, cache, dirs_exist_ok=True, ignore=shutil.ignore_patterns("*-shm"))
    subprocess.run(["mount", "-o", "remount,ro", str(cache)], check=True)


@pytest.mark.fault(53)
@pytest.mark.fault(56)
def test_a_damaged_database_in_a_read_only_directory_leaves_its_owners(
    mount: Callable[..., Path], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    made = Store(tmp_path / "made", 10**6)
    made.ledger.record_page("https://packages.example.com/simple/", "acme")
    made.close()
    (made.directory / "index.sqlite3").write_bytes(b"no database")
    directory = mount("rw")
    shutil.copytree(made.directory, directory, dirs_exist_ok=True)
    subprocess.run(["mount", "-o", "remount,ro", str(directory)], check=True)
    with closing(Store(directory, 10**6)) as store:
        assert store.is_temporary
        assert store.ledger.owners("acme")
    assert "the owners of names cannot be read" not in caplog.text


@pytest.mark.fault(54)
@pytest.mark.parametrize("before", ["used", "unused"])
def test_a_cache_directory_that_vanishes_does_not_stop_the_shim(
    served: Serve, tmp_path: Path, before: str
) -> None:
    cache = tmp_path / "served" / "cache"
    with FakeIndex([DEMO, OTHER]) as index:
        made = served(index_table("pypi", index.url))
        if before == "used":
            assert made.get(ADDRESS).body == DEMO.data
            wait_until(lambda: made.json("/-/status")["cache"]["files"], 5, "it was not kept")
        shutil.rmtree(cache)
        for dist in (DEMO, OTHER):
            assert made.get(f"/simple/{dist.project}/").status == 200
            address = f"/files/pypi/{dist.project}.{dist.sha256}/{dist.filename}"
            assert made.get(address).body == dist.data
        assert made.get("/-/health").status == 200
        wait_until(lambda: made.json("/-/status")["cache"]["files"] == 2, 5, "they were not kept")
        assert made.log.count("was removed while in use; it is made again") == 1
        assert stat.S_IMODE(cache.stat().st_mode) == 0o700


@pytest.mark.fault(54)
def test_records_that_cannot_be_read_are_set_aside_and_the_page_is_fetched_again(
    served: Serve, tmp_path: Path
) -> None:
    with FakeIndex([DEMO]) as index:
        made = served(index_table("pypi", index.url))
        with closing(sqlite3.connect(tmp_path / "served" / "cache" / "index.sqlite3")) as other:
            other.execute("DROP TABLE page")
        assert made.get("/simple/demo/").status == 200
        assert "is damaged (no such table: page); moved to index.sqlite3.damaged-" in made.log
