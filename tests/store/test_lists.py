"""Lists of everything that is stored, which are read in small parts."""

import io
import json
from collections.abc import Iterator, Sequence
from contextlib import redirect_stdout
from typing import Any

import pytest

from indexfallback.cli.output import print_json_lists, print_table
from indexfallback.page import ProjectPage
from indexfallback.store import PageFacts, Store, Validators, inventory
from indexfallback.store.examination import problems
from indexfallback.store.pages import LATEST


@pytest.fixture(autouse=True)
def _small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("indexfallback.store.database.AT_ONCE", 3)


def test_every_stored_file_is_listed_once_under_each_of_its_names(store: Store) -> None:
    expected = []
    for number in range(10):
        sha256 = store.blobs.add(b"%d" % number).sha256
        for name in ("a.zip", "b.zip")[: 1 + number % 2]:
            store.pins.record(f"p{number // 4}", f"{number}-{name}", sha256, "s")
            expected.append((f"p{number // 4}", f"{number}-{name}", sha256))
    # The same file at another address.
    store.pins.record("p0", "0-a.zip", expected[0][2], "s", key="elsewhere")
    nameless = {store.blobs.add(b"nameless %d" % number).sha256 for number in range(5)}
    store.pins.record("p9", "is-not-stored.zip", "0" * 64, "s")
    files = [file[:3] for file in inventory.all_files(store)]
    assert {sha256 for _, _, sha256 in files[:5]} == nameless
    assert files[5:] == sorted(expected)


def test_every_stored_page_is_listed(store: Store) -> None:
    keys = [(source, f"p{number}") for source in ("a", "b") for number in range(4)]
    for source, project in reversed(keys):
        facts = PageFacts(Validators(), "digest", 1.0)
        store.pages.put(source, ProjectPage(name=project), facts)
    assert [(page.source, page.project) for page in inventory.all_pages(store)] == keys


def test_lists_are_printed_as_one_json_object() -> None:
    items = [{"number": number} for number in range(2500)]
    with redirect_stdout(io.StringIO()) as out:
        print_json_lists(files=iter(items), pages=iter([]))
    assert json.loads(out.getvalue()) == {"schema": 1, "files": items, "pages": []}


def test_files_and_pages_are_counted_by_project(store: Store) -> None:
    for source in ("a", "b"):
        for project in ("p0", "p1", "p3")[: 2 if source == "a" else 3]:
            facts = PageFacts(Validators(), "digest", 1.0)
            store.pages.put(source, ProjectPage(name=project), facts)
    for number in range(5):
        sha256 = store.blobs.add(b"%d" % number).sha256
        store.pins.record(f"p{number // 2}", f"{number}.zip", sha256, "s")
    store.blobs.add(b"nameless")
    found = [held[:4] for held in inventory.held_projects(store)]
    assert found == [
        ("", 1, 8, 0),
        ("p0", 2, 2, 2),
        ("p1", 2, 2, 2),
        ("p2", 1, 1, 0),
        ("p3", 0, 0, 1),
    ]


def test_no_part_of_an_examination_holds_all_records(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(30):
        sha256 = store.blobs.add(b"%d" % number).sha256
        store.pins.record(f"p{number}", f"{number}.zip", sha256, "s")
        facts = PageFacts(Validators(), "digest", 1.0)
        store.pages.put("s", ProjectPage(name=f"p{number}"), facts)
    with store.database.write() as connection:
        connection.execute(
            "INSERT INTO mirror_file SELECT source, project, filename, sha256, 1, NULL FROM pin"
        )
        connection.execute(
            "INSERT INTO mirror_page SELECT DISTINCT source, project, 1, '' FROM page"
        )
    read, rows = [], store.database.rows

    def counted(sql: str, parameters: Sequence[object] = ()) -> list[Any]:
        read.append(len(rows(sql, parameters)))
        return rows(sql, parameters)

    monkeypatch.setattr(store.database, "rows", counted)
    assert list(problems(store)) == []
    assert {verdict for _, verdict in store.blobs.verify()} <= {"right", "adopted"}
    assert sum(read) > 30
    assert max(read) <= 3


def test_the_latest_page_of_an_index_is_found_without_reading_the_others(store: Store) -> None:
    plan = [row[3] for row in store.database.rows(f"EXPLAIN QUERY PLAN {LATEST}", ("a",))]
    assert plan == ["SEARCH page USING INDEX page_checked (source=?)"]


def test_a_table_is_printed_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("indexfallback.cli.output._ITEMS", 2)
    printed = []

    def rows() -> Iterator[tuple[str, str]]:
        for name in ("a", "bb", "ccc", "d"):
            printed.append(out.getvalue().count("\n"))
            yield name, "x"

    with redirect_stdout(io.StringIO()) as out:
        print_table(("n", "t"), rows())
    assert printed == [0, 2, 2, 4]
    assert out.getvalue().splitlines() == ["n  t", "a  x", "bb   x", "ccc  x", "d    x"]
