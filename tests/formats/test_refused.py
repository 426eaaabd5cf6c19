"""Answers that are no pages: each is refused with its reason and never crashes."""

import json
import logging
from contextlib import suppress
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexfallback.errors import PageError
from indexfallback.formats import parse_page
from tests.formats.support import project_names

URL = "https://user:secret@example.com/simple/foo/?token=secret"
JSON = "application/vnd.pypi.simple.v1+json"
HTML = "text/html"
DEEP = 100_000
#: Seconds of CPU for any answer, on a loaded machine with coverage on; without their guards the
#: worst of these take minutes.
LIMIT = 10


def problem(body: str | bytes, content_type: str) -> str:
    encoded = body.encode() if isinstance(body, str) else body
    with pytest.raises(PageError) as caught:
        parse_page(encoded, content_type, URL, "foo")
    assert caught.value.url == "https://example.com/simple/foo/"
    assert "secret" not in str(caught.value)
    return caught.value.problem


@pytest.mark.fault(24)
@pytest.mark.parametrize(
    "content_type",
    ["", ";", "image/png", "text/plain", "application/octet-stream", "application/xml", "\r\nX: y"],
)
def test_another_type_is_refused(content_type: str) -> None:
    said = problem("{}", content_type)
    assert "type" in said
    assert said.isprintable()


@pytest.mark.fault(24)
@pytest.mark.fault(25)
@pytest.mark.fault(26)
@pytest.mark.parametrize(
    "body",
    [
        "",
        "null",
        "[]",
        '"foo"',
        "{}",
        '{"files": {}}',
        '{"name": "foo", "files": [',
        '{"name": "foo", "files": [{"filename": "foo-1.0.zip", "size": NaN}]}',
        '{"name": "foo", "files": [], "x": 1e999}',
        '{"name": "foo", "files": [], "x": "\\ud800"}',
        b'{"name": "foo", "files": [], "x": "\xff"}',
        "<html></html>",
        "[" * DEEP,
        '{"files":' * DEEP,
        '{"name": "foo", "files": [], "x": ' + "[" * DEEP + "]" * DEEP + "}",
    ],
)
def test_broken_json_is_refused(body: str | bytes) -> None:
    assert "JSON" in problem(body, JSON)


def test_another_project_is_refused() -> None:
    body = json.dumps({"meta": {"api-version": "1.0"}, "name": "bar", "files": []})
    assert problem(body, JSON) == "it is the page of 'bar', not of 'foo'"


@pytest.mark.parametrize("wire", [{"files": []}, {"files": [], "name": "foo"}, {"detail": "login"}])
def test_plain_json_must_show_that_it_is_a_page(wire: dict[str, object]) -> None:
    assert "JSON has no" in problem(json.dumps(wire), "application/json")


@pytest.mark.fault(27)
@pytest.mark.parametrize("version", ["2.0", "0.9", "10.0", "", "x", 2, 2.0, [], True])
@pytest.mark.parametrize("files", [{"files": []}, {"files": {"other": "shape"}}, {}])
def test_another_major_version_of_json_is_refused(version: object, files: object) -> None:
    assert isinstance(files, dict)
    body = json.dumps({"meta": {"api-version": version}, "name": "foo", **files})
    assert "only 1.x is known" in problem(body, JSON)


@pytest.mark.fault(27)
def test_another_major_version_of_html_is_refused() -> None:
    body = '<meta name="pypi:repository-version" content="2.0"><a href="foo-1.0.zip">x</a>'
    assert problem(body, HTML) == "it has API version '2.0', only 1.x is known"


@pytest.mark.fault(27)
@pytest.mark.parametrize("form", ["json", "html"])
def test_another_major_version_of_the_type_is_refused(form: str) -> None:
    assert "only 1.x is known" in problem("{}", f"application/vnd.pypi.simple.v2+{form}")


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        ('{"meta": {"api-version": "1.99"}, "name": "foo", "files": []}', JSON),
        ('{"meta": {"api-version": "1.99"}, "name": "foo", "files": [], "new": 1}', JSON),
        ('<meta name="pypi:repository-version" content="1.99">', HTML),
    ],
)
def test_a_higher_minor_version_is_read_and_said(
    body: str, content_type: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        parse_page(body.encode(), content_type, URL, "foo")
    (record,) = caplog.records
    assert record.getMessage() == (
        "https://example.com/simple/foo/ has API version 1.99, read as 1.4"
    )


def test_a_known_version_is_not_worth_a_word(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        parse_page(b'<meta name="pypi:repository-version" content="1.4">', HTML, URL, "foo")
    assert not caplog.records


@pytest.mark.fault(22)
@pytest.mark.parametrize(
    "body",
    [
        "",
        "Not found",
        '{"name": "foo", "files": []}',
        "<html><body><h1>Welcome</h1><a href='/login'>Log in</a></body></html>",
        "<html><body><form action='/login'></form></body></html>",
        "<html><body><script>location = '/portal'</script></body></html>",
        "<html><head><meta http-equiv='Refresh' content='0;url=/portal'></head></html>",
        "<html><body><iframe src='/portal'></iframe></body></html>",
        "<html><body><a href='client.exe'>our client</a><input type='Password'></body></html>",
        "<html><head><title>502 Bad Gateway</title></head><body><a href='x'>nginx</a></html>",
        "<<<<<<",
        "<!DOCTYPE html><html><head><title>Lin",
        "<?xml version='1.0'?><Error><Code>AccessDenied</Code></Error>",
        "<html><body><a href='javascript:1'>foo-1.0.zip</a></body></html>",
    ],
)
def test_html_that_is_no_list_of_files_is_refused(body: str) -> None:
    assert "HTML" in problem(body, HTML)


@pytest.mark.fault(26)
@pytest.mark.parametrize(
    "body",
    [
        "<div>" * DEEP + '<a href="foo-1.0.zip">x</a>',
        "<DIV>" * DEEP + "</div>" * DEEP,
        "<span>" * DEEP + "<p></p>" * DEEP,
        "".join(f"<b id={n}>" for n in range(1000)) + "<p>x" * DEEP,
        "<html>" + "<template>" * DEEP,
    ],
)
def test_deep_html_is_refused_at_once(body: str) -> None:
    start = process_time()
    assert "nests" in problem(body, HTML)
    assert process_time() - start < LIMIT


@pytest.mark.fault(47)
@pytest.mark.fault("incident: setuptools CVE-2022-40897")
@pytest.mark.parametrize(
    "body",
    [
        "<a href='x'>" * DEEP,
        "<a href='foo-1.0.zip" * DEEP,
        "<" * DEEP,
        "<meta charset=" * DEEP,
        "<!--" * DEEP,
        '<a href="' + "../" * DEEP + 'foo-1.0.zip">x</a>',
        '<a href="https://' + "a" * DEEP + '/foo-1.0.zip">x</a>',
        f"<a {' '.join(f'a{n}=1' for n in range(10000))} href='x'>x</a>",
        "<li><p><td><tr>" * DEEP,
    ],
)
def test_hostile_html_takes_no_time(body: str) -> None:
    start = process_time()
    with pytest.raises(PageError):
        parse_page(body.encode(), HTML, URL, "bar")
    assert process_time() - start < LIMIT


TYPES = st.sampled_from([HTML, JSON, "application/json", "text/html; charset=utf-16"])
PIECES = st.sampled_from(
    [
        *("<a href='", "foo-1.0.zip", "'>", "</a>", "<base href='//[", "<meta name='pypi:", "&#0;"),
        *(
            "#sha256=",
            "tracks' content='",
            "{",
            '"files":',
            "[",
            "]",
            "}",
            '"meta":',
            ",",
            "\ud7ff",
        ),
        *('"name":', '"foo"', "null", "1", "\0", "://", "http", "?", "/", "..", "%", "data-yanked"),
    ]
)


@pytest.mark.fault(24)
@given(st.binary(max_size=50) | st.lists(PIECES, max_size=30).map("".join).map(str.encode), TYPES)
def test_nothing_but_a_page_error_comes_out(body: bytes, content_type: str) -> None:
    for parse in (
        lambda: parse_page(body, content_type, URL, "foo", public=True),
        lambda: project_names(body, content_type, URL),
    ):
        with suppress(PageError):
            parse()
