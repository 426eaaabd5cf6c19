"""Answers that mean harm: nothing of them is executed, obeyed, or put into a line of its own."""

import logging
from base64 import b64encode
from collections.abc import Iterator

import pytest

from indexfallback.outcome import Kind
from tests.chain.chain import mirror, private, pypi, refusal
from tests.conftest import MakeShim
from tests.fakes import FakeIndex, wheel
from tests.fakes.pages import JSON_TYPE
from tests.faults.client import Client

DEMO = wheel("demo", size=50_000)
NAME = DEMO.filename
FILE = f"/files/{NAME}"
PAGE = "/simple/demo/"
MARKUP = "\"'><script>alert(1)</script>&amp;"
#: What would end a header or a line of a log, or paint a terminal.
BREAKS = "a\r\nSet-Cookie: a=b\x1b[31m\x85"


@pytest.fixture
def index() -> Iterator[FakeIndex]:
    with FakeIndex([DEMO]) as fake:
        yield fake


# Row 40: line breaks.


@pytest.mark.fault(40)
@pytest.mark.parametrize(
    "header", ["ETag", "Last-Modified", "X-PyPI-Last-Serial", "Content-Type", "Vary"]
)
@pytest.mark.parametrize(
    "value", ["a\r Set-Cookie: a=b", "a\nSet-Cookie: a=b", "a\r\n Set-Cookie: a=b", "\x00\x1b[31m"]
)
def test_a_header_with_a_line_break_gets_into_no_header_of_ours(
    shim: MakeShim, index: FakeIndex, header: str, value: str
) -> None:
    index.header(header, value)
    client = Client(shim(index, fresh=0.0))
    for path in (PAGE, f"/files/pypi/demo.{DEMO.sha256}/{NAME}"):
        answer = client.get(path)
        assert answer.status in (200, 503)
        assert "set-cookie" not in {name.lower() for name in answer.headers}
        assert all(text.isprintable() for text in answer.headers.values())
    # Nor into a request: what an index says of its page is sent back to it.
    client.get("/-/why/demo")
    client.shim.fallback._answers.clear()
    client.get(PAGE)
    assert all("Set-Cookie" not in request.headers for request in index.requests)


ANSWERS = {
    "reason": b"HTTP/1.1 500 " + BREAKS.replace("\r\n", "\r").encode() + b"\r\n\r\n",
    "no HTTP": BREAKS.replace("\r\n", " ").encode() + b"\r\n\r\n",
    "64 KB in one line": b"SSH-2.0-" + b"x" * 64_000 + b"\r\n\r\n",
    "redirect": b"HTTP/1.1 302 x\r\nLocation: ftp://x/\x1b[31m\x07\r\nContent-Length: 0\r\n\r\n",
    "type": b"HTTP/1.1 200 OK\r\nContent-Type: a/b\x1b[31m\r\nContent-Length: 1\r\n\r\nx",
    "version": (
        f"HTTP/1.1 200 OK\r\nContent-Type: {JSON_TYPE}\r\nContent-Length: 40\r\n\r\n"
        '{"meta": {"api-version": "2\\u001b[31m"}}'
    ).encode(),
    "retry": b"HTTP/1.1 503 x\r\nRetry-After: \x1b[31m\r\nContent-Length: 0\r\n\r\n",
}


@pytest.mark.fault(40)
@pytest.mark.parametrize("what", ANSWERS)
def test_an_upstreams_own_words_stay_within_one_short_printable_line(
    shim: MakeShim, index: FakeIndex, caplog: pytest.LogCaptureFixture, what: str
) -> None:
    caplog.set_level(logging.DEBUG, "indexfallback")
    index.raw(ANSWERS[what])
    client = Client(shim(index))
    detail = client.get(PAGE).problem
    status = client.get("/-/status").body.decode()
    lines = [record.getMessage() for record in caplog.records]
    assert lines
    for line in (*lines, detail):
        assert line.isprintable()
        assert len(line) < 1500
    assert "\\u001b" not in status
    assert len(status) < 10_000


@pytest.mark.fault(40)
def test_a_name_with_a_line_break_gets_into_no_redirect(shim: MakeShim, index: FakeIndex) -> None:
    client = Client(shim(index))
    for path in ("/simple/demo%0d%0aSet-Cookie:%20a=b", "/simple/Demo%0d%0aSet-Cookie:%20a=b/"):
        answer = client.get(path)
        assert "set-cookie" not in {name.lower() for name in answer.headers}
        assert answer.headers.get("location", "/simple/") == "/simple/"
    assert index.count() == 0


# Row 41: markup.


@pytest.mark.fault(41)
def test_markup_in_what_a_page_says_is_escaped(shim: MakeShim, index: FakeIndex) -> None:
    index.add(DEMO, yanked=MARKUP)
    project = index.project("demo")
    project.status, project.status_reason = "deprecated", MARKUP
    client = Client(shim(index))
    html = client.get(PAGE).body
    assert b"<script" not in html.lower()
    assert client.files("demo")[NAME]["yanked"] == MARKUP
    assert client.page("demo")["project-status"]["reason"] == MARKUP


@pytest.mark.fault(41)
def test_markup_in_names_of_a_root_page_gets_into_no_page_of_ours(
    shim: MakeShim, index: FakeIndex
) -> None:
    root = b'<a href="%3Cscript%3E/"><script></a><a href="demo/">demo</a>'
    with FakeIndex() as far:
        rule = index.answer(200, {"Content-Type": "text/html"}, root, path="/simple/")
        rule._exact = True
        client = Client(shim(private(index), pypi(far)))
        for path in ("/simple/x/", PAGE, "/simple/", "/", "/simple/%3Cscript%3E/", "/-/status"):
            answer = client.get(path)
            assert answer.headers["content-type"].startswith(("text/html", "application/"))
            assert b"<script>" not in answer.body or "html" not in answer.headers["content-type"]


# Rows 42, 43, 44: redirects.


@pytest.mark.fault(42)
@pytest.mark.fault("incident: PyPI 2018-04-16")
def test_a_file_that_redirects_in_circles_is_asked_six_times_and_taken_elsewhere(
    shim: MakeShim, index: FakeIndex
) -> None:
    with FakeIndex([DEMO]) as far:
        index.redirect("{path}", path=FILE)
        client = Client(shim(mirror(index), pypi(far)))
        assert client.fetch("demo", NAME).body == DEMO.data
        assert index.count(FILE) == 6


@pytest.mark.fault(43)
@pytest.mark.fault("incident: requests CVE-2018-18074")
@pytest.mark.fault("incident: requests CVE-2023-32681")
@pytest.mark.fault("incident: urllib3 CVE-2018-20060")
@pytest.mark.fault("incident: urllib3 CVE-2023-43804")
@pytest.mark.parametrize("to", ["localhost:{port}", "user:secret@localhost:{port}"])
def test_a_redirect_to_another_host_takes_neither_credentials_nor_cookies_along(
    shim: MakeShim, to: str
) -> None:
    with FakeIndex([DEMO], username="ci", password="hunter2") as strict, FakeIndex([DEMO]) as other:
        strict.header("Set-Cookie", "session=1; Path=/")
        client = Client(shim(private(strict, username="ci", password="hunter2"), fresh=0.0))
        assert client.fetch("demo", NAME).body == DEMO.data
        strict.redirect(f"http://{to.format(port=other.port)}{{path}}", path="/")
        client.shim.fallback.page("demo", again=True)
        assert other.requests
        # A login in the redirect's own address is for that address.
        carried = {f"Basic {b64encode(b'user:secret').decode()}"} if "@" in to else {None}
        for request in other.requests:
            assert not {"Cookie", "Proxy-Authorization"} & set(request.headers)
        assert {request.headers.get("Authorization") for request in other.requests} == carried
        assert all("Cookie" not in request.headers for request in strict.requests)


@pytest.mark.fault(44)
def test_what_is_refused_of_a_redirect_is_said_without_its_secrets(
    shim: MakeShim, index: FakeIndex
) -> None:
    index.redirect("ftp://user:secret@packages.example.com/x?token=secret")
    error = str(refusal(shim(index), "demo"))
    assert "unsafe redirect to ftp://packages.example.com/x" in error
    assert "secret" not in error


# Row 46: credentials.


@pytest.mark.fault(46)
def test_credentials_that_an_index_sends_back_are_not_passed_on(
    shim: MakeShim, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with FakeIndex([DEMO], username="ci", password="hunter2") as strict:
        echo = f"http://ci:hunter2@127.0.0.1:{strict.port}/files/{NAME}"
        strict.add(DEMO, url=echo, provenance=f"{echo}.provenance")
        client = Client(shim(private(strict, username="ci", password="hunter2")))
        answers = [
            client.get(PAGE),
            client.get(PAGE, {"Accept": JSON_TYPE}),
            client.get("/-/status"),
        ]
        answers += [client.fetch("demo", NAME), client.get("/-/why/demo"), client.get("/")]
        assert [answer.status for answer in answers] == [200] * 6
        assert all(b"hunter2" not in answer.body for answer in answers)
        assert all("hunter2" not in str(answer.headers) for answer in answers)
        assert "hunter2" not in caplog.text
        health = client.shim.members["private"].health
        assert health.trouble in (None, Kind.FOUND)


# Row 48: ranges.


@pytest.mark.fault(48)
def test_a_range_of_ten_thousand_parts_is_answered_with_the_whole_in_one_piece(
    shim: MakeShim, index: FakeIndex
) -> None:
    client = Client(shim(index))
    assert client.fetch("demo", NAME).body == DEMO.data
    path = f"/files/pypi/demo.{DEMO.sha256}/{NAME}"
    parts = ",".join(f"{n}-{n + 1}" for n in range(10_000))
    for header in (f"bytes={parts}", "bytes=" + "0-," * 10_000, "bytes=" + "-" * 50_000):
        answer = client.get(path, {"Range": header})
        assert (answer.status, answer.body) == (200, DEMO.data)
    assert index.count(FILE) == 1
