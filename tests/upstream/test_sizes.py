"""The size of a file that is not fetched."""

import pytest

from indexfallback.outcome import Kind
from indexfallback.page import File
from tests.fakes import FakeIndex, wheel
from tests.upstream.conftest import OpenHttp, basic

APP = wheel("acme-app")
PATH = f"/files/{APP.filename}"


def listed(of: FakeIndex, **values: object) -> File:
    return File(filename=APP.filename, url=of.file_url(APP.filename), **values)  # type: ignore[arg-type]


def test_it_is_asked_for_by_head_on_the_same_connection(
    opened: OpenHttp, remote: FakeIndex
) -> None:
    upstream = opened(remote)
    for _ in range(3):
        assert upstream.size(listed(remote), 5).size == len(APP.data)
    assert [request.method for request in remote.requests] == ["HEAD"] * 3
    assert remote.requests[0].headers["Accept-Encoding"] == "identity"
    assert (remote.connections, remote.sent) == (1, 0)


def test_redirects_are_followed_by_head(opened: OpenHttp, remote: FakeIndex) -> None:
    with FakeIndex([APP]) as elsewhere:
        remote.redirect(elsewhere.base + "{path}")
        assert opened(remote).size(listed(remote), 5).size == len(APP.data)
        assert elsewhere.count(method="HEAD") == 1


def test_the_login_of_the_index_is_sent(opened: OpenHttp) -> None:
    with FakeIndex([APP], username="ci", password="s3cret") as index:
        upstream = opened(index, username="ci", password="s3cret")
        assert upstream.size(listed(index), 5).size == len(APP.data)
        assert index.requests[-1].headers["Authorization"] == basic("ci", "s3cret")


@pytest.mark.parametrize(
    "header",
    [
        ("Content-Encoding", "gzip"),
        ("Content-Length", "0"),
        ("Content-Length", "x"),
        ("Content-Type", "text/html"),
    ],
)
def test_a_length_that_is_not_that_of_the_file_is_none(
    header: tuple[str, str], opened: OpenHttp, remote: FakeIndex
) -> None:
    remote.answer(200, {"Content-Length": "7", **dict([header])}, path=PATH)
    answer = opened(remote).size(listed(remote), 5)
    assert (answer.outcome.kind, answer.size) == (Kind.FOUND, None)


def test_a_file_with_a_hash_may_be_labelled_as_a_web_page(
    opened: OpenHttp, remote: FakeIndex
) -> None:
    remote.header("Content-Type", "text/html", path=PATH)
    file = listed(remote, hashes={"sha256": APP.sha256})
    assert opened(remote).size(file, 5).size == len(APP.data)


@pytest.mark.parametrize(
    ("status", "kind"), [(404, Kind.ABSENT), (403, Kind.REFUSED), (503, Kind.FAILED)]
)
def test_the_length_of_an_error_is_no_size(
    status: int, kind: Kind, opened: OpenHttp, remote: FakeIndex
) -> None:
    remote.fail(status, path=PATH)
    answer = opened(remote).size(listed(remote), 5)
    assert (answer.outcome.kind, answer.size) == (kind, None)


def test_without_a_connection_there_is_no_size(opened: OpenHttp, remote: FakeIndex) -> None:
    file = listed(remote)
    remote.stop_listening()
    answer = opened(remote).size(file, 5)
    assert (answer.outcome.kind, answer.size) == (Kind.CLOSED, None)
