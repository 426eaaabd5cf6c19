"""The list of known projects, and its pages."""

from functools import partial

import pytest

from indexfallback.search.finding import Findings, Found
from indexfallback.search.query import query_of
from indexfallback.server.browse.listing import PER_PAGE, listing_of, listing_page
from tests.server.browse.conftest import Town

MANY = tuple(Found(f"name-{number:04}", "here") for number in range(2 * PER_PAGE + 1))


def found_in(known: tuple[Found, ...], start: int, most: int) -> Findings:
    return Findings(known[start : start + most], len(known))


def page_of(known: tuple[Found, ...], text: str = "", page: int = 1, classifier: str = "") -> str:
    return listing_page(listing_of(partial(found_in, known), query_of(text, classifier), page))


@pytest.mark.parametrize(
    ("page", "shown", "first"),
    [(1, 1, "name-0000"), (2, 2, f"name-{PER_PAGE:04}"), (3, 3, f"name-{2 * PER_PAGE:04}"),
     (0, 1, "name-0000"), (99, 3, f"name-{2 * PER_PAGE:04}")],
)  # fmt: skip
def test_a_page_that_is_not_there_is_the_nearest_one(page: int, shown: int, first: str) -> None:
    listing = listing_of(partial(found_in, MANY), query_of("name"), page)
    assert (listing.page, listing.pages) == (shown, 3)
    assert listing.found.projects[0].project == first


def test_the_links_to_other_pages_keep_the_query() -> None:
    assert "0 known projects" in page_of((), "name&x")
    page = page_of(MANY, "name", 2, "Framework :: Django")
    assert 'href="?q=name&amp;classifier=Framework+%3A%3A+Django&amp;page=1"' in page
    assert 'href="?q=name&amp;classifier=Framework+%3A%3A+Django&amp;page=3"' in page


def test_a_project_that_is_not_known_yet_can_be_asked_for() -> None:
    ask = '<a href="flask/">Ask the indexes for <b>flask</b>'
    assert ask in page_of((Found("flask-admin", "pypi"),), "Flask")
    assert "Ask the indexes" not in page_of((Found("flask", "pypi"),), "Flask")
    assert "Ask the indexes" not in page_of((), "<b>")


def test_all_that_is_shown_is_text() -> None:
    evil = "<script>alert(1)</script>"
    page = page_of((Found("demo", "pypi", evil, evil),), f'">{evil}', classifier=evil)
    assert "<script>" not in page
    assert 'value="&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;"' in page


def test_that_some_metadata_is_not_read_yet_is_said() -> None:
    def find(_start: int, _most: int) -> Findings:
        return Findings((), 0, is_complete=False)

    assert "Not all metadata is read yet" in listing_page(listing_of(find, query_of("x"), 1))


def test_a_project_is_found_by_its_summary_and_by_a_classifier(town: Town) -> None:
    for query in ("q=demonstr", "q=shows+DEMO", "classifier=framework+::+django", "q=LOVELACE"):
        page = town.page(f"/projects/?{query}")
        is_found = '<li><a href="demo/">demo</a> <small>2.0 · pypi</small>' in page
        assert is_found is ("LOVELACE" not in query), query


def test_programs_find_the_same_as_people(town: Town) -> None:
    found = town.shim.json("/-/search?q=demonstration&limit=5")
    assert found == {
        "text": "demonstration",
        "classifier": "",
        "total": 1,
        "complete": True,
        "projects": [
            {
                "project": "demo",
                "owner": "pypi",
                "version": "2.0",
                "summary": "A small <demonstration> of what a page shows",
            }
        ],
    }
    assert town.shim.get("/-/search?limit=0").status == 400
