"""Files by HTTP: complete, from an offset, and interrupted."""

import gzip
import time

import msgspec
import pytest

from indexfallback.outcome import Kind
from indexfallback.page import File
from indexfallback.upstream.answers import Body, TransferError
from tests.fakes import FakeIndex, wheel
from tests.upstream.conftest import OpenHttp, misbehave

HTML = {"Content-Type": "text/html"}


def listed(of: FakeIndex) -> File:
    filename = wheel("acme-app").filename
    return File(filename=filename, url=of.file_url(filename))


def content(body: Body | None) -> bytes:
    assert body is not None
    data = b"".join(iter(body.read, b""))
    body.close()
    return data


def test_a_file_is_read_completely_or_from_an_offset(opened: OpenHttp, remote: FakeIndex) -> None:
    data = wheel("acme-app").data
    upstream = opened(remote)
    whole = upstream.open(listed(remote), 0, None, 5)
    assert whole.body is not None
    assert (whole.body.start, whole.body.total) == (0, len(data))
    etag = whole.body.etag
    assert etag is not None
    assert content(whole.body) == data
    rest = upstream.open(listed(remote), 100, etag, 5)
    assert rest.body is not None
    assert (rest.body.start, rest.body.total) == (100, len(data))
    assert content(rest.body) == data[100:]
    assert remote.requests[-1].headers["If-Range"] == etag


def test_a_changed_file_is_sent_completely(opened: OpenHttp, remote: FakeIndex) -> None:
    body = opened(remote).open(listed(remote), 100, '"another"', 5).body
    assert body is not None
    assert body.start == 0
    assert content(body) == wheel("acme-app").data


def test_a_file_in_a_coding_comes_as_on_the_wire_and_says_so(
    opened: OpenHttp, remote: FakeIndex
) -> None:
    remote.gzip()
    body = opened(remote).open(listed(remote), 0, None, 5).body
    assert body is not None
    assert (body.total, body.coding) == (None, "gzip")
    assert gzip.decompress(content(body)) == wheel("acme-app").data
    assert remote.requests[0].headers["Accept-Encoding"] == "identity"


def test_a_weak_etag_is_not_taken_for_the_bytes(opened: OpenHttp, remote: FakeIndex) -> None:
    remote.header("ETag", 'W/"x"')
    body = opened(remote).open(listed(remote), 0, None, 5).body
    assert body is not None
    assert body.etag is None
    body.close()


@pytest.mark.fault(35)
def test_a_web_page_is_no_distribution(opened: OpenHttp, remote: FakeIndex) -> None:
    remote.answer(200, HTML, b"<html>log in</html>")
    assert opened(remote).open(listed(remote), 0, None, 5).outcome.kind is Kind.NOT_AN_INDEX


@pytest.mark.fault(35)
def test_a_file_that_a_hash_names_is_taken_whatever_it_calls_itself(
    opened: OpenHttp, remote: FakeIndex
) -> None:
    remote.header("Content-Type", "text/html; charset=utf-8")
    file = msgspec.structs.replace(listed(remote), hashes={"md5": "0" * 32})
    body = opened(remote).open(file, 0, None, 5).body
    assert body is not None
    # No answer may begin before the hash is known to be right.
    assert (body.is_web_page, body.total) == (True, None)
    assert content(body) == wheel("acme-app").data


@pytest.mark.parametrize(("fault", "has_end"), [("chunked", True), ("unframed", False)])
def test_a_body_without_a_length_may_show_its_end(
    opened: OpenHttp, remote: FakeIndex, fault: str, has_end: bool
) -> None:
    getattr(remote, fault)()
    body = opened(remote).open(listed(remote), 0, None, 5).body
    assert body is not None
    assert body.has_end is has_end
    body.close()


@pytest.mark.parametrize("status", [404, 403, 429, 503])
def test_a_file_that_is_not_given_is_an_outcome(
    opened: OpenHttp, remote: FakeIndex, status: int
) -> None:
    remote.fail(status)
    answer = opened(remote).open(listed(remote), 0, None, 5)
    assert answer.body is None
    assert str(answer.outcome).startswith(str(status))


@pytest.mark.parametrize("break_off", ["cut", "reset", "chunks"])
def test_a_file_that_breaks_off_says_so(
    opened: OpenHttp, remote: FakeIndex, break_off: str
) -> None:
    if break_off == "chunks":
        remote.chunked()
    remote.cut(after=50, reset=break_off == "reset")
    body = opened(remote).open(listed(remote), 0, None, 5).body
    with pytest.raises(TransferError) as error:
        content(body)
    assert error.value.outcome.kind is Kind.FAILED


def test_between_a_files_bytes_the_read_timeout_holds(opened: OpenHttp, remote: FakeIndex) -> None:
    remote.drip(0.1)
    body = opened(remote, read_timeout=2.0).open(listed(remote), 0, None, 5).body
    with pytest.raises(TransferError) as error:
        content(body)
    assert error.value.outcome.kind is Kind.UNREACHABLE


@pytest.mark.parametrize("how", ["drip_headers", "hang"])
def test_the_wait_for_the_first_byte_of_a_file_is_limited(
    opened: OpenHttp, remote: FakeIndex, how: str
) -> None:
    misbehave(remote, how)
    begun = time.monotonic()
    assert opened(remote).open(listed(remote), 0, None, 0.3).outcome.kind is Kind.UNREACHABLE
    assert time.monotonic() - begun < 15  # a read may take 20
