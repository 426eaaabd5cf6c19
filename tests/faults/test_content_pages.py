"""What is no page, or none within bounds: the client gets a right page or a clear error."""

import gzip
import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.chain.chain import mirror, pypi
from tests.conftest import MakeShim
from tests.fakes import FakeIndex, wheel
from tests.fakes.pages import JSON_TYPE
from tests.faults.client import Client

IDNA = wheel("idna", "3.0")
PAGE = "/simple/idna/"
#: What a page may have in these tests, bytes.
PAGE_SIZE = 1_000_000
HTML = {"Content-Type": "text/html; charset=utf-8"}
JSON = {"Content-Type": JSON_TYPE}
LOGIN = b"<!DOCTYPE html><title>Hotel</title><form action=/login><input type=password></form>"
BOMB = gzip.compress(b"<!--" + bytes(20_000_000))
DEEP = 100_000

Break = Callable[[FakeIndex], object]


def page(version: str = "1.0", **values: Any) -> bytes:
    return json.dumps(
        {"meta": {"api-version": version}, "name": "idna", "files": [], **values}
    ).encode()


def say(headers: dict[str, str], body: bytes) -> Break:
    """Return a fault: this, in place of every page."""
    return lambda index: index.answer(200, headers, body, path="/simple/")


def bomb_on_redirect(index: FakeIndex) -> None:
    headers = {**HTML, "Location": f"{index.base}/portal", "Content-Encoding": "gzip"}
    index.answer(302, headers, BOMB, path="/simple/")
    index.answer(200, HTML, LOGIN, path="/portal")


def portal_elsewhere(index: FakeIndex) -> None:
    # Another name, and so another host, for the same machine.
    index.redirect(f"http://localhost:{index.port}/portal", path="/simple/")
    index.answer(200, HTML, LOGIN, path="/portal")


#: Mark, fault, and what is said of it.
FAULTS: dict[str, tuple[pytest.MarkDecorator, Break, str]] = {
    "captive portal": (pytest.mark.fault(22), say(HTML, LOGIN), "captive portal"),
    "redirect to a portal": (pytest.mark.fault(23), portal_elsewhere, "captive portal"),
    "redirect to no address": (
        pytest.mark.fault(23),
        lambda i: i.redirect("http://[", path="/simple/"),
        "redirect",
    ),
    "JSON type, bytes": (pytest.mark.fault(24), say(JSON, b"\x00\xff\x1b{"), "JSON cannot be read"),
    "JSON type, HTML": (pytest.mark.fault(24), say(JSON, LOGIN), "JSON cannot be read"),
    "JSON type, nothing": (pytest.mark.fault(24), say(JSON, b""), "JSON cannot be read"),
    "HTML type, bytes": (
        pytest.mark.fault(24),
        say(HTML, bytes(range(256))),
        "its type is HTML, but its content is not",
    ),
    "cut short": (pytest.mark.fault(25), say(JSON, page()[:-20]), "JSON cannot be read"),
    "NaN": (pytest.mark.fault(26), say(JSON, page(versions=[float("nan")])), "JSON cannot be read"),
    "nested": (pytest.mark.fault(26), say(JSON, b'{"files":' * DEEP), "JSON"),
    "nested HTML": (pytest.mark.fault(26), say(HTML, b"<div>" * DEEP), "HTML nests more than"),
    "version 2": (
        pytest.mark.fault(27),
        say(JSON, page("2.0")),
        "API version '2.0', only 1.x is known",
    ),
    "too large": (
        pytest.mark.fault(28),
        say(HTML, b"<!--" + bytes(PAGE_SIZE)),
        "more than 1000000 bytes",
    ),
    "too large in chunks": (
        pytest.mark.fault(28),
        lambda i: (say(HTML, bytes(PAGE_SIZE + 1))(i), i.chunked(path="/simple/")),
        "more than 1000000 bytes",
    ),
    "bomb": (
        pytest.mark.fault(29),
        say({**HTML, "Content-Encoding": "gzip"}, BOMB),
        "more than 1000000 bytes",
    ),
    "bomb on a redirect": (pytest.mark.fault(29), bomb_on_redirect, "captive portal"),
    "slow to match": (
        pytest.mark.fault(47),
        say(HTML, b"<a href='idna-3.0.zip" * 4_000),
        "distribution",
    ),
}
EVERY_FAULT = pytest.mark.parametrize(
    "fault", [pytest.param(name, marks=FAULTS[name][0]) for name in FAULTS]
)


@pytest.fixture
def near() -> Iterator[FakeIndex]:
    with FakeIndex([IDNA]) as index:
        yield index


@EVERY_FAULT
def test_what_is_no_page_is_replaced_by_the_next_index_and_said_in_one_line(
    shim: MakeShim, near: FakeIndex, caplog: pytest.LogCaptureFixture, fault: str
) -> None:
    _, failing, said = FAULTS[fault]
    failing(near)
    with FakeIndex([IDNA]) as far:
        made = shim(mirror(near), pypi(far), page_size=PAGE_SIZE)
        client = Client(made)
        with caplog.at_level(logging.WARNING):
            assert list(client.files("idna")) == [IDNA.filename]
        assert client.fetch("idna", IDNA.filename).body == IDNA.data
        (line,) = [r.getMessage() for r in caplog.records if r.getMessage().startswith("mirror:")]
        assert said in line
        assert line.endswith("Check the address of mirror, or log in to the network.")
        assert line.isprintable()
        assert made.store.pages.load(mirror(near).key, "idna") is None


@EVERY_FAULT
def test_what_is_no_page_leaves_the_page_that_was_seen_before(
    shim: MakeShim, near: FakeIndex, fault: str
) -> None:
    client = Client(shim(near, page_size=PAGE_SIZE, fresh=0.0))
    assert list(client.files("idna")) == [IDNA.filename]
    before = client.page("idna")
    FAULTS[fault][1](near)
    client.shim.fallback._answers.clear()
    assert client.page("idna") == before
    assert client.shim.fallback.page("idna", again=True).how == "stale"
    assert client.fetch("idna", IDNA.filename).body == IDNA.data
    client.kept(IDNA.sha256)
    client.assert_clean()


@EVERY_FAULT
def test_what_is_no_page_is_a_503_where_nothing_else_is_known(
    shim: MakeShim, near: FakeIndex, fault: str
) -> None:
    _, failing, said = FAULTS[fault]
    failing(near)
    client = Client(shim(near, page_size=PAGE_SIZE))
    answer = client.get(PAGE)
    assert answer.status == 503
    assert said in answer.problem
    assert "Check the address of pypi, or log in to the network." in answer.problem
    assert client.shim.store.pages.count() == 0
