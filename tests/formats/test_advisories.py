"""Known vulnerabilities in the JSON of an index and of OSV, of every shape."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexfallback.formats.advisories import (
    Advisory,
    Match,
    Release,
    merged,
    of_index,
    of_osv,
    osv_batch,
    osv_matches,
)

#: Anything that JSON can hold.
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inside: st.lists(inside) | st.dictionaries(st.text(), inside),
    max_leaves=10,
)
_TEXTS = ("id", "details", "summary", "link", "source", "withdrawn", "modified")
_LISTS = ("aliases", "fixed_in", "affected", "references")
#: An entry of a list of vulnerabilities with fields that may be of any shape.
_ENTRY = st.fixed_dictionaries(
    {},
    optional=dict.fromkeys((*_TEXTS, *_LISTS), _JSON),
)


def document(*entries: Any, version: str = "1.0") -> bytes:
    return json.dumps({"info": {"version": version}, "vulnerabilities": list(entries)}).encode()


def test_all_fields_of_an_index_are_read() -> None:
    entry = {
        "id": "PYSEC-2026-1",
        "aliases": ["CVE-2026-1", "GHSA-aaaa-bbbb-cccc"],
        "summary": None,
        "details": "\n  Paths are not checked.\nSee the report.",
        "fixed_in": ["1.1", "2.0"],
        "link": "https://osv.example.com/PYSEC-2026-1",
        "source": "osv",
        "withdrawn": None,
    }
    version, (advisory,) = of_index(document(entry))
    assert version == "1.0"
    assert advisory == Advisory(
        "PYSEC-2026-1",
        ("CVE-2026-1", "GHSA-aaaa-bbbb-cccc"),
        "Paths are not checked.",
        ("1.1", "2.0"),
        "https://osv.example.com/PYSEC-2026-1",
        "osv",
    )
    assert advisory.name == "CVE-2026-1"


def test_what_was_withdrawn_is_left_out() -> None:
    assert of_index(document({"id": "X-1", "withdrawn": "2026-01-01T00:00:00Z"}))[1] == ()
    assert of_osv(b'{"id": "X-1", "withdrawn": "2026-01-01T00:00:00Z"}', "demo") is None


@pytest.mark.parametrize("link", ["javascript:alert(1)", "ftp://x", 1, "https://x\ny"])
def test_a_link_is_a_web_address_or_none(link: object) -> None:
    assert of_index(document({"id": "X-1", "link": link}))[1] == (Advisory("X-1"),)


def test_texts_have_one_line_without_control_characters() -> None:
    _, (advisory,) = of_index(document({"id": "X-1", "summary": "a\x1b[31mb" + "c" * 999}))
    assert advisory.summary.startswith("a[31mbccc")
    assert len(advisory.summary) == 500


@pytest.mark.parametrize("identifier", ["", None, 7, "../../x", "a b", "x" * 101])
def test_an_entry_without_an_identifier_is_left_out(identifier: object) -> None:
    assert of_index(document({"id": identifier}))[1] == ()


@given(st.binary() | st.lists(_JSON | _ENTRY).map(lambda entries: document(*entries)))
def test_a_document_of_any_shape_is_read(body: bytes) -> None:
    for advisory in of_index(body)[1]:
        assert advisory.id.isprintable()


@given(st.binary() | _ENTRY.map(lambda entry: json.dumps(entry).encode()))
def test_a_record_of_any_shape_is_read(body: bytes) -> None:
    advisory = of_osv(body, "demo")
    assert advisory is None or advisory.id


def test_a_record_of_osv_has_the_corrections_of_its_project_alone() -> None:
    def affected(name: str, ecosystem: str, kind: str, fixed: str) -> dict[str, Any]:
        ranges = [{"type": kind, "events": [{"introduced": "0"}, {"fixed": fixed}]}]
        return {"package": {"name": name, "ecosystem": ecosystem}, "ranges": ranges}

    record = {
        "id": "GHSA-aaaa-bbbb-cccc",
        "modified": "2026-01-02T00:00:00Z",
        "summary": "broken",
        "affected": [
            affected("Demo.App", "PyPI", "ECOSYSTEM", "1.1"),
            affected("demo-app", "PyPI", "GIT", "0123abc"),
            affected("demo-app", "npm", "ECOSYSTEM", "9"),
            affected("other", "PyPI", "ECOSYSTEM", "8"),
        ],
        "references": [
            {"type": "WEB", "url": "https://example.com/web"},
            {"type": "ADVISORY", "url": "https://example.com/advisory"},
        ],
    }
    advisory = of_osv(json.dumps(record).encode(), "demo-app")
    assert advisory is not None
    assert advisory.fixed_in == ("1.1",)
    assert advisory.link == "https://example.com/advisory"
    assert advisory.modified == "2026-01-02T00:00:00Z"


def test_two_entries_about_one_vulnerability_are_one() -> None:
    joined = merged(
        [
            Advisory("GHSA-1", ("CVE-1",), fixed_in=("1.1",)),
            Advisory("PYSEC-1", ("CVE-1",), "broken", ("1.1", "2.0"), "https://example.com/1"),
            Advisory("CVE-2"),
        ]
    )
    assert joined == (
        Advisory("GHSA-1", ("CVE-1", "PYSEC-1"), "broken", ("1.1", "2.0"), "https://example.com/1"),
        Advisory("CVE-2"),
    )


def test_a_batch_asks_for_names_and_versions_in_their_order() -> None:
    body = json.loads(osv_batch([Release("demo", "1.0"), Release("other", "2.0")]))
    assert body["queries"] == [
        {"package": {"name": "demo", "ecosystem": "PyPI"}, "version": "1.0"},
        {"package": {"name": "other", "ecosystem": "PyPI"}, "version": "2.0"},
    ]


def test_the_answer_to_a_batch_has_a_list_for_each_release() -> None:
    body = {"results": [{"vulns": [{"id": "X-1", "modified": "now"}, {"id": 7}, 8]}, {}, None]}
    assert osv_matches(json.dumps(body).encode(), 3) == [(Match("X-1", "now"),), (), ()]


@given(st.binary() | _JSON.map(lambda value: json.dumps(value).encode()))
def test_anything_else_is_no_answer(body: bytes) -> None:
    assert osv_matches(body, 1) is None


def test_what_nests_too_deeply_states_nothing() -> None:
    deep = b'{"vulnerabilities": %s%s}' % (b"[" * 100_000, b"]" * 100_000)
    assert (of_index(deep), of_osv(deep, "demo"), osv_matches(deep, 1)) == (("", ()), None, None)
