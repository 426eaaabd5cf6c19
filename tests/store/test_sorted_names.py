"""Many names in order, and the reading and recording of such lists in pieces."""

import random
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexfallback.formats import parse_listing, render_names
from indexfallback.formats.negotiation import Media
from indexfallback.process import pauses
from indexfallback.store import Store
from indexfallback.store.sorted_names import SortedNames

#: Names of three pieces, most with the same start.
NAMES = [f"acme-{number}" for number in range(2 * pauses.PIECE)] + ["a", "acme", "zope", "b1"]
SHUFFLED = random.Random(1).sample(NAMES, len(NAMES))


@pytest.fixture
def paused(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Return the pauses from now on, which are not made."""
    made: list[float] = []
    monkeypatch.setattr("indexfallback.process.pauses.time.sleep", made.append)
    return made


@given(st.lists(st.text("abc-", min_size=1, max_size=4)), st.text("abc-", min_size=1, max_size=4))
def test_names_are_those_of_a_sorted_set(listed: list[str], other: str) -> None:
    names = SortedNames(listed)
    assert list(names) == sorted(set(listed))
    assert len(names) == len(set(listed))
    assert all(name in names for name in listed)
    assert (other in names) == (other in listed)
    assert names.digest() == SortedNames(reversed(listed)).digest()


@pytest.mark.parametrize("order", [list, sorted, lambda names: sorted(names, reverse=True)])
def test_many_names_are_ordered_whatever_their_order_was(
    order: Callable[[list[str]], list[str]], paused: list[float]
) -> None:
    names = SortedNames(order(SHUFFLED))
    assert list(names) == sorted(NAMES)
    assert len(names) == len(NAMES)
    assert names.digest() == SortedNames(NAMES).digest()
    assert "acme-77" in names
    assert "acme-" not in names
    assert paused


def test_a_part_of_a_name_or_two_names_are_no_member() -> None:
    names = SortedNames(["acme", "zope"])
    assert "acm" not in names
    assert "" not in names
    assert "" not in SortedNames([])


def test_different_names_have_different_digests() -> None:
    assert SortedNames(["ab", "c"]).digest() != SortedNames(["a", "bc"]).digest()


def test_other_threads_run_while_many_names_are_ordered_and_digested(paused: list[float]) -> None:
    names = SortedNames(NAMES)
    assert len(paused) >= 2 * len(NAMES) // pauses.PIECE
    before = len(paused)
    names.digest()
    assert len(paused) > before


@pytest.mark.parametrize("media", [Media.JSON_V1, Media.HTML])
def test_the_names_of_a_root_page_are_read_one_by_one(media: Media) -> None:
    body = render_names(NAMES, media)
    listed, _ = parse_listing(body, media.value, "https://a.example.com/simple/")
    assert iter(listed) is listed
    assert dict(listed) == dict.fromkeys(NAMES)


def test_a_list_that_was_not_written_is_joined_with_the_next(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store.ledger, "write_list", lambda _source: None)
    monkeypatch.setattr(store.ledger, "_confirm_list", lambda *_: False)
    store.ledger.record_list("a", ["one", "two"])
    store.ledger.record_list("a", ["three"])
    assert [bool(store.ledger.owners(name)) for name in ("one", "two", "three", "four")] == [
        True, True, True, False
    ]  # fmt: skip
