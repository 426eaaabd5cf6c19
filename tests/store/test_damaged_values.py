"""Values that SQLite reads without an error, and that are not what was written."""

from contextlib import closing
from typing import NamedTuple

import pytest

from indexfallback.page import ProjectPage
from indexfallback.store import Store
from indexfallback.store.documents import DocumentKey
from indexfallback.upstream.facts import Stamp
from tests.store.damaged import (
    FACTS,
    FACTS_OF_FILE,
    PAGES,
    PROJECTS,
    PUBLIC,
    RUN,
    Filled,
    mended,
    read_until_whole,
    safety,
)


class Value(NamedTuple):
    """A value of a row, and the damage of it."""

    table: str
    column: str
    damaged: object


#: For each table, a value that SQLite reads without an error.
VALUES = [
    Value("page", "body", b"x"),
    Value("page", "body", 7),
    Value("page", "etag", '"other"'),
    Value("page", "checked", "yesterday"),
    Value("document", "body", b"x"),
    Value("document", "modified", "never"),
    Value("provenance", "body", b"x"),
    Value("provenance", "checked", "yesterday"),
    Value("provenance", "sha256", "g" * 64),
    Value("blob", "size", "large"),
    Value("blob", "size", -1),
    Value("blob", "used", b"x"),
    Value("mirror_file", "sha256", "g" * 64),
    Value("mirror_file", "size", "large"),
    Value("origin", "origin", "javascript:1"),
    Value("local_file", "facts", b"x"),
    Value("health", "body", b"x"),
    Value("pace", "seconds", "slow"),
    Value("pin", "sha256", "g" * 64),
    Value("pin", "seen", b"x"),
    Value("name", "listed", "x"),
    Value("name_list", "fetched", "x"),
]


def damage(full: Store, value: Value) -> None:
    with full.database.write() as connection:
        # One row: a damaged value that is the same in all would break a unique index.
        rows = f"SELECT max({value.column}) FROM {value.table}"
        connection.execute(
            f"UPDATE {value.table} SET {value.column} = ? WHERE {value.column} IS ({rows})",
            (value.damaged,),
        )


@pytest.mark.fault(56)
@pytest.mark.parametrize("value", VALUES, ids=lambda v: f"{v.table}.{v.column}={v.damaged!r}")
def test_a_damaged_value_is_found_and_mended_and_nothing_is_found_the_next_time(
    full: Store, filled: Filled, value: Value
) -> None:
    damage(full, value)
    assert mended(full)
    full.close()
    with closing(Store(full.directory, 10**6)) as again:
        assert mended(again) == []
        assert safety(again) == filled.safety


@pytest.mark.parametrize("value", VALUES, ids=lambda v: f"{v.table}.{v.column}={v.damaged!r}")
def test_a_damaged_value_ends_no_reading(full: Store, filled: Filled, value: Value) -> None:
    damage(full, value)
    read_until_whole(full, filled)
    for project in PROJECTS:
        full.documents.load(DocumentKey(PUBLIC, project))
    assert set(full.pages.origins.all()) <= {"https://files.example.com"}
    assert full.local_files.get("/x", Stamp(1, 2)) in (None, FACTS_OF_FILE)
    assert full.health_records.get(PUBLIC) is None or value.table != "health"
    assert full.health_records.latency(PUBLIC) in (None, 0.5)
    assert sum(file.size for file in full.mirrors.files(PUBLIC)) >= 0
    assert full.mirrors.last_run(PUBLIC) in (None, RUN)
    assert full.blobs.eviction.evict(0)


def test_a_page_that_is_damaged_is_named_once_in_the_log(
    full: Store, caplog: pytest.LogCaptureFixture
) -> None:
    project = PROJECTS[3]
    for _ in range(2):
        full.database.execute("UPDATE page SET body = x'00' WHERE project = ?", (project,))
        assert full.pages.load(PUBLIC, project) is None
        assert full.pages.facts(PUBLIC, project) is None
        full.pages.put(PUBLIC, PAGES[project], FACTS[project])
    (said,) = [record.message for record in caplog.records]
    assert said == (
        f"the record of the page of {project} from {PUBLIC} is damaged; it is removed, and "
        "fetched again"
    )


def test_a_mirrored_page_that_was_lost_is_stored_again(full: Store) -> None:
    (project, *_) = PROJECTS
    facts = full.pages.facts(PUBLIC, project)
    assert facts is not None
    with full.database.write() as connection:
        connection.execute(
            "INSERT OR IGNORE INTO mirror_page VALUES (?, ?, 1, '')", (PUBLIC, project)
        )
        connection.execute("DELETE FROM page WHERE project = ?", (project,))
    full.pages.put(PUBLIC, ProjectPage(name=project), facts)
    assert full.pages.load(PUBLIC, project) == ProjectPage(name=project)
    full.pages.put(PUBLIC, ProjectPage(name=project, serial=7), facts)
    assert full.pages.load(PUBLIC, project) == ProjectPage(name=project)  # only the mirror's
