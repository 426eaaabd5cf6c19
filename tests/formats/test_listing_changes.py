"""The differences between two root pages are found without reading what is the same in both."""

import json
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexfallback.formats import listing_changes, parse_listing

JSON = "application/vnd.pypi.simple.v1+json"
URL = "https://index.example.com/simple/"

#: Few short names, of which many end in 0, as do many serials: so pieces are short.
LISTS = st.dictionaries(
    st.text("ab01", min_size=1, max_size=4), st.integers(0, 40) | st.none(), max_size=30
)
LAYOUTS = st.sampled_from(["serial first", "name first", "indented", "meta last"])


def written(serials: Mapping[str, int | None], layout: str, serial: int = 7) -> bytes:
    """Return a root page with the names in the order of ``serials``."""
    entries = [
        {"name": name, "_last-serial": stated}
        if layout == "name first"
        else {"_last-serial": stated, "name": name}
        for name, stated in serials.items()
    ]
    meta = {"api-version": "1.1", "_last-serial": serial}
    page = {"meta": meta, "projects": entries}
    if layout == "meta last":
        page = {"projects": entries, "meta": meta}
    indent = 1 if layout == "indented" else None
    return json.dumps(page, indent=indent, separators=(",", ":")).encode()


@given(LISTS, LISTS, LAYOUTS, st.randoms(use_true_random=False))
def test_what_is_neither_present_nor_past_is_the_same_in_both(
    before: dict[str, int | None], other: dict[str, int | None], layout: str, random: object
) -> None:
    now = dict(before)
    for name, stated in other.items():
        if stated is None and len(now) > 1:
            now.pop(name, None)
        else:
            now[name] = stated
    changes = listing_changes(written(before, layout), written(now, layout, 9), JSON)
    assert changes is not None
    assert changes.serial == 9
    assert changes.present.items() <= now.items()
    assert changes.past.items() <= before.items()
    differing = {
        name for name in before.keys() | now.keys() if before.get(name, -1) != now.get(name, -1)
    }
    assert differing <= changes.present.keys() | changes.past.keys()
    assert before.keys() - now.keys() == changes.past.keys() - now.keys()


def test_of_a_long_list_only_the_entries_around_a_change_are_read() -> None:
    before = {f"project-{number}": number for number in range(5000)}
    now = {**before, "project-3333": 6000, "new": 6001}
    changes = listing_changes(written(before, "serial first"), written(now, "serial first"), JSON)
    assert changes is not None
    assert {"project-3333": 6000, "new": 6001}.items() <= changes.present.items()
    assert len(changes.present) < 50


@given(st.data())
def test_a_list_that_breaks_off_is_no_list(data: st.DataObject) -> None:
    whole = written({f"a{number}": number for number in range(40)}, "serial first")
    end = data.draw(st.integers(0, len(whole) - 1))
    assert listing_changes(whole, whole[:end], JSON) is None


@pytest.mark.parametrize(
    "page",
    [
        b'{"meta":{"api-version":"2.0"},"projects":[]}',
        b'{"meta":{"api-version":"1.1"},"names":[]}',
        b'{"meta":{"api-version":"1.1"},"projects":[{"name":"a","_last-serial":"x"}]}',
        b'{"meta":{"api-version":"1.1"},"projects":[{"name":10},{"name":"a0"}]}',
        b'{"meta":{"note":"\\"projects\\":["},"projects":[{"name":"a0"}]}',
        b"[]",
        b"",
    ],
)
def test_a_page_with_something_unusual_is_left_to_the_reader_of_whole_pages(page: bytes) -> None:
    assert listing_changes(written({"a0": 1}, "serial first"), page, JSON) is None


def test_names_are_normalised() -> None:
    changes = listing_changes(
        written({}, "serial first"), written({"A__b": 1}, "serial first"), JSON
    )
    assert changes is not None
    assert changes.present == {"a-b": 1}


def test_html_is_not_compared() -> None:
    page = written({"a": 1}, "serial first")
    assert listing_changes(page, page, "text/html") is None
    assert dict(parse_listing(page, JSON, URL)[0]) == {"a": 1}
