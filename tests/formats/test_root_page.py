"""What is read from a root page, and what is none."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser

from indexfallback.errors import PageError
from indexfallback.formats import Media, render_names
from indexfallback.names import normalize
from tests.formats.support import project_names

URL = "https://example.com/simple/"
JSON = "application/vnd.pypi.simple.v1+json"
META = '<meta name="pypi:repository-version" content="1.0">'
NAME = st.from_regex(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,20}[A-Za-z0-9])?", fullmatch=True)


def html(body: str) -> tuple[str, ...]:
    return project_names(body.encode(), "text/html", URL)


@given(st.lists(NAME.map(normalize)), st.sampled_from(Media))
def test_names_are_read_back_sorted_and_once(names: list[str], media: Media) -> None:
    body = render_names(names, media)
    assert project_names(body, media.value, URL) == tuple(sorted(set(names)))


@pytest.mark.parametrize("media", Media)
def test_a_list_states_the_highest_version_since_none_requires_more_of_it(media: Media) -> None:
    assert b'"1.4"' in render_names(["acme-lib"], media)


def test_names_are_normalised_and_validated_in_json() -> None:
    projects = [{"name": "Zope.Interface", "_last-serial": 1}, {"name": "-x"}, {"name": "a"}]
    body = json.dumps({"meta": {"api-version": "1.0"}, "projects": projects}).encode()
    assert project_names(body, JSON, URL) == ("a", "zope-interface")


def test_entries_that_are_no_projects_are_dropped() -> None:
    body = json.dumps({"meta": {"api-version": "1.0", "x": 1}, "projects": [{"name": "a"}, 5, {}]})
    assert project_names(body.encode(), JSON, URL) == ("a",)


def test_names_are_normalised_and_validated_in_html() -> None:
    body = META + '<a href="/simple/zope-interface/">Zope.Interface</a><a href="x/">not valid!</a>'
    assert html(body) == ("zope-interface",)


@pytest.mark.parametrize(
    "href",
    ["foo-bar/", "Foo.Bar", "/simple/foo-bar/", "https://example.com/other/foo_bar/", "./foo-bar"],
)
def test_a_page_that_does_not_declare_itself_is_known_by_its_anchors(href: str) -> None:
    assert html(f'<a href="{href}">Foo_Bar</a>') == ("foo-bar",)


def test_a_directory_listing_is_a_root_page() -> None:
    assert html(
        '<a href="?C=N;O=D">Name</a><a href="?C=S">Size</a><a href="../">Parent Directory</a>'
        '<a href="a/">a/</a><a href="b/">b/</a>'
    ) == ("a", "b")


def test_an_index_may_be_empty() -> None:
    assert html("<!DOCTYPE html><html><head><title>Simple</title></head><body></body></html>") == ()
    assert project_names(b'{"meta": {"api-version": "1.0"}, "projects": []}', JSON, URL) == ()


@pytest.mark.parametrize(
    "body",
    [
        "",
        "<html><body><form><input type=password></form><a href='a/'>a</a></body></html>",
        "<html><body><script>1</script></body></html>",
        "<html><body><a href='/login'>login</a><a href='/help'>Help</a></body></html>",
        "<html><body><a href='https://example.com/news'>News</a></body></html>",
        "<html><body><a href='a/'>a</a><a href='x'>Imprint</a></body></html>",
        "<html><body><a href='foo-1.0.zip'>foo-1.0.zip</a></body></html>",
    ],
)
def test_html_that_is_no_list_of_projects_is_refused(body: str) -> None:
    with pytest.raises(PageError, match="HTML"):
        html(body)


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        ("{}", JSON),
        ("[]", JSON),
        ('{"projects": 5}', JSON),
        ('{"projects": [', JSON),
        ('{"projects": []}', "application/json"),
        ('{"meta": {"api-version": "2.0"}, "projects": []}', JSON),
        ('{"meta": {"api-version": "2.0"}, "projects": {}}', JSON),
        ('{"projects":' * 100_000, JSON),
        ("", "image/png"),
    ],
)
def test_an_answer_that_is_no_root_page_is_refused(body: str, content_type: str) -> None:
    with pytest.raises(PageError):
        project_names(body.encode(), content_type, URL)


LINK = '<a href="p{0}/">p{0}</a>'


@pytest.fixture
def _small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("indexfallback.formats.document._PART", 40)


@pytest.mark.usefixtures("_small_parts")
@pytest.mark.parametrize("head", ["", META])
@pytest.mark.parametrize("between", ["", "\n", "<br>\n", "</li><LI>", "<!-- p77 -->"])
def test_a_long_list_is_read_in_parts(
    head: str, between: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    parsed: list[str] = []

    def parse(text: str) -> LexborHTMLParser:
        parsed.append(text)
        return LexborHTMLParser(text)

    monkeypatch.setattr("indexfallback.formats.document.LexborHTMLParser", parse)
    links = (LINK.format(number) for number in range(20))
    assert html(head + between.join(links)) == tuple(sorted(f"p{n}" for n in range(20)))
    assert max(map(len, parsed)) < 150


@pytest.mark.usefixtures("_small_parts")
@pytest.mark.parametrize(
    ("start", "end"),
    [("<!--", "-->"), ("<script>", "</script>"), ("<STYLE>", "</style>"),
     ("<template>", "</template>"), ("<textarea>", "</textarea>")],
)  # fmt: skip
def test_links_that_are_hidden_in_a_long_list_name_no_projects(start: str, end: str) -> None:
    links = [LINK.format(number) for number in range(9)]
    body = "".join([*links[:3], start, *links[3:6], end, *links[6:]])
    assert html(META + body) == ("p0", "p1", "p2", "p6", "p7", "p8")


@pytest.mark.usefixtures("_small_parts")
@pytest.mark.parametrize("what", ["<input type=password>", '<a href="news">Latest news</a>' * 9])
def test_the_end_of_a_long_page_shows_that_it_is_no_list(what: str) -> None:
    with pytest.raises(PageError, match="not a list"):
        html("".join(LINK.format(number) for number in range(9)) + what)
