"""Pages and names by HTTP, within the limits."""

import gzip
import time
import tracemalloc

import pytest

from indexfallback.outcome import Kind
from indexfallback.upstream.http import HttpIndex
from tests.fakes import FakeIndex, wheel
from tests.fakes.pages import FORMATS, HTML_ONLY, Format
from tests.upstream.conftest import PAGE_SIZE, OpenHttp, misbehave, within

APP = "/simple/acme-app/"
HTML = {"Content-Type": "text/html"}


def kind(upstream: HttpIndex, seconds: float = 10.0) -> Kind:
    return upstream.page("acme-app", within(seconds), None, None).outcome.kind


# Pages and names.


def test_a_page_comes_with_its_validators(opened: OpenHttp, remote: FakeIndex) -> None:
    answer = opened(remote).page("acme-app", within(), None, None)
    assert answer.outcome.kind is Kind.FOUND
    assert str(answer.outcome) == "1 file"
    assert 0 < answer.outcome.elapsed < 10
    assert answer.page is not None
    assert answer.page.files[0].sha256 == wheel("acme-app").sha256
    assert answer.etag is not None
    assert answer.last_modified is not None


@pytest.mark.parametrize("formats", [HTML_ONLY, ("json",), FORMATS])
def test_either_format_is_read_and_json_is_preferred(
    opened: OpenHttp, formats: tuple[Format, ...]
) -> None:
    with FakeIndex([wheel("acme-app")], formats=formats) as index:
        upstream = opened(index)
        page = upstream.page("acme-app", within(), None, None).page
        assert page is not None
        assert (page.files[0].size is not None) == ("json" in formats)
        assert list(upstream.names(within()).names) == ["acme-app"]


def test_a_request_has_user_agent_and_accept_headers(opened: OpenHttp, remote: FakeIndex) -> None:
    assert kind(opened(remote)) is Kind.FOUND
    headers = remote.requests[0].headers
    assert headers["User-Agent"].startswith("indexfallback/")
    assert headers["Accept"].startswith("application/vnd.pypi.simple.v1+json, ")
    assert headers["Accept-Encoding"] == "gzip, deflate"
    assert "Authorization" not in headers
    assert "Cookie" not in headers


@pytest.mark.fault(43)
def test_cookies_are_not_kept_after_a_request(opened: OpenHttp, remote: FakeIndex) -> None:
    remote.header("Set-Cookie", "tracked=1; Path=/")
    upstream = opened(remote)
    assert [kind(upstream), kind(upstream)] == [Kind.FOUND, Kind.FOUND]
    assert "Cookie" not in remote.requests[-1].headers


def test_requests_one_after_the_other_use_one_connection(
    opened: OpenHttp, remote: FakeIndex
) -> None:
    upstream = opened(remote)
    for project in ("acme-app", "unknown", "acme-app"):
        upstream.page(project, within(), None, None)
    assert upstream.page("acme-app", within(), '"x"', None).outcome.kind is Kind.FOUND
    assert remote.connections == 1


def test_a_connection_that_the_index_has_closed_meanwhile_does_not_matter(
    opened: OpenHttp, remote: FakeIndex
) -> None:
    upstream = opened(remote)
    for _ in range(3):
        assert kind(upstream) is Kind.FOUND
        remote.drop_connections()


def test_the_validators_held_already_are_sent_the_better_one_only(
    opened: OpenHttp, remote: FakeIndex
) -> None:
    upstream = opened(remote)
    held = upstream.page("acme-app", within(), None, None)
    by_etag = upstream.page("acme-app", within(), held.etag, held.last_modified)
    by_date = upstream.page("acme-app", within(), None, held.last_modified)
    assert by_etag.outcome.kind is by_date.outcome.kind is Kind.NOT_MODIFIED
    assert (by_etag.page, by_date.page) == (None, None)
    first, second = (request.headers for request in remote.requests[1:])
    assert ("If-None-Match" in first, "If-Modified-Since" in first) == (True, False)
    assert "If-Modified-Since" in second


def test_the_counter_of_changes_is_read_from_its_header(opened: OpenHttp) -> None:
    with FakeIndex([wheel("acme-app")], formats=HTML_ONLY) as index:
        for sent, read in (("123", 123), ("9" * 5000, None), ("x", None)):
            with index.header("X-PyPI-Last-Serial", sent):
                page = opened(index).page("acme-app", within(), None, None).page
                assert page is not None
                assert page.serial == read


# Bounds.


@pytest.mark.fault(28)
def test_a_page_that_is_too_large_is_not_read_to_its_end(
    opened: OpenHttp, remote: FakeIndex
) -> None:
    remote.answer(200, HTML, b"<!-- " + b"x" * PAGE_SIZE * 300)
    answer = opened(remote).page("acme-app", within(), None, None)
    assert answer.outcome.kind is Kind.NOT_AN_INDEX
    assert f"more than {PAGE_SIZE} bytes (limits.page_size)" in answer.outcome.detail


@pytest.mark.fault(29)
@pytest.mark.parametrize("status", [200, 302, 404, 503])
def test_a_compressed_bomb_is_bounded_after_decompression(
    opened: OpenHttp, remote: FakeIndex, status: int
) -> None:
    bomb = gzip.compress(bytes(30_000_000))
    location = {"Location": remote.base + "/elsewhere/"} if status == 302 else {}
    remote.answer(status, {**HTML, **location, "Content-Encoding": "gzip"}, bomb, path="/simple/")
    upstream = opened(remote)
    upstream.page("acme-app", within(), None, None)  # what is made once
    tracemalloc.start()
    try:
        assert not upstream.page("acme-app", within(), None, None).outcome.is_page
        assert tracemalloc.get_traced_memory()[1] < 3_000_000
    finally:
        tracemalloc.stop()


def test_a_compressed_page_is_read(opened: OpenHttp, remote: FakeIndex) -> None:
    remote.gzip()
    assert kind(opened(remote)) is Kind.FOUND


def test_a_body_that_only_says_that_it_is_compressed_is_broken(
    opened: OpenHttp, remote: FakeIndex
) -> None:
    remote.header("Content-Encoding", "gzip")
    assert kind(opened(remote)) is Kind.FAILED


@pytest.mark.parametrize("how", ["drip", "drip_headers", "hang"])
def test_an_attempt_ends_with_its_limit(opened: OpenHttp, remote: FakeIndex, how: str) -> None:
    misbehave(remote, how)
    begun = time.monotonic()
    assert kind(opened(remote), 0.3) is Kind.UNREACHABLE
    assert opened(remote).names(within(0.3)).outcome.kind is Kind.UNREACHABLE
    assert time.monotonic() - begun < 15  # a read may take 20


def test_a_pause_between_bytes_is_bounded_by_the_read_timeout(
    opened: OpenHttp, remote: FakeIndex
) -> None:
    remote.drip(1)
    begun = time.monotonic()
    assert kind(opened(remote, read_timeout=0.2), 60.0) is Kind.UNREACHABLE
    assert time.monotonic() - begun < 15


# Redirects.


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_followed_and_links_are_relative_to_its_end(
    opened: OpenHttp, remote: FakeIndex, status: int
) -> None:
    with FakeIndex([wheel("acme-app")]) as target:
        remote.redirect(target.base + "{path}", status)
        page = opened(remote).page("acme-app", within(), None, None).page
        assert page is not None
        assert page.files[0].url.startswith(target.base)


@pytest.mark.fault(42)
def test_five_redirects_are_followed_and_a_sixth_is_not(
    opened: OpenHttp, remote: FakeIndex
) -> None:
    upstream = opened(remote)
    remote.redirect("{path}", times=5)
    assert kind(upstream) is Kind.FOUND
    remote.redirect("{path}", times=6)
    remote.clear()
    answer = upstream.page("acme-app", within(), None, None)
    assert answer.outcome.kind is Kind.NOT_AN_INDEX
    assert "more than 5 redirects" in answer.outcome.detail
    assert len(remote.requests) == 6


@pytest.mark.fault(23)
@pytest.mark.parametrize(
    "to",
    [
        "file:///etc/passwd",
        "ftp://packages.example.com/",
        "javascript:alert(1)",
        "http://[/",
        "http://127.0.0.1:99999999/",
        "//user:secret@[/",
    ],
)
def test_a_redirect_to_something_else_than_an_index_is_refused(
    opened: OpenHttp, remote: FakeIndex, to: str
) -> None:
    remote.redirect(to)
    outcome = opened(remote).page("acme-app", within(), None, None).outcome
    assert outcome.kind is Kind.NOT_AN_INDEX
    assert "redirect" in outcome.detail
    assert "secret" not in outcome.detail


def test_a_redirect_without_an_address_is_a_failure(opened: OpenHttp, remote: FakeIndex) -> None:
    remote.answer(302)
    assert kind(opened(remote)) is Kind.FAILED
