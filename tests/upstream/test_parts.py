"""Parts of files: exactly the bytes that were asked for, or no bytes at all."""

import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from indexfallback.outcome import Kind
from indexfallback.page import File
from indexfallback.upstream.answers import Part, PartAnswer
from indexfallback.upstream.directory import DirectoryIndex
from tests.fakes import FakeIndex, wheel
from tests.serving import wait_until
from tests.upstream.conftest import OpenHttp, within

WHEEL = wheel("acme-app", size=20_000_000)
DATA, SIZE = WHEEL.data, len(WHEEL.data)
PATH = f"/files/{WHEEL.filename}"
TAIL = Part(-1000)


@pytest.fixture
def index(remote: FakeIndex) -> FakeIndex:
    remote.add(WHEEL)
    return remote


def listed(index: FakeIndex, size: int | None = None) -> File:
    return File(filename=WHEEL.filename, url=index.file_url(WHEEL.filename), size=size)


def ranges(index: FakeIndex) -> list[str]:
    return [request.headers["Range"] for request in index.requests]


@pytest.fixture
def ask(opened: OpenHttp, index: FakeIndex) -> Callable[..., PartAnswer]:
    def ask(wanted: Part, size: int | None = None, **values: float) -> PartAnswer:
        return opened(index, **values).part(listed(index, size), wanted, 5)

    return ask


@pytest.mark.parametrize(
    ("wanted", "start", "stop"),
    [
        (Part(0, 1), 0, 1),
        (Part(100, 300), 100, 300),
        (Part(SIZE - 10, SIZE + 10), SIZE - 10, SIZE),
        (Part(-10), SIZE - 10, SIZE),
    ],
)
def test_a_part_is_exactly_what_was_asked_for(
    index: FakeIndex, ask: Callable[..., PartAnswer], wanted: Part, start: int, stop: int
) -> None:
    answer = ask(wanted)
    assert answer.outcome.kind is Kind.FOUND
    assert answer.data == DATA[start:stop]
    assert answer.total == SIZE
    assert answer.etag == f'"{WHEEL.sha256[:32]}"'
    assert index.count() == 1
    assert index.requests[0].headers["Accept-Encoding"] == "identity"


def test_the_end_is_asked_for_by_its_position_where_the_size_is_known(
    index: FakeIndex, ask: Callable[..., PartAnswer]
) -> None:
    assert ask(TAIL, SIZE).data == DATA[-1000:]
    assert ranges(index) == [f"bytes={SIZE - 1000}-{SIZE - 1}"]


@pytest.mark.parametrize("size", [SIZE - 5000, SIZE - 1, SIZE + 1, SIZE + 5000, 10])
def test_a_wrong_size_on_the_page_costs_a_second_request(
    index: FakeIndex, ask: Callable[..., PartAnswer], size: int
) -> None:
    assert ask(TAIL, size).data == DATA[-1000:]
    assert index.count() == 2


@pytest.mark.parametrize("status", [400, 405, 416, 501])
def test_a_server_that_knows_no_ranges_from_the_end_is_asked_for_positions(
    index: FakeIndex, ask: Callable[..., PartAnswer], status: int
) -> None:
    index.refuse_suffixes(status)
    assert ask(TAIL).data == DATA[-1000:]
    assert ranges(index) == ["bytes=-1000", "bytes=0-0", f"bytes={SIZE - 1000}-{SIZE - 1}"]


def test_a_whole_body_is_ended_at_once(index: FakeIndex, ask: Callable[..., PartAnswer]) -> None:
    index.ranges = False
    answer = ask(TAIL, SIZE)
    assert answer.outcome.kind is Kind.NO_PARTS
    assert (answer.data, answer.total) == (None, SIZE)
    # The index notices; some MB may have left for the buffers of the system.
    wait_until(lambda: index.sent, 5, "the connection is still open")
    assert index.sent < SIZE / 2


@pytest.mark.parametrize("wanted", [Part(-(SIZE + 5)), Part(-SIZE), Part(0, SIZE)])
def test_a_whole_body_is_taken_where_all_of_it_was_wanted(
    index: FakeIndex, ask: Callable[..., PartAnswer], wanted: Part
) -> None:
    index.ranges = False
    assert ask(wanted).data == DATA


@pytest.mark.parametrize("by", [-1, 1, 5000])
@pytest.mark.parametrize("wanted", [Part(10_000, 20_000), TAIL])
def test_another_range_is_not_taken(
    index: FakeIndex, ask: Callable[..., PartAnswer], wanted: Part, by: int
) -> None:
    index.shift_ranges(by)
    answer = ask(wanted)
    assert answer.data is None
    assert answer.outcome.kind is Kind.NO_PARTS


def test_several_parts_are_not_taken(index: FakeIndex, ask: Callable[..., PartAnswer]) -> None:
    index.multipart_ranges()
    assert ask(Part(100, 300)).data is None


@pytest.mark.parametrize(
    "stated",
    [
        None, "", "bytes", "bytes 100-299", f"bytes 100-299/{SIZE - SIZE}", "bytes 100-299/*",
        f"bytes 299-100/{SIZE}", f"bytes */{SIZE}", f"items 100-299/{SIZE}", "bytes 100-299/-1",
        f"bytes 100-299/{'9' * 400}", "bytes a-b/c", "bytes 100-299/200",
    ],
)  # fmt: skip
def test_a_part_that_does_not_say_what_it_is_is_not_taken(
    index: FakeIndex, ask: Callable[..., PartAnswer], stated: str | None
) -> None:
    headers = {} if stated is None else {"Content-Range": stated}
    index.answer(206, headers, DATA[100:300])
    assert ask(Part(100, 300)).data is None


def test_a_body_longer_than_its_part_is_not_taken(
    index: FakeIndex, ask: Callable[..., PartAnswer]
) -> None:
    index.answer(206, {"Content-Range": f"bytes 100-299/{SIZE}"}, DATA[100:400])
    assert ask(Part(100, 300)).outcome.kind is Kind.FAILED


def test_a_part_in_a_coding_is_not_taken(index: FakeIndex, ask: Callable[..., PartAnswer]) -> None:
    index.header("Content-Encoding", "gzip")
    assert ask(Part(100, 300)).data is None


def test_a_web_page_is_no_part(index: FakeIndex, ask: Callable[..., PartAnswer]) -> None:
    index.answer(200, {"Content-Type": "text/html"}, b"<html>log in")
    assert ask(TAIL).outcome.kind is Kind.NOT_AN_INDEX


@pytest.mark.parametrize("how", ["cut", "short", "reset", "long", "chunked and cut"])
def test_a_part_that_ends_early_or_late_is_not_taken(
    index: FakeIndex, ask: Callable[..., PartAnswer], how: str
) -> None:
    if how.startswith("chunked"):
        index.chunked()
    if how in ("short", "long"):
        getattr(index, how)(5)
    else:
        index.cut(after=50, reset=how == "reset")
    answer = ask(Part(100, 300))
    assert answer.data is None
    assert answer.outcome.kind is Kind.FAILED


@pytest.mark.parametrize("status", [403, 404, 429, 503])
def test_a_file_that_is_not_given_is_an_outcome(
    index: FakeIndex, ask: Callable[..., PartAnswer], status: int
) -> None:
    index.fail(status)
    answer = ask(Part(100, 300))
    assert str(answer.outcome).startswith(str(status))
    assert answer.data is None


@pytest.mark.parametrize("how", ["hang", "drip_headers", "drip"])
def test_a_part_has_an_end_in_time(index: FakeIndex, opened: OpenHttp, how: str) -> None:
    index.hang() if how == "hang" else getattr(index, how)(20)
    begun = time.monotonic()
    answer = opened(index, read_timeout=0.5).part(listed(index), Part(0, 60_000), 0.3)
    assert answer.outcome.kind is Kind.UNREACHABLE
    assert time.monotonic() - begun < 15


@pytest.mark.parametrize("wanted", [Part(5, 50), Part(-50), Part(0, 10**6)])
def test_a_directory_gives_parts_of_its_files(
    directory: Callable[..., DirectoryIndex], wheels: Path, wanted: Part
) -> None:
    upstream = directory(wheels)
    page = upstream.page("acme-app", within(), None, None).page
    assert page is not None
    file = page.files[0]
    data = (wheels / file.filename).read_bytes()
    answer = upstream.part(file, wanted, 5)
    start, stop = wanted.of(len(data))
    assert (answer.data, answer.total) == (data[start:stop], len(data))
    (wheels / file.filename).unlink()
    assert upstream.part(file, wanted, 5).outcome.kind is Kind.ABSENT
    outside = msgspec.structs.replace(file, url=Path(__file__).as_uri())
    assert upstream.part(outside, wanted, 5).outcome.kind is Kind.ABSENT
