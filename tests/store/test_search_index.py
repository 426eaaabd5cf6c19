"""The search index, by FTS5 and by LIKE."""

import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexfallback.search.query import query_of
from indexfallback.store.search_file import has_fts5
from indexfallback.store.search_index import Described, SearchIndex

PYPI, OWN = "https://pypi.example.com/simple/", "https://own.example.com/simple/"
BOTH = (PYPI, OWN)


def described(
    project: str,
    summary: str = "",
    keywords: str = "",
    classifiers: tuple[str, ...] = (),
    source: str = PYPI,
) -> Described:
    return Described(source, project, "1.0", project, summary, keywords, classifiers)


KNOWN = [
    described("a-keyword", "Other", "client"),
    described("b-summary", "A client of things"),
    described("the-client", "Other"),
    described("d-classifier", "Other", "", ("Topic :: Client Software", "Framework :: Django")),
    described("zope.interface", "Interfaces for Python", "", ("Framework :: Zope",)),
    described("pyyaml", "Crème brûlée, YAML 1.1"),
]


@pytest.fixture(params=[True, False], ids=["FTS5", "LIKE"])
def index(request: pytest.FixtureRequest, tmp_path: Path) -> SearchIndex:
    if request.param and not has_fts5():
        pytest.skip("SQLite was built without FTS5")
    made = SearchIndex(tmp_path, fts=request.param)
    made.put(KNOWN)
    return made


def names(index: SearchIndex, text: str = "", classifier: str = "") -> list[str]:
    query = query_of(text, classifier)
    found = index.find(query.words, query.classifier, 100, sources=BOTH)
    return [match.project for match in found]


def test_name_counts_more_than_summary_then_keywords_then_classifiers(index: SearchIndex) -> None:
    assert names(index, "client") == ["the-client", "b-summary", "a-keyword", "d-classifier"]


@pytest.mark.parametrize(
    "text", ["Zope.Interface", "interf", "zope int", "PYTHON for", '"zope"', "zope AND", "zope*"]
)
def test_all_words_are_wanted_and_the_last_may_be_the_beginning_of_one(
    index: SearchIndex, text: str
) -> None:
    assert names(index, text) == ([] if text == "zope AND" else ["zope.interface"])


def test_the_best_come_first_and_the_others_are_left_out(index: SearchIndex) -> None:
    found = index.find(["client"], "", 2, sources=BOTH)
    assert [match.project for match in found] == ["the-client", "b-summary"]


@pytest.mark.parametrize(
    ("bound", "left"),
    [
        ({"scope": ["z*", "?-classifier"]}, "d-classifier"),
        ({"besides": "-client", "scope": ["*client*", "a-*"]}, "a-keyword"),
        ({"sources": [OWN]}, "our-client"),
    ],
)
def test_what_may_not_be_found_takes_no_place_of_what_may(
    index: SearchIndex, bound: dict[str, Any], left: str
) -> None:
    index.put([described("our-client", source=OWN)])
    found = index.find(["client"], "", 1, **{"sources": BOTH, **bound})
    assert [match.project for match in found] == [left]


def test_a_classifier_is_found_by_its_beginning_in_any_case(index: SearchIndex) -> None:
    assert names(index, classifier="framework ::") == ["d-classifier", "zope.interface"]
    assert names(index, "other", "Framework :: Django") == ["d-classifier"]
    assert names(index, classifier="Django") == []


def test_a_description_replaces_the_one_before_and_can_be_removed(index: SearchIndex) -> None:
    index.put([described("pyyaml", "Emitter")])
    assert (names(index, "creme"), names(index, "emitter")) == ([], ["pyyaml"])
    index.put([described("pyyaml", "Of another index", source=OWN)])
    index.put([], [(PYPI, "pyyaml")])
    assert [match.source for match in index.of_projects(["pyyaml"])] == [OWN]
    index.remove("pyyaml")
    assert index.of_projects(["pyyaml", "the-client"])[0].project == "the-client"


def test_what_is_marked_is_due_until_it_is_described(index: SearchIndex) -> None:
    index.note(PYPI, "flask")
    index.note(PYPI, "flask")
    index.note(PYPI, "gone")
    assert index.due(10) == []
    index.write_notes()
    assert index.due(10) == [(PYPI, "flask"), (PYPI, "gone")]
    index.put([described("flask")], [(PYPI, "gone")])
    assert index.due(10) == []


def test_what_is_withheld_is_due_when_its_time_has_come(index: SearchIndex) -> None:
    later = time.time() + 1000
    index.put([described("pyyaml")._replace(until=later), described("zope")._replace(until=1.0)])
    assert index.due(10) == [(PYPI, "zope")]
    index.postpone([(PYPI, "zope")], later)
    assert index.due(10) == []
    index.mark([(PYPI, "pyyaml")])
    assert index.due(10) == [(PYPI, "pyyaml")]


def test_other_rules_mark_all_that_is_described(index: SearchIndex) -> None:
    index.set_filled("none")
    assert (index.is_filled("none"), index.is_filled("7 days")) == (True, False)
    index.put([], index.due(100))
    assert index.due(100) == []
    index.put([described("pyyaml")])
    index.set_filled("7 days")
    assert (index.due(100), index.is_filled("7 days")) == ([(PYPI, "pyyaml")], True)


def test_many_notes_do_not_stay_in_memory(index: SearchIndex) -> None:
    for number in range(1500):
        index.note(PYPI, f"name-{number}")
    assert len(index.due(2000)) == 1000


@given(text=st.text(max_size=40) | st.text(alphabet='abAND OR NOT NEAR"*^:(){}+-%_\\', max_size=40))
@settings(max_examples=100, deadline=None)
def test_no_text_is_an_error(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    query = query_of(text, text)
    for fts in {has_fts5(), False}:
        index = SearchIndex(tmp_path_factory.getbasetemp(), fts=fts)
        index.find(query.words, "", 10, sources=BOTH)
        index.find((), query.classifier, 10, sources=BOTH)


def damage(path: Path) -> None:
    path.write_bytes(b"SQLite format 3\0" + b"\xff" * 5000)


def foreign(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 99")


@pytest.mark.parametrize("spoil", [damage, foreign])
def test_a_file_that_cannot_be_used_is_made_again(
    tmp_path: Path, spoil: Callable[[Path], None]
) -> None:
    index = SearchIndex(tmp_path)
    index.put(KNOWN)
    index.set_filled("")
    spoil(next(tmp_path.glob("search*.sqlite3")))
    with pytest.raises(sqlite3.DatabaseError):
        index.find(["client"], "", 10, sources=BOTH)
    assert index.find(["client"], "", 10, sources=BOTH) == []
    assert not index.is_filled("")
