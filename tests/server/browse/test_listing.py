"""Search among the known names, and pagination."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from typing import Any

import pytest

from indexfallback.page import ProjectPage
from indexfallback.server.browse.listing import PER_PAGE, Listing, listing_page
from indexfallback.server.browse.search import find as search
from indexfallback.store import PageFacts, Store, Validators
from indexfallback.store.known_names import KnownNames, NameSource

Find = Callable[..., Listing]

KNOWN = ["zope-interface", "interface-zope", "zope", "idna"]
MANY = [f"name-{number:04}" for number in range(2 * PER_PAGE + 1)]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with closing(Store(tmp_path_factory.mktemp("listing"), 10**9)) as made:
        yield made


@pytest.fixture(scope="module")
def find(store: Store) -> Find:
    def found(names: list[str], query: str, page: int = 1) -> Listing:
        known = KnownNames(store.database, [NameSource("here", listed=names)])
        return search(known, ["here"], query, page)

    return found


def names(listing: Listing) -> list[str]:
    return [name for name, _ in listing.names]


def test_a_name_is_of_the_first_index_that_has_it_and_counts_once(store: Store) -> None:
    for source, project in (("public", "idna"), ("public", "both"), ("own", "both"), ("x", "no")):
        facts = PageFacts(Validators(), "digest", 1.0)
        store.pages.put(source, ProjectPage(name=project), facts)
    store.ledger.record_list("own", ["listed", "both", "idna"])
    store.ledger.record_copy("own", "a-copy")
    store.ledger.record_list("public", ["owns-nothing"])
    sources = [
        NameSource("own", owns=True),
        NameSource("public"),
        NameSource("d", listed=["d", "idna"]),
    ]
    listing = search(KnownNames(store.database, sources), ["1st", "2nd", "3rd"], "", 1)
    assert listing.names == [("both", "1st"), ("d", "3rd"), ("idna", "1st"), ("listed", "1st")]
    assert listing.found == 4


def test_of_many_names_those_of_one_page_are_read(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, rows = [], store.database.rows

    def counted(sql: str, parameters: Sequence[object] = ()) -> list[Any]:
        read.append(len(rows(sql, parameters)))
        return rows(sql, parameters)

    store.ledger.record_list("many", MANY)
    monkeypatch.setattr(store.database, "rows", counted)
    known = KnownNames(store.database, [NameSource("many", owns=True)])
    assert search(known, ["many"], "name", 1).found == len(MANY)
    assert max(read) == PER_PAGE


def test_without_a_query_all_names_are_there_in_their_order(find: Find) -> None:
    assert names(find(KNOWN, "")) == sorted(KNOWN)


def test_the_exact_name_comes_first_and_then_names_that_begin_with_it(find: Find) -> None:
    assert names(find(KNOWN, "zope")) == ["zope", "zope-interface", "interface-zope"]


@pytest.mark.parametrize("query", ["Zope.Interface", "zope_interface", " ZOPE-INTERFACE "])
def test_a_name_is_found_however_it_is_spelt(find: Find, query: str) -> None:
    assert names(find(KNOWN, query)) == ["zope-interface"]


@pytest.mark.parametrize(
    ("page", "shown", "first"),
    [(1, 1, "name-0000"), (2, 2, f"name-{PER_PAGE:04}"), (3, 3, f"name-{2 * PER_PAGE:04}"),
     (0, 1, "name-0000"), (99, 3, f"name-{2 * PER_PAGE:04}")],
)  # fmt: skip
def test_a_page_that_is_not_there_is_the_nearest_one(
    find: Find, page: int, shown: int, first: str
) -> None:
    listing = find(MANY, "", page)
    assert (listing.page, listing.pages, listing.names[0][0]) == (shown, 3, first)


def test_the_links_to_other_pages_keep_the_query(find: Find) -> None:
    page = listing_page(find(MANY, "name&x", 1))
    assert "0 known projects" in page
    page = listing_page(find(MANY, "name", 2))
    assert 'href="?q=name&amp;page=1"' in page
    assert 'href="?q=name&amp;page=3"' in page


def test_a_project_that_is_not_known_yet_can_be_asked_for(find: Find) -> None:
    assert '<a href="flask/">Ask the indexes for <b>flask</b>' in listing_page(
        find(KNOWN, "Flask", 1)
    )
    assert "Ask the indexes" not in listing_page(find(KNOWN, "zope", 1))
    assert "Ask the indexes" not in listing_page(find(KNOWN, "<b>", 1))


def test_a_query_is_text_wherever_it_is_shown(find: Find) -> None:
    page = listing_page(find(KNOWN, '"><script>alert(1)</script>', 1))
    assert "<script>" not in page
    assert 'value="&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;"' in page
