"""Each fault looks to a client as its name says."""

import gzip
import socket
import ssl
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest
import requests
import trustme
from click.testing import CliRunner
from requests.exceptions import ChunkedEncodingError, ConnectTimeout, ReadTimeout, RequestException

from tests.fakes import FakeIndex, wheel
from tests.fakes.__main__ import main
from tests.serving import wait_until

FOO = wheel("foo", size=1000)
BODY = b"0123456789" * 10
PAGE = "/simple/foo/"


@pytest.fixture
def index() -> Iterator[FakeIndex]:
    with FakeIndex([FOO]) as it:
        yield it


def _bytes_of(index: FakeIndex, path: str = PAGE) -> bytes:
    """Return all that the index sends for one request, until it closes."""
    with socket.create_connection(("127.0.0.1", index.port), 5) as sock:
        sock.sendall(f"GET {path} HTTP/1.1\r\nConnection: close\r\n\r\n".encode())
        return b"".join(iter(lambda: sock.recv(65536), b""))


def _body_of(index: FakeIndex, path: str = PAGE) -> bytes:
    return _bytes_of(index, path).partition(b"\r\n\r\n")[2]


def test_what_is_not_http_is_no_request(index: FakeIndex) -> None:
    with socket.create_connection(("127.0.0.1", index.port), 5) as sock:
        sock.sendall(b"\x16\x03\x01 \x14\xb6 \xfc\x03\n\r\n")
        assert sock.recv(1) == b""
    assert index.requests == []


def test_a_failure_is_a_status_with_its_headers(index: FakeIndex, client: requests.Session) -> None:
    index.fail(429, headers={"Retry-After": "2"})
    answer = client.get(index.url)
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "2")


def test_a_fault_ends_after_so_many_requests(index: FakeIndex, client: requests.Session) -> None:
    index.fail(503, times=2)
    assert [client.get(index.url).status_code for _ in range(3)] == [503, 503, 200]


def test_a_fault_is_for_the_paths_that_it_names(index: FakeIndex, client: requests.Session) -> None:
    index.fail(503, path="/files/")
    assert client.get(index.url + "foo/").status_code == 200
    assert client.get(index.file_url(FOO.filename)).status_code == 503


def test_a_fault_ends_with_its_block_or_when_lifted(
    index: FakeIndex, client: requests.Session
) -> None:
    with index.fail():
        assert client.get(index.url).status_code == 503
    assert client.get(index.url).status_code == 200
    index.fail()
    index.lift()
    assert client.get(index.url).status_code == 200


def test_an_answer_is_sent_as_it_is(index: FakeIndex) -> None:
    index.answer(299, {"X-Odd": "a\r\nInjected: b"}, BODY, reason="So so")
    head, _, body = _bytes_of(index).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 299 So so\r\n")
    assert b"\r\nInjected: b" in head
    assert body == BODY


def test_a_raw_answer_need_not_be_http(index: FakeIndex) -> None:
    index.raw(b"SSH-2.0-x\r\n")
    assert _bytes_of(index) == b"SSH-2.0-x\r\n"


def test_a_header_can_be_set_and_left_out(index: FakeIndex, client: requests.Session) -> None:
    index.header("ETag", None)
    index.header("X-PyPI-Last-Serial", "7")
    answer = client.get(index.url)
    assert (answer.headers.get("ETag"), answer.headers["X-PyPI-Last-Serial"]) == (None, "7")


def test_a_redirect_can_keep_the_path(index: FakeIndex, client: requests.Session) -> None:
    with FakeIndex([FOO]) as other:
        index.redirect(other.base + "{path}")
        assert client.get(index.url + "foo/").url == other.url + "foo/"


def test_a_corrupt_file_differs_in_one_byte_also_in_its_ranges(
    index: FakeIndex, client: requests.Session
) -> None:
    index.corrupt(FOO.filename)
    url = index.file_url(FOO.filename)
    whole = client.get(url).content
    assert sum(a != b for a, b in zip(whole, FOO.data, strict=True)) == 1
    assert client.get(url, headers={"Range": "bytes=100-"}).content == whole[100:]
    assert client.get(url + ".metadata").content == FOO.metadata


def test_a_gzipped_page_says_so(index: FakeIndex) -> None:
    plain = _body_of(index)
    index.gzip()
    head, _, body = _bytes_of(index).partition(b"\r\n\r\n")
    assert b"Content-Encoding: gzip" in head
    assert gzip.decompress(body) == plain


def test_a_chunked_body_has_no_length(index: FakeIndex, client: requests.Session) -> None:
    index.chunked()
    answer = client.get(index.file_url(FOO.filename))
    assert answer.content == FOO.data
    assert "Content-Length" not in answer.headers


def test_a_chunked_body_that_is_cut_has_no_end(index: FakeIndex, client: requests.Session) -> None:
    index.chunked()
    index.cut(after=10)
    with pytest.raises(ChunkedEncodingError):
        client.get(index.file_url(FOO.filename))


def test_an_unframed_body_ends_with_the_connection(index: FakeIndex) -> None:
    index.unframed()
    head, _, body = _bytes_of(index, f"/files/{FOO.filename}").partition(b"\r\n\r\n")
    assert b"Content-Length" not in head
    assert body == FOO.data


@pytest.mark.parametrize(("fault", "declared"), [("short", 101), ("long", 99)])
def test_the_length_can_be_wrong(index: FakeIndex, fault: str, declared: int) -> None:
    index.answer(200, body=BODY)
    getattr(index, fault)()
    head, _, body = _bytes_of(index).partition(b"\r\n\r\n")
    assert f"Content-Length: {declared}".encode() in head
    assert body == BODY


def test_a_cut_body_ends_after_so_many_bytes(index: FakeIndex) -> None:
    index.cut(after=10)
    assert _body_of(index, f"/files/{FOO.filename}") == FOO.data[:10]


def test_a_reset_body_ends_in_an_error(index: FakeIndex) -> None:
    index.cut(after=10, reset=True)
    with pytest.raises(ConnectionResetError):
        _bytes_of(index, f"/files/{FOO.filename}")


def test_a_dropped_request_gets_no_byte(index: FakeIndex) -> None:
    index.drop()
    assert _bytes_of(index) == b""


def test_a_flaking_index_fails_a_share_of_the_requests_in_each_way(index: FakeIndex) -> None:
    path = f"/files/{FOO.filename}"
    index.flake(Random(1), 0.5, path=path)
    ends = []
    for _ in range(30):
        try:
            head, _, body = _bytes_of(index, path).partition(b"\r\n\r\n")
        except ConnectionResetError:
            ends.append("reset")
        else:
            ends.append("503" if b" 503 " in head else "whole" if body == FOO.data else "cut")
    assert set(ends) == {"503", "cut", "reset", "whole"}
    assert 5 < ends.count("whole") < 25


def test_a_hanging_request_is_answered_when_lifted(
    index: FakeIndex, client: requests.Session
) -> None:
    rule = index.hang(times=1)
    with pytest.raises(ReadTimeout):
        client.get(index.url, timeout=0.05)
    index.hang()
    answers: list[requests.Response] = []
    thread = threading.Thread(target=lambda: answers.append(client.get(index.url)))
    thread.start()
    index.wait_for("/simple/", count=2)
    rule.lift()
    index.lift()
    thread.join(30)
    assert answers[0].status_code == 200


def test_a_delay_comes_before_the_first_byte(index: FakeIndex, client: requests.Session) -> None:
    index.delay(0.1)
    assert client.get(index.url).elapsed.total_seconds() >= 0.1


def test_a_dripping_body_comes_at_its_rate(index: FakeIndex, client: requests.Session) -> None:
    index.answer(200, body=BODY)
    index.drip(1000)
    start = time.monotonic()
    assert client.get(index.base + PAGE).content == BODY
    assert time.monotonic() - start >= 0.05


def test_headers_come_before_a_dripping_body(index: FakeIndex, client: requests.Session) -> None:
    index.answer(200, body=BODY)
    slow = index.drip(0.001)
    with client.get(index.base + PAGE, stream=True) as answer:
        assert answer.status_code == 200
        slow.lift()
        assert answer.content == BODY


def test_dripping_headers_come_at_their_rate(index: FakeIndex, client: requests.Session) -> None:
    index.drip_headers(2000)
    assert client.get(index.url).elapsed.total_seconds() > 0.05


def test_a_drip_that_is_lifted_ends_at_once(index: FakeIndex, client: requests.Session) -> None:
    index.drip(0.01)
    thread = threading.Thread(target=client.get, args=[index.url])
    thread.start()
    index.wait_for("/simple/")
    index.lift()
    thread.join(30)
    assert not thread.is_alive()


def test_an_index_that_does_not_listen_refuses_and_comes_back(
    index: FakeIndex, client: requests.Session
) -> None:
    url = index.url
    assert client.get(url).status_code == 200
    index.stop_listening()
    with pytest.raises(requests.ConnectionError):
        client.get(url)
    index.start_again()
    assert client.get(url).status_code == 200
    assert index.url == url


@pytest.mark.skipif(sys.platform != "linux", reason="others answer when the queue is full")
def test_a_blackhole_leaves_connection_attempts_unanswered(
    index: FakeIndex, client: requests.Session
) -> None:
    index.blackhole()
    for _ in range(2):
        with pytest.raises(ConnectTimeout):
            client.get(index.url, timeout=0.1)
    index.start_again()
    assert client.get(index.url).status_code == 200


def test_idle_connections_can_be_dropped(index: FakeIndex, client: requests.Session) -> None:
    client.get(index.url)
    index.drop_connections()
    assert client.get(index.url).status_code == 200
    assert index.connections == 2


def test_stopping_is_prompt_while_all_handlers_are_stuck(client: requests.Session) -> None:
    with FakeIndex([FOO]) as index:
        index.hang(path="/simple/foo/")
        index.drip(1, path="/files/")
        for path in ("/simple/foo/", f"/files/{FOO.filename}"):
            with pytest.raises(RequestException):
                client.get(index.base + path, timeout=0.05)
        start = time.monotonic()
    assert time.monotonic() - start < 30


def test_ranges_can_go_wrong(index: FakeIndex, client: requests.Session) -> None:
    def ask(asked: str) -> requests.Response:
        return client.get(index.file_url(FOO.filename), headers={"Range": asked})

    with index.refuse_suffixes(416):
        assert ask("bytes=-5").status_code == 416
        assert ask("bytes=0-4").content == FOO.data[:5]
    with index.shift_ranges(2):
        answer = ask("bytes=0-4")
        assert answer.headers["Content-Range"] == f"bytes 2-6/{len(FOO.data)}"
        assert answer.content == FOO.data[2:7]
    with index.multipart_ranges():
        answer = ask("bytes=-5")
        assert answer.headers["Content-Type"].startswith("multipart/byteranges")
        assert FOO.data[-5:] in answer.content
    assert ask("bytes=-5").content == FOO.data[-5:]


def test_bytes_of_bodies_are_counted(index: FakeIndex) -> None:
    for _ in range(2):  # each by a connection of its own: the server closes the first one
        requests.get(index.file_url(FOO.filename), headers={"Connection": "close"}, timeout=60)
    wait_until(lambda: index.sent == 2 * len(FOO.data), 5, "not all is counted")


def test_an_index_can_speak_tls(client: requests.Session, tmp_path: Path) -> None:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    with FakeIndex([FOO], tls=context) as index:
        with pytest.raises(requests.exceptions.SSLError):
            client.get(index.url)
        client.verify = str(tmp_path / "ca.pem")
        assert client.get(index.file_url(FOO.filename)).content == FOO.data


def test_the_command_explains_itself() -> None:
    result = CliRunner().invoke(main, ["--help"])
    assert result.exit_code == 0
    assert "--fault" in result.output
