"""The logins in the links of a page: read beside the page, and told nowhere."""

import json
import logging

import pytest

from indexfallback.errors import PageError
from indexfallback.formats import Media, parse_page, render_page

URL = "https://example.com/simple/foo/"
JSON = "application/vnd.pypi.simple.v1+json"
FILE = "foo-1.0.zip"
THERE = f"https://files.example.com/{FILE}"
WITH_LOGIN = THERE.replace("//", "//ci:s3cret@")


def in_html(href: str, base: str = "") -> bytes:
    head = '<meta name="pypi:repository-version" content="1.0">'
    head += f'<base href="{base}">' if base else ""
    return f'<html><head>{head}</head><body><a href="{href}">{FILE}</a></body></html>'.encode()


def in_json(**file: object) -> bytes:
    page = {"meta": {"api-version": "1.0"}, "name": "foo"}
    return json.dumps({**page, "files": [{"filename": FILE, "hashes": {}, **file}]}).encode()


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (in_html(WITH_LOGIN), "text/html"),
        (in_html(FILE, base="https://ci:s3cret@files.example.com/"), "text/html"),
        (in_json(url=WITH_LOGIN), JSON),
        (in_json(url=WITH_LOGIN, **{"unknown-key": 1}), JSON),
    ],
)
def test_a_page_has_no_login_and_its_reader_gets_those_of_its_links(
    body: bytes, content_type: str
) -> None:
    logins: dict[str, str] = {}
    page = parse_page(body, content_type, URL, "foo", logins=logins)
    assert logins == {THERE: "ci:s3cret"}
    assert [file.url for file in page.files] == [THERE]
    for media in Media:
        assert b"s3cret" not in render_page(page, media, lambda file: file.url)
    assert "s3cret" not in repr(page)


@pytest.mark.fault(46)
@pytest.mark.parametrize(
    "body",
    [
        in_html("https://ci:s3cret@example.zip"),
        in_html("https://ci:s3cret@example.com:port/foo-1.0.zip"),
        in_html(WITH_LOGIN + "#sha256=00"),
    ],
)
def test_a_link_that_is_left_out_is_logged_without_its_login(
    body: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    page = parse_page(body, "text/html", URL, "foo")
    assert not page.files
    assert "s3cret" not in caplog.text + repr(page)


@pytest.mark.fault(46)
def test_what_is_no_page_is_named_without_a_login() -> None:
    url = URL.replace("//", "//ci:s3cret@")
    for content_type in ("text/html", JSON, "image/png"):
        with pytest.raises(PageError) as raised:
            parse_page(b"<p>s", content_type, url, "foo")
        assert "s3cret" not in str(raised.value)
