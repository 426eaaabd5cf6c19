"""Files that are not held: HEAD and ranges are answered without a transfer of the whole."""

import hashlib
from collections.abc import Iterator
from typing import NamedTuple

import pytest

from tests.fakes import Dist, FakeIndex, Rule, wheel
from tests.fakes.pages import HTML_ONLY
from tests.serving import Served, config_text, index_table, serving

SIZE = 5_000_000


class Shop(NamedTuple):
    """A shim before one index with a new wheel for each test."""

    shim: Served
    pypi: FakeIndex
    wheel: Dist

    @property
    def size(self) -> int:
        return len(self.wheel.data)

    @property
    def path(self) -> str:
        return f"/files/pypi/{self.wheel.project}.{self.wheel.sha256}/{self.wheel.filename}"

    @property
    def ranges(self) -> list[str]:
        """What the index was asked for of the wheel; ``whole`` is all of it."""
        path = f"/files/{self.wheel.filename}"
        requests = [request for request in self.pypi.requests if request.path == path]
        return [request.headers.get("Range", "whole") for request in requests]


@pytest.fixture(scope="module")
def serve(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Served, FakeIndex]]:
    with FakeIndex(metadata=False) as index:
        text = config_text(index_table("pypi", index.url), limits={"deadline": "5 s"})
        with serving(tmp_path_factory.mktemp("unheld"), text) as shim:
            yield shim, index


@pytest.fixture
def shop(serve: tuple[Served, FakeIndex], request: pytest.FixtureRequest) -> Iterator[Shop]:
    shim, index = serve
    name = "w" + hashlib.md5(request.node.name.encode()).hexdigest()
    made = wheel(name, size=SIZE)
    index.add(made)
    yield Shop(shim, index, made)
    index.lift()
    index.clear()
    index.ranges, index.formats = True, ("html", "json")


@pytest.mark.fault(72)
def test_head_is_answered_from_the_page(shop: Shop) -> None:
    head = shop.shim.get(shop.path, method="HEAD")
    assert (head.status, head.body) == (200, b"")
    assert int(head.headers["Content-Length"]) == shop.size
    assert head.headers["ETag"] == f'"{shop.wheel.sha256}"'
    assert head.headers["Accept-Ranges"] == "bytes"
    assert shop.ranges == []


@pytest.mark.parametrize("ranges", [True, False])
def test_head_asks_for_one_byte_where_the_page_states_no_size(shop: Shop, ranges: bool) -> None:
    shop.pypi.formats, shop.pypi.ranges = HTML_ONLY, ranges
    head = shop.shim.get(shop.path, method="HEAD")
    assert int(head.headers["Content-Length"]) == shop.size
    assert shop.ranges == ["bytes=0-0"]


@pytest.mark.fault(72)
@pytest.mark.parametrize(
    ("asked", "start", "stop", "sent"),
    [
        ("bytes=0-99", 0, 100, "bytes=0-99"),
        ("bytes=1000-9999", 1000, 10_000, "bytes=1000-9999"),
        ("bytes=-1000", -1000, None, "suffix"),
        (f"bytes=4900000-{SIZE + 10**6}", 4_900_000, None, f"bytes=4900000-{SIZE + 10**6}"),
    ],
)
def test_a_range_is_passed_through(
    shop: Shop, asked: str, start: int, stop: int | None, sent: str
) -> None:
    for _ in range(2):
        answer = shop.shim.get(shop.path, {"Range": asked})
        assert answer.status == 206
        assert answer.body == shop.wheel.data[start:stop]
        first, last, _ = slice(start, stop).indices(shop.size)
        assert answer.headers["Content-Range"] == f"bytes {first}-{last - 1}/{shop.size}"
        assert answer.headers["Content-Length"] == str(last - first)
        assert answer.headers["ETag"] == f'"{shop.wheel.sha256}"'
    expected = f"bytes={shop.size - 1000}-{shop.size - 1}" if sent == "suffix" else sent
    assert shop.ranges == [expected] * 2


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Range": "bytes=1000-"},
        {"Range": "bytes=0-"},
        {"Range": f"bytes=0-{SIZE - 10}"},
        {"Range": "bytes=10-20", "If-Range": '"another"'},
    ],
    ids=str,
)
def test_a_client_that_wants_more_than_a_part_gets_the_file_fetched(
    shop: Shop, headers: dict[str, str]
) -> None:
    answer = shop.shim.get(shop.path, headers)
    assert answer.body in (shop.wheel.data, shop.wheel.data[1000:], shop.wheel.data[: SIZE - 9])
    assert shop.ranges == ["whole"]


def test_a_range_of_the_same_content_is_passed_through(shop: Shop) -> None:
    if_range = f'"{shop.wheel.sha256}"'
    answer = shop.shim.get(shop.path, {"Range": "bytes=10-19", "If-Range": if_range})
    assert (answer.status, answer.body) == (206, shop.wheel.data[10:20])
    assert shop.ranges == ["bytes=10-19"]


def test_a_file_that_is_held_answers_by_itself(shop: Shop) -> None:
    assert shop.shim.get(shop.path).body == shop.wheel.data
    assert shop.shim.get(shop.path, {"Range": "bytes=10-19"}).body == shop.wheel.data[10:20]
    assert shop.shim.get(shop.path, method="HEAD").status == 200
    assert shop.ranges == ["whole"]


def test_a_range_of_an_index_that_gives_none_costs_the_whole_file_once(shop: Shop) -> None:
    shop.pypi.ranges = False
    for _ in range(2):
        answer = shop.shim.get(shop.path, {"Range": "bytes=0-99"})
        assert (answer.status, answer.body) == (206, shop.wheel.data[:100])
    assert shop.ranges == ["bytes=0-99", "whole"]


@pytest.mark.parametrize("asked", [f"bytes={SIZE * 2}-{SIZE * 3}", "bytes=-0"])
def test_a_range_behind_the_end_is_a_416(shop: Shop, asked: str) -> None:
    answer = shop.shim.get(shop.path, {"Range": asked})
    assert answer.problem["status"] == 416
    assert answer.headers["Content-Range"] == f"bytes */{shop.size}"


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize(("status", "answered"), [(404, 404), (503, 503), (401, 503)])
def test_a_file_that_cannot_be_had_is_an_error_as_ever(
    shop: Shop, method: str, status: int, answered: int
) -> None:
    shop.pypi.formats = HTML_ONLY
    shop.pypi.fail(status, path="/files/")
    answer = shop.shim.get(shop.path, {"Range": "bytes=0-99"}, method=method)
    assert answer.status == answered
    assert "whole" not in shop.ranges


def test_a_file_that_is_not_listed_is_missing(shop: Shop) -> None:
    path = shop.path.replace("-1.0-", "-2.0-")
    assert shop.shim.get(path, method="HEAD").status == 404


def test_an_address_that_has_expired_is_renewed(shop: Shop) -> None:
    url = f"{shop.pypi.base}/files/{shop.wheel.filename}"
    shop.pypi.add(shop.wheel, url=f"{url}?token=old")
    shop.shim.get(f"/simple/{shop.wheel.project}/")
    shop.pypi.add(shop.wheel, url=f"{url}?token=new")
    rule: Rule = shop.pypi.fail(403, path=f"/files/{shop.wheel.filename}", times=1)
    with rule:
        answer = shop.shim.get(shop.path, {"Range": "bytes=0-99"})
    assert (answer.status, answer.body) == (206, shop.wheel.data[:100])
    assert shop.ranges == ["bytes=0-99"] * 2


def test_a_slow_index_has_an_end(shop: Shop) -> None:
    shop.pypi.hang(path="/files/")
    answer = shop.shim.get(shop.path, {"Range": "bytes=0-99"})
    assert answer.status == 503
    assert "whole" not in shop.ranges
