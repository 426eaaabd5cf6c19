"""Scans of a directory: subdirectories, changes, and entries that are left out."""

import os
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from indexfallback.outcome import Kind
from indexfallback.upstream.scan import DirectoryListing, scan
from tests.fakes import Dist, flat_directory, wheel
from tests.serving import wait_until
from tests.upstream.conftest import within
from tests.upstream.directories import (
    NEWER,
    SDIST,
    SECONDS,
    WHEEL,
    Open,
    filenames,
    page,
    skipped,
)


def settle(path: Path) -> None:
    """Make a directory look as if it had not been changed for a minute."""
    then = time.time() - 60
    os.utime(path, (then, then))


# Any depth, every format.


@pytest.mark.parametrize("folder", ["", "acme-app", "releases/2024/acme"])
def test_a_file_is_found_at_any_depth(directory: Open, tmp_path: Path, folder: str) -> None:
    flat_directory(tmp_path / "w" / folder, [WHEEL])
    index = directory(tmp_path / "w")
    found = page(index).file(WHEEL.filename)
    assert found is not None
    assert found.url == (tmp_path / "w" / folder / WHEEL.filename).as_uri()
    assert index.names(within()).names == ("acme-app",)


def test_files_of_a_project_may_lie_in_several_directories(directory: Open, tmp_path: Path) -> None:
    flat_directory(tmp_path / "w" / "old", [WHEEL])
    flat_directory(tmp_path / "w" / "new", [NEWER])
    assert set(filenames(directory(tmp_path / "w"))) == {WHEEL.filename, NEWER.filename}


@pytest.mark.parametrize(
    "filename",
    [
        "zope.event-4.0.tar.gz",
        "zope.event-4.0.zip",
        "zope.event-4.0.tar.bz2",
        "zope.event-4.0.tgz",
        "zope.event-4.0-py2.7.egg",
        "zope_event-4.0-py3.8-linux-x86_64.egg",
        "zope_event-4.0-py3-none-any.whl",
    ],
)
def test_every_format_is_listed(directory: Open, tmp_path: Path, filename: str) -> None:
    flat_directory(tmp_path / "w", [Dist("zope.event", "4.0", filename, b"any", b"")])
    index = directory(tmp_path / "w")
    assert filenames(index, "zope-event") == [filename]
    assert index.names(within()).names == ("zope-event",)


def test_hidden_directories_are_ignored(directory: Open, tmp_path: Path) -> None:
    flat_directory(tmp_path / "w" / ".snapshot", [WHEEL])
    assert directory(tmp_path / "w").names(within()).names == ()


def test_of_two_files_of_one_name_the_upper_one_is_offered(directory: Open, tmp_path: Path) -> None:
    flat_directory(tmp_path / "w" / "b", [WHEEL])
    flat_directory(tmp_path / "w", [WHEEL])
    index = directory(tmp_path / "w")
    assert filenames(index) == [WHEEL.filename]
    assert skipped(index) == {f"b/{WHEEL.filename}": f"the same name as {WHEEL.filename}"}


def test_nothing_is_written_into_it(directory: Open, wheels: Path) -> None:
    before = {path: path.stat() for path in (wheels, *wheels.iterdir())}
    page(directory(wheels))
    after = {path: path.stat() for path in (wheels, *wheels.iterdir())}
    times = [(path, status.st_mtime_ns, status.st_ctime_ns) for path, status in before.items()]
    assert times == [(path, s.st_mtime_ns, s.st_ctime_ns) for path, s in after.items()]


# Changes.


@pytest.mark.parametrize("is_settled", [True, False])
@pytest.mark.parametrize("folder", ["", "deeper"])
def test_a_change_is_seen_soon(
    directory: Open, wheels: Path, is_settled: bool, folder: str
) -> None:
    index = directory(wheels)
    (wheels / folder).mkdir(exist_ok=True)
    newer, renamed = wheels / folder / NEWER.filename, wheels / folder / "acme_app-3.0.tar.gz"
    change: list[Callable[[], object]] = [
        lambda: flat_directory(wheels / folder, [NEWER]),
        (wheels / WHEEL.filename).unlink,
        lambda: (wheels / SDIST.filename).rename(renamed),
    ]
    expected = [
        {WHEEL.filename, SDIST.filename, newer.name},
        {SDIST.filename, newer.name},
        {renamed.name, newer.name},
    ]
    for act, names in zip(change, expected, strict=True):
        if is_settled:
            settle(wheels)
        page(index)
        act()
        wait_until(lambda names=names: set(filenames(index)) == names, SECONDS, f"not {names}")  # type: ignore[misc]


def test_a_change_within_one_tick_of_a_coarse_clock_is_seen(directory: Open, wheels: Path) -> None:
    index = directory(wheels)
    tick = int(time.time()) * 10**9
    os.utime(wheels, ns=(tick, tick))
    page(index)
    flat_directory(wheels, [NEWER])
    os.utime(wheels, ns=(tick, tick))
    assert len(filenames(index)) == 3


def test_a_scan_of_an_unchanged_directory_returns_the_same_listing(wheels: Path) -> None:
    settle(wheels)
    listing = scan(wheels)
    assert scan(wheels, listing) is listing
    flat_directory(wheels, [NEWER])
    assert scan(wheels, listing) is not listing


def test_a_file_that_is_replaced_is_read_again(directory: Open, wheels: Path) -> None:
    index = directory(wheels)
    page(index)
    other = wheel("acme-app", "1.0", requires_python=">=3.12", size=10)
    (wheels / WHEEL.filename).write_bytes(other.data)  # the directory itself does not change

    def is_seen() -> bool:
        found = page(index).file(WHEEL.filename)
        return found is not None and found.sha256 == other.sha256

    wait_until(is_seen, SECONDS, "the replaced file is not seen")


# What is no file of the directory.


@pytest.mark.fault(75)
@pytest.mark.skipif(os.name != "posix", reason="needs symbolic links and pipes")
def test_links_out_of_the_directory_and_pipes_are_skipped_with_a_reason(
    directory: Open, wheels: Path, tmp_path: Path
) -> None:
    outside = flat_directory(tmp_path / "outside", [NEWER])
    (wheels / NEWER.filename).symlink_to(outside / NEWER.filename)
    (wheels / "acme_app-3.0-py3-none-any.whl").symlink_to("gone.whl")
    (wheels / "acme_app-7.0-py3-none-any.whl").mkdir()
    (wheels / "others").symlink_to(outside)
    os.mkfifo(wheels / "acme_app-9.0-py3-none-any.whl")
    (wheels / "acme_app.whl").write_bytes(b"")
    index = directory(wheels)
    assert set(filenames(index)) == {WHEEL.filename, SDIST.filename}
    assert skipped(index) == {
        NEWER.filename: "a symbolic link out of the directory",
        "others": "a symbolic link out of the directory",
        "acme_app-3.0-py3-none-any.whl": "a symbolic link to no file",
        "acme_app-7.0-py3-none-any.whl": "a directory",
        "acme_app-9.0-py3-none-any.whl": "a pipe",
        "acme_app.whl": "no project and version in its name",
    }


@pytest.mark.skipif(os.name != "posix", reason="needs symbolic links")
def test_a_link_inside_the_directory_is_a_file_of_it(directory: Open, wheels: Path) -> None:
    flat_directory(wheels / "pool", [NEWER])
    (wheels / "pool" / NEWER.filename).rename(wheels / "pool" / "7f3a")
    (wheels / NEWER.filename).symlink_to("pool/7f3a")
    (wheels / "loop").symlink_to(".")
    assert NEWER.filename in filenames(directory(wheels))


@pytest.mark.skipif(os.name != "posix", reason="needs symbolic links")
def test_a_file_that_becomes_a_link_out_of_the_directory_is_not_read(
    directory: Open, wheels: Path, tmp_path: Path
) -> None:
    index = directory(wheels)
    listed = page(index).file(WHEEL.filename)
    assert listed is not None
    (tmp_path / "secret").write_bytes(b"secret")
    (wheels / WHEEL.filename).unlink()
    (wheels / WHEEL.filename).symlink_to(tmp_path / "secret")
    assert index.open(listed, 0, None, 5).outcome.kind is Kind.ABSENT


@contextmanager
def as_nobody() -> Iterator[None]:
    """Give up root's right to read everything for a moment."""
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)


@pytest.mark.skipif(os.name != "posix", reason="needs the rights of POSIX")
def test_an_unreadable_entry_is_skipped_with_a_reason(directory: Open) -> None:
    with tempfile.TemporaryDirectory() as made:
        public = Path(made)
        public.chmod(0o755)
        flat_directory(public, [WHEEL, NEWER])
        flat_directory(public / "shut", [wheel("idna")]).chmod(0)
        (public / NEWER.filename).chmod(0)
        index = directory(public)
        with as_nobody():
            assert filenames(index) == [WHEEL.filename]
            assert index.names(within()).names == ("acme-app",)
            assert skipped(index)[NEWER.filename] == "cannot be read"
        (public / NEWER.filename).chmod(0o644)
        (public / "shut").chmod(0o755)
        with as_nobody():
            # A look that took long is not repeated at once.
            names = ("acme-app", "idna")
            wait_until(lambda: index.names(within()).names == names, SECONDS, "idna is not listed")
            assert set(filenames(index)) == {WHEEL.filename, NEWER.filename}


@pytest.mark.skipif(os.name != "posix", reason="needs the rights of POSIX")
def test_an_unreadable_entry_has_its_reason() -> None:
    with tempfile.TemporaryDirectory() as made:
        Path(made).chmod(0o755)
        (Path(made) / "shut").mkdir(mode=0)
        with as_nobody():
            (reason,) = scan(Path(made)).skipped
    assert reason == ("shut", "cannot be read: Permission denied")


@pytest.mark.skipif(os.name != "posix", reason="elsewhere names are no bytes")
def test_a_name_that_is_no_text_is_shown_escaped(directory: Open, wheels: Path) -> None:
    (wheels / os.fsdecode(b"a\xff\x1b[31m.whl")).write_bytes(b"")
    reasons = skipped(directory(wheels))
    assert list(reasons) == [r"a\udcff\x1b[31m.whl"]


def test_concurrent_requests_share_one_scan(directory: Open, wheels: Path) -> None:
    index = directory(wheels)
    listings = set()
    barrier = threading.Barrier(8)

    def ask() -> None:
        barrier.wait()
        page(index)
        assert index._scan is not None
        listings.add(id(index._scan.listing))

    settle(wheels)
    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(listings) == 1


def test_after_a_change_that_is_known_no_look_from_before_is_an_answer(
    directory: Open, wheels: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = directory(wheels)
    before = filenames(index)
    looking, go_on = threading.Event(), threading.Event()

    def scan_slowly(*arguments: Any) -> DirectoryListing:
        listing = scan(*arguments)
        looking.set()
        go_on.wait(SECONDS)
        return listing

    monkeypatch.setattr("indexfallback.upstream.directory.scan", scan_slowly)
    other = threading.Thread(target=filenames, args=(index,))
    other.start()
    looking.wait(SECONDS)
    flat_directory(wheels, [NEWER])
    assert filenames(index) == before
    index.invalidate()
    assert index.page("acme-app", within(0.05), None, None).outcome.kind is Kind.UNREACHABLE
    go_on.set()
    other.join()
    assert NEWER.filename in filenames(index)


@pytest.mark.skipif(os.name != "posix", reason="needs symbolic links")
def test_a_link_to_the_directory_may_be_switched(directory: Open, tmp_path: Path) -> None:
    for name, dist in (("v1", WHEEL), ("v2", NEWER)):
        settle(flat_directory(tmp_path / name, [dist]))
    current = tmp_path / "current"
    current.symlink_to("v1")
    index = directory(current)
    assert filenames(index) == [WHEEL.filename]
    current.unlink()
    current.symlink_to("v2")
    assert filenames(index) == [NEWER.filename]
