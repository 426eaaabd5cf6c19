"""Transfers that break, bring wrong bytes or are slow: a reader gets the right file or an error."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from indexfallback.config import Index
from indexfallback.errors import FileUnavailableError
from indexfallback.files.download import FileAddress
from indexfallback.upstream.answers import TransferError
from tests.conftest import MakeShim
from tests.fakes import FakeIndex, wheel
from tests.files.support import BIG, fetch, is_kept, key_of, streamed
from tests.serving import wait_until

DEMO = wheel("demo", size=BIG)
PATH = f"/files/{DEMO.filename}"
#: Longer than what is sent before the end of a transfer, so that readers are in its middle.
HALF = len(DEMO.data) // 2
#: Far above the deadlines here, and below the 20 s that an index may take for each byte, seconds.
ENDS = 15.0


def ranges(index: FakeIndex) -> list[str | None]:
    """Return the Range of each request for the file."""
    return [r.headers.get("Range") for r in index.requests if r.path == PATH]


def mirrored(mirror: FakeIndex, public: FakeIndex) -> tuple[Index, Index]:
    return (
        Index(name="mirror", url=mirror.url, role="mirror", mirror_of="pypi"),
        Index(name="pypi", url=public.url, role="public"),
    )


BROKEN: dict[str, Callable[[FakeIndex], object]] = {
    "closed": lambda index: index.cut(HALF, path=PATH, times=1),
    "reset": lambda index: index.cut(HALF, reset=True, path=PATH, times=1),
    "closed before the first byte": lambda index: index.cut(0, path=PATH, times=1),
    "no answer": lambda index: index.drop(path=PATH, times=1),
    "503": lambda index: index.fail(503, path=PATH, times=1),
    "chunked and cut": lambda index: (
        index.chunked(path=PATH, times=1),
        index.cut(HALF, path=PATH, times=1),
    ),
}


@pytest.mark.fault("incident: devpi #1107")
@pytest.mark.parametrize("how", BROKEN)
def test_a_break_is_mended_at_the_same_index(shim: MakeShim, how: str) -> None:
    with FakeIndex([DEMO]) as index:
        BROKEN[how](index)
        assert fetch(shim(index), DEMO) == DEMO.data
        assert index.count(PATH) == 2


def test_a_broken_transfer_goes_on_where_it_broke(shim: MakeShim) -> None:
    with FakeIndex([DEMO]) as index:
        index.cut(HALF, path=PATH, times=1)
        assert fetch(shim(index), DEMO) == DEMO.data
        assert ranges(index) == [None, f"bytes={HALF}-"]
        assert index.requests[-1].headers["If-Range"] == f'"{DEMO.sha256[:32]}"'


def test_a_transfer_that_breaks_again_and_again_goes_on_while_it_advances(shim: MakeShim) -> None:
    with FakeIndex([DEMO]) as index:
        index.cut(50_000, path=PATH)
        assert fetch(shim(index), DEMO) == DEMO.data
        assert ranges(index)[1:3] == ["bytes=50000-", "bytes=100000-"]


def test_an_index_without_ranges_is_read_again_from_its_start(shim: MakeShim) -> None:
    with FakeIndex([DEMO], ranges=False) as index:
        index.cut(HALF, path=PATH, times=1)
        assert fetch(shim(index), DEMO) == DEMO.data


def test_a_broken_transfer_goes_on_at_another_index_with_the_same_sha256(shim: MakeShim) -> None:
    with FakeIndex([DEMO], ranges=False) as mirror, FakeIndex([DEMO]) as public:
        mirror.cut(HALF, path=PATH)
        assert fetch(shim(*mirrored(mirror, public)), DEMO) == DEMO.data
        assert ranges(public) == [f"bytes={HALF}-"]


@pytest.mark.fault(33)
def test_a_broken_transfer_does_not_go_on_with_another_sha256(shim: MakeShim) -> None:
    other = wheel("demo", size=BIG, extra_files={"other.py": b""})
    with FakeIndex([DEMO], ranges=False) as mirror, FakeIndex([other]) as public:
        mirror.cut(HALF, path=PATH)
        with pytest.raises(FileUnavailableError):
            fetch(shim(*mirrored(mirror, public)), DEMO)
        assert public.count(PATH) == 0


@pytest.mark.fault(31)
def test_wrong_bytes_are_replaced_by_another_source_before_they_are_seen(shim: MakeShim) -> None:
    with FakeIndex([DEMO]) as mirror, FakeIndex([DEMO]) as public:
        mirror.corrupt(DEMO.filename)
        made = shim(*mirrored(mirror, public))
        assert fetch(made, DEMO) == DEMO.data
        wait_until(lambda: is_kept(made), 5, "the file was not kept")
        assert dict(made.store.blobs.verify()) == {DEMO.sha256: "right"}


@pytest.mark.fault(35)
def test_a_web_page_in_place_of_a_wheel_is_refused(shim: MakeShim) -> None:
    with FakeIndex([DEMO]) as index:
        index.answer(200, {"Content-Type": "text/html"}, b"<html>log in</html>", path=PATH)
        made = shim(index)
        with pytest.raises(FileUnavailableError, match="a web page where a file should be"):
            fetch(made, DEMO)
        assert made.store.blobs.records.count() == 0


FRAMED: dict[str, Callable[[FakeIndex], object]] = {
    "more announced than there is": lambda index: index.short(1000, path=PATH),
    "chunked": lambda index: index.chunked(path=PATH),
    "ended by the connection": lambda index: index.unframed(path=PATH),
    "gzip": lambda index: index.gzip(path=PATH),
    "called a web page": lambda index: index.header("Content-Type", "text/html", path=PATH),
    "a coding that it is not in": lambda index: (
        index.header("Content-Encoding", "x-gzip", path=PATH),
        index.header("Content-Length", None, path=PATH),
    ),
}


@pytest.mark.parametrize("how", FRAMED)
def test_a_right_file_arrives_however_it_is_framed(shim: MakeShim, how: str) -> None:
    with FakeIndex([DEMO]) as index:
        FRAMED[how](index)
        made = shim(index)
        assert fetch(made, DEMO) == DEMO.data
        wait_until(lambda: is_kept(made), 5, "the file was not kept")
        assert dict(made.store.blobs.verify()) == {DEMO.sha256: "right"}


LYING: dict[str, Callable[[FakeIndex], object]] = {
    "body longer than stated": lambda index: index.long(1000, path=PATH),
    "body cut short of what is stated": lambda index: index.cut(HALF, path=PATH),
    "cut without a length": lambda index: (
        index.unframed(path=PATH),
        index.cut(HALF, path=PATH),
    ),
}


@pytest.mark.fault("incident: artifact-keeper #1912")
@pytest.mark.parametrize("how", LYING)
def test_a_file_of_a_wrong_length_is_never_kept(shim: MakeShim, how: str) -> None:
    with FakeIndex([DEMO], ranges=False) as index:
        LYING[how](index)
        made = shim(index)
        with pytest.raises(FileUnavailableError):
            fetch(made, DEMO)
        assert made.store.blobs.records.count() == 0


@pytest.mark.parametrize("how", LYING)
def test_a_file_of_a_wrong_length_is_fetched_elsewhere(shim: MakeShim, how: str) -> None:
    with FakeIndex([DEMO]) as mirror, FakeIndex([DEMO]) as public:
        LYING[how](mirror)
        assert fetch(shim(*mirrored(mirror, public)), DEMO) == DEMO.data


@pytest.mark.parametrize("etag", [True, False], ids=["with ETag", "without ETag"])
def test_a_broken_file_without_hash_is_whole_in_the_end(shim: MakeShim, *, etag: bool) -> None:
    with FakeIndex() as index:
        index.add(DEMO, hashes={})
        if not etag:
            index.header("ETag", None, path=PATH)
        index.cut(HALF, path=PATH, times=1)
        assert fetch(shim(index), DEMO, hashed=False) == DEMO.data


@pytest.mark.parametrize("etag", [True, False], ids=["with ETag", "without ETag"])
def test_a_file_without_hash_is_not_put_together_of_two_versions(
    shim: MakeShim, *, etag: bool
) -> None:
    other = wheel("demo", size=BIG, extra_files={"demo.py": b'__version__ = "2.0"\n'})
    assert (other.filename, len(other.data)) == (DEMO.filename, len(DEMO.data))
    with FakeIndex() as index, ThreadPoolExecutor() as pool:
        index.add(DEMO, hashes={})
        if not etag:
            index.header("ETag", None, path=PATH)
        index.cut(HALF, path=PATH, times=1)
        hanging = index.hang(path=PATH, times=1)
        fetched = pool.submit(fetch, shim(index), DEMO, hashed=False)
        index.wait_for(PATH)
        index.add(other, hashes={})
        hanging.lift()
        assert fetched.result(60) == other.data


def test_a_hanging_source_gives_way_to_a_healthy_one_within_the_deadline(shim: MakeShim) -> None:
    with FakeIndex([DEMO]) as mirror, FakeIndex([DEMO]) as public:
        mirror.hang(path=PATH)
        made = shim(*mirrored(mirror, public), deadline=4.0)
        started = time.monotonic()
        assert fetch(made, DEMO) == DEMO.data
        assert time.monotonic() - started < ENDS


def test_when_all_sources_hang_the_answer_comes_within_the_deadline(shim: MakeShim) -> None:
    with FakeIndex([DEMO]) as mirror, FakeIndex([DEMO]) as public:
        mirror.hang(path=PATH)
        public.hang(path=PATH)
        made = shim(*mirrored(mirror, public), deadline=2.0)
        started = time.monotonic()
        with pytest.raises(FileUnavailableError):
            fetch(made, DEMO)
        assert time.monotonic() - started < ENDS


@pytest.mark.usefixtures("impatient")
def test_a_slow_file_is_answered_with_what_is_there(shim: MakeShim) -> None:
    with FakeIndex([DEMO]) as index:
        slow = index.drip(200_000, path=PATH)
        file = streamed(shim(index), DEMO)
        pieces = file.read(0, file.total or 0)
        first = next(pieces)
        assert DEMO.data.startswith(first)
        slow.lift()
        assert first + b"".join(pieces) == DEMO.data


@pytest.mark.usefixtures("impatient")
def test_the_last_piece_is_not_sent_before_the_whole_is_verified(shim: MakeShim) -> None:
    with FakeIndex([DEMO]) as index:
        slow = index.drip(200_000, path=PATH)
        index.corrupt(DEMO.filename)
        made = shim(index)
        file = streamed(made, DEMO)
        sent: list[bytes] = []
        slow.lift()
        with pytest.raises(TransferError, match="wrong bytes"):
            sent.extend(file.read(0, file.total or 0))
        assert len(b"".join(sent)) <= len(DEMO.data) - 65536
        assert not made.downloads.is_resumable(FileAddress("pypi", key_of(DEMO), DEMO.filename))
