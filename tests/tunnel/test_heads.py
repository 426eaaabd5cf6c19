"""Heads are read as HTTP/1 says, and sent on byte for byte."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexfallback.tunnel.heads import (
    Framing,
    HeadError,
    end_of_head,
    parse_request,
    parse_response,
    write_head,
)

_NAMES = st.text("abcXYZ012-_!#", min_size=1, max_size=12)
_VALUES = st.text(st.characters(max_codepoint=255, exclude_characters="\x00\r\n"), max_size=40).map(
    lambda value: value.strip(" \t")
)
_FIELDS = st.lists(st.tuples(_NAMES, _VALUES), max_size=8)
_TARGETS = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=40)


@given(_NAMES, _TARGETS, _FIELDS)
def test_a_request_is_read_as_it_was_written(
    method: str, target: str, fields: list[tuple[str, str]]
) -> None:
    head = parse_request(write_head(f"{method} {target} HTTP/1.1", fields))
    assert (head.method, head.target, head.minor, head.fields) == (method, target, 1, fields)


@given(st.integers(100, 999), _VALUES, _FIELDS)
def test_a_response_is_read_as_it_was_written(
    status: int, reason: str, fields: list[tuple[str, str]]
) -> None:
    head = parse_response(write_head(f"HTTP/1.0 {status} {reason}", fields))
    assert (head.status, head.reason, head.minor, head.fields) == (status, reason, 0, fields)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_head_or_an_error(data: bytes) -> None:
    for parse in (parse_request, parse_response):
        with contextlib.suppress(HeadError):
            parse(data)


@given(_FIELDS, st.binary(max_size=20), st.data())
def test_the_end_is_found_wherever_the_bytes_are_divided(
    fields: list[tuple[str, str]], rest: bytes, data: st.DataObject
) -> None:
    head = write_head("GET / HTTP/1.1", fields)
    cut = data.draw(st.integers(0, len(head) - 1))
    assert end_of_head(head[:cut]) == -1
    assert end_of_head(head + rest, cut) == len(head)


@pytest.mark.parametrize(
    "line",
    ["GET /", "GET / HTTP/2.0", "GET  / HTTP/1.1", "G(T / HTTP/1.1", "GET /\x00 HTTP/1.1", ""],
)
def test_a_wrong_request_line_is_an_error(line: str) -> None:
    with pytest.raises(HeadError):
        parse_request(f"{line}\r\n\r\n".encode())


@pytest.mark.parametrize("field", ["a b: c", "a : b", ": b", "a", " a: b", "a: b\rc"])
def test_a_wrong_field_is_an_error(field: str) -> None:
    with pytest.raises(HeadError):
        parse_request(f"GET / HTTP/1.1\r\nx: y\r\n{field}\r\n\r\n".encode())


def request(*fields: str) -> bytes:
    return "\r\n".join(["POST / HTTP/1.1", *fields, "", ""]).encode()


@pytest.mark.parametrize(
    ("fields", "length"),
    [
        ((), 0),
        (("Content-Length: 5",), 5),
        (("Content-Length: 5, 5", "content-length: 5"), 5),
        (("Transfer-Encoding: Chunked",), Framing.CHUNKED),
    ],
)
def test_the_length_of_a_requests_body(fields: tuple[str, ...], length: object) -> None:
    assert parse_request(request(*fields)).length == length


@pytest.mark.parametrize(
    "fields",
    [
        ("Content-Length: -1",),
        ("Content-Length: +1",),
        ("Content-Length: 5", "Content-Length: 6"),
        ("Content-Length: 5", "Transfer-Encoding: chunked"),
        ("Transfer-Encoding: gzip",),
        ("Transfer-Encoding: chunked, chunked",),
    ],
)
def test_a_request_whose_end_is_doubtful_is_an_error(fields: tuple[str, ...]) -> None:
    with pytest.raises(HeadError):
        _ = parse_request(request(*fields)).length


@pytest.mark.parametrize(
    ("status", "method", "fields", "length"),
    [
        (200, "GET", (), Framing.UNTIL_CLOSE),
        (200, "GET", ("Content-Length: 7",), 7),
        (200, "HEAD", ("Content-Length: 7",), 0),
        (204, "GET", ("Content-Length: 7",), 0),
        (304, "GET", ("Content-Length: 7",), 0),
        (100, "GET", (), 0),
        (200, "GET", ("Content-Length: 7", "Transfer-Encoding: chunked"), Framing.CHUNKED),
        (200, "GET", ("Transfer-Encoding: gzip, chunked",), Framing.CHUNKED),
        (200, "GET", ("Transfer-Encoding: gzip",), Framing.UNTIL_CLOSE),
    ],
)
def test_the_length_of_an_answers_body(
    status: int, method: str, fields: tuple[str, ...], length: object
) -> None:
    head = parse_response("\r\n".join([f"HTTP/1.1 {status}", *fields, "", ""]).encode())
    assert head.length(method) == length


def test_fields_of_one_connection_are_not_passed_on() -> None:
    head = parse_request(
        request("Connection: close, X-Own", "x-own: 1", "TE: gzip", "Upgrade: h2c", "Accept: a",
                "Proxy-Authorization: Basic x", "Keep-Alive: 5", "accept: b")
    )  # fmt: skip
    assert head.end_to_end == [("Accept", "a"), ("accept", "b")]
    assert not head.persists


@pytest.mark.parametrize(
    ("version", "option", "persists"),
    [(1, "", True), (1, "close", False), (0, "", False), (0, "Keep-Alive", True)],
)
def test_the_connection_persists_as_its_version_says(
    version: int, option: str, persists: bool
) -> None:
    data = write_head(f"GET / HTTP/1.{version}", [("Connection", option)])
    assert parse_request(data).persists is persists
