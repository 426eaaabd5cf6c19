"""A disk that is full in the middle, a process that is killed, and two at once."""

import signal
import sqlite3
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from indexfallback.store import Store
from tests.carry.support import CHAIN, LIMIT, PYPI, file_of, keep_file, keep_page, read, write
from tests.cli.support import CommandLine
from tests.fakes import wheel
from tests.serving import fill, index_table, wait_until

#: Of 100 KB each: more than a file system of 1 MB takes.
MANY = [wheel("padded", f"1.{number}", size=100_000) for number in range(20)]


@pytest.fixture
def large(full: Store) -> Store:
    """A store with 2 MB of files."""
    keep_page(full, PYPI, "padded", *map(file_of, MANY))
    for dist in MANY:
        keep_file(full, PYPI, dist)
    return full


def test_a_disk_that_gets_full_keeps_the_archive_that_was_there(
    full: Store, large: Store, empty: Store, mount: Callable[..., Path]
) -> None:
    stick = mount()
    write(full, stick / "packages.tar", "acme-*")
    before = (stick / "packages.tar").read_bytes()
    with pytest.raises(OSError, match="No space left"):
        write(large, stick / "packages.tar")
    assert [path.name for path in stick.iterdir()] == ["packages.tar"]
    assert (stick / "packages.tar").read_bytes() == before
    assert read(empty, stick / "packages.tar").files == 1


def test_a_cache_that_gets_full_has_no_page_and_no_half_of_a_file_and_goes_on_later(
    large: Store, tmp_path: Path, mount: Callable[..., Path]
) -> None:
    archive, disk = tmp_path / "packages.tar", mount("size=3m")
    write(large, archive)
    store = Store(disk / "cache", LIMIT)
    (disk / "half").write_bytes(bytes(1_500_000))
    with pytest.raises((OSError, sqlite3.Error)):
        read(store, archive)
    assert store.pages.count() == 0
    assert list(store.blobs.partials.directory.iterdir()) == []
    kept = dict(store.blobs.verify())
    assert set(kept.values()) <= {"right", "adopted"}
    assert 0 < len(kept) < 22
    (disk / "half").unlink()
    imported = read(store, archive)
    assert imported.held >= len(kept) - 1
    assert imported.held + imported.files == 22
    assert store.pages.count() == 3
    store.close()


def test_two_imports_at_once_both_end_well(
    large: Store, tmp_path: Path, new_store: Callable[..., Store]
) -> None:
    archive = tmp_path / "packages.tar"
    write(large, archive)
    stores = [new_store("shared"), new_store("shared")]
    done: list[object] = []
    threads = [
        threading.Thread(target=lambda store=store: done.append(read(store, archive)))
        for store in stores
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(done) == 2
    assert set(dict(stores[0].blobs.verify()).values()) == {"right"}
    assert (stores[0].blobs.records.count(), stores[0].pages.count()) == (22, 3)


@pytest.mark.parametrize("after", [1, 5, 15])
def test_an_import_that_is_killed_is_gone_on_with(
    large: Store, cli: CommandLine, tmp_path: Path, after: int
) -> None:
    archive = tmp_path / "packages.tar"
    write(large, archive)
    cli.configure(*(index_table(index.name, index.url, role=index.role) for index in CHAIN))
    command = cli.arguments("cache", "import", str(archive))
    process = subprocess.Popen(command, env=cli.environment())
    partial = cli.cache / "partial"

    def is_under_way() -> bool:
        return len(list(partial.glob("*"))) >= after or process.poll() is not None

    wait_until(is_under_way, 60, "it keeps nothing")
    process.send_signal(signal.SIGKILL)
    process.wait(60)
    cli("cache", "import", str(archive)).expect()
    report = cli("cache", "info", "--json").expect().json
    assert (report["files"], report["pages"]) == (22, 3)
    cli("cache", "verify").expect()


def test_a_full_disk_is_said_in_one_line(
    large: Store, cli: CommandLine, mount: Callable[..., Path], tmp_path: Path
) -> None:
    stick = mount()
    cli.configure(*(index_table(index.name, index.url, role=index.role) for index in CHAIN))
    write(large, tmp_path / "packages.tar")
    cli("cache", "import", str(tmp_path / "packages.tar")).expect()
    fill(stick)
    done = cli("cache", "export", str(stick / "packages.tar")).expect(1)
    assert "No space left on device" in done.err
    assert len(done.err.splitlines()) == 1
