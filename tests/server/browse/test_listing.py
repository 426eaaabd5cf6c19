"""Search among the known names, and pagination."""

import pytest

from indexfallback.server.browse.listing import PER_PAGE, find, listing_page

KNOWN = dict.fromkeys(("zope-interface", "interface-zope", "zope", "idna"), "pypi")
MANY = {f"name-{number:04}": "pypi" for number in range(2 * PER_PAGE + 1)}


def names(query: str) -> list[str]:
    return [name for name, _ in find(KNOWN, query, 1).names]


def test_without_a_query_all_names_are_there_in_their_order() -> None:
    assert names("") == sorted(KNOWN)


def test_the_exact_name_comes_first_and_then_names_that_begin_with_it() -> None:
    assert names("zope") == ["zope", "zope-interface", "interface-zope"]


@pytest.mark.parametrize("query", ["Zope.Interface", "zope_interface", " ZOPE-INTERFACE "])
def test_a_name_is_found_however_it_is_spelt(query: str) -> None:
    assert names(query) == ["zope-interface"]


@pytest.mark.parametrize(
    ("page", "shown", "first"),
    [(1, 1, "name-0000"), (2, 2, f"name-{PER_PAGE:04}"), (3, 3, f"name-{2 * PER_PAGE:04}"),
     (0, 1, "name-0000"), (99, 3, f"name-{2 * PER_PAGE:04}")],
)  # fmt: skip
def test_a_page_that_is_not_there_is_the_nearest_one(page: int, shown: int, first: str) -> None:
    listing = find(MANY, "", page)
    assert (listing.page, listing.pages, listing.names[0][0]) == (shown, 3, first)


def test_the_links_to_other_pages_keep_the_query() -> None:
    page = listing_page(find(MANY, "name&x", 1))
    assert "0 known projects" in page
    page = listing_page(find(MANY, "name", 2))
    assert 'href="?q=name&amp;page=1"' in page
    assert 'href="?q=name&amp;page=3"' in page


def test_a_project_that_is_not_known_yet_can_be_asked_for() -> None:
    assert '<a href="flask/">Ask the indexes for <b>flask</b>' in listing_page(
        find(KNOWN, "Flask", 1)
    )
    assert "Ask the indexes" not in listing_page(find(KNOWN, "zope", 1))
    assert "Ask the indexes" not in listing_page(find(KNOWN, "<b>", 1))


def test_a_query_is_text_wherever_it_is_shown() -> None:
    page = listing_page(find(KNOWN, '"><script>alert(1)</script>', 1))
    assert "<script" not in page
    assert 'value="&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;"' in page
