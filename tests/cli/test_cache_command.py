"""The commands of ``cache``."""

import hashlib
import os
import sqlite3
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from indexfallback.page import ProjectPage
from indexfallback.store import PageFacts, Store, Validators
from indexfallback.store.partials import PARTIAL_SECONDS
from tests.cli.support import COLUMNS, CommandLine
from tests.conftest import Serve
from tests.fakes import FakeIndex, wheel
from tests.serving import index_table, wait_until

PRIVATE = "https://packages.example.com/simple/"
SHARED = b"the same bytes under two names"


@pytest.fixture
def cache(cli: CommandLine) -> Path:
    """A store with files of two projects that share one, and a page and a ledger entry."""
    cli.configure(index_table("private", PRIVATE, role="private"))
    store = Store(cli.cache, 10**9)
    for project, filename, data in (
        ("acme-app", "acme_app-1.4-py3-none-any.whl", b"a" * 2000),
        ("acme-app", "acme_app-1.3-py3-none-any.whl", SHARED),
        ("acme-fork", "acme_fork-1.3-py3-none-any.whl", SHARED),
    ):
        blob = store.blobs.add(data)
        store.pins.record(project, filename, blob.sha256, PRIVATE)
    facts = PageFacts(Validators(), "digest", time.time())
    store.pages.put(PRIVATE, ProjectPage(name="acme-app"), facts)
    store.ledger.record_page(PRIVATE, "acme-app")
    store.close()
    return cli.cache


def blob(cache: Path, data: bytes) -> Path:
    sha256 = hashlib.sha256(data).hexdigest()
    return cache / "blobs" / "sha256" / sha256[:2] / sha256


def change(cache: Path, sql: str) -> None:
    """Change the database as no program of ours does."""
    with closing(sqlite3.connect(cache / "index.sqlite3")) as connection:
        connection.executescript(sql)


def test_info_says_where_and_how_much(cli: CommandLine, cache: Path) -> None:
    done = cli("cache", "info").expect()
    rows = dict(line.split(maxsplit=1) for line in done.out.splitlines())
    assert rows["directory"] == str(cache)
    assert rows["files"] == "2, 2.0 KB of 20 GB"
    assert rows["pages"] == "1"
    assert rows["quarantine"] == "0 files"


def test_info_as_json_has_bytes(cli: CommandLine, cache: Path) -> None:
    report = cli("cache", "info", "--json").expect().json
    assert (report["files"], report["bytes"]) == (2, 2000 + len(SHARED))
    assert (report["limit"], report["quarantined"]) == (20 * 1000**3, 0)
    assert report["database"] > 0


def test_list_shows_projects_with_their_sizes(cli: CommandLine, cache: Path) -> None:
    done = cli("cache", "list").expect()
    rows = [line.split()[:5] for line in done.out.splitlines()[1:]]
    assert rows == [
        ["acme-app", "2", "2.0", "KB", "1"],
        ["acme-fork", "1", "30", "B", "0"],
    ]


def test_list_of_a_project_shows_its_files_and_pages(cli: CommandLine, cache: Path) -> None:
    done = cli("cache", "list", "Acme.App").expect()
    assert "acme_app-1.4-py3-none-any.whl 2 KB" in done.words
    assert "acme_fork" not in done.out
    assert "page of private, last confirmed" in done.words


def test_list_as_json_names_hashes(cli: CommandLine, cache: Path) -> None:
    report = cli("cache", "list", "--json").expect().json
    assert {file["sha256"] for file in report["files"]} == {
        blob(cache, data).name for data in (SHARED, b"a" * 2000)
    }
    assert [page["project"] for page in report["pages"]] == ["acme-app"]


def test_list_of_nothing_says_so(cli: CommandLine) -> None:
    cli.configure(index_table("private", PRIVATE))
    assert "nothing of nope is cached in" in cli("cache", "list", "nope").expect().words
    assert cli("cache", "list", "--json").expect().json == {
        "schema": 1, "files": [], "pages": [],
    }  # fmt: skip


def test_verify_finds_everything_right(cli: CommandLine, cache: Path) -> None:
    assert cli("cache", "verify").expect().out == "2 files checked, 2 valid\n"


def test_verify_tells_of_wrong_missing_and_unrecorded_files_and_ends_with_1(
    cli: CommandLine, cache: Path
) -> None:
    wrong, gone, extra = blob(cache, SHARED), blob(cache, b"a" * 2000), blob(cache, b"extra")
    wrong.write_bytes(b"something else")
    gone.unlink()
    extra.parent.mkdir(exist_ok=True)
    extra.write_bytes(b"extra")
    report = cli("cache", "verify", "--json").expect(1).json
    assert report == {
        "schema": 1, "right": 0, "records": [], "quarantined": [wrong.name], "missing": [gone.name],
        "adopted": [extra.name],
    }  # fmt: skip
    assert (cache / "quarantine" / wrong.name).read_bytes() == b"something else"
    assert cli("cache", "verify").expect().out == "1 file checked, 1 valid\n"
    assert cli("cache", "info", "--json").expect().json["quarantined"] == 1


def test_verify_says_what_it_did_with_a_wrong_file(cli: CommandLine, cache: Path) -> None:
    blob(cache, SHARED).write_bytes(b"cut")
    done = cli("cache", "verify").expect(1)
    assert f"quarantined: {blob(cache, SHARED).name}" in done.out
    assert "1 file damaged: moved to quarantine" in done.words


def test_verify_mends_a_page_says_so_and_finds_nothing_the_next_time(
    cli: CommandLine, cache: Path
) -> None:
    change(cache, "UPDATE page SET body = x'00'")
    done = cli("cache", "verify").expect(1)
    assert f"records: the page of acme-app from {PRIVATE} is damaged: it is removed" in done.words
    assert cli("cache", "verify").expect().out == "2 files checked, 2 valid\n"


@pytest.mark.parametrize("column", ["sha256", "key"])
def test_verify_makes_the_database_again_for_a_damaged_pin(
    cli: CommandLine, cache: Path, column: str
) -> None:
    change(cache, f"UPDATE pin SET {column} = 'g' WHERE filename LIKE '%1.4%'")
    report = cli("cache", "verify", "--json").expect(1).json
    (said,) = report["records"]
    assert "a record of pin is not valid): it is set aside, and made again" in said
    assert report["right"] == 2
    assert cli("cache", "verify").expect().out == "2 files checked, 2 valid\n"
    assert cli("cache", "info", "--json").expect().json["pages"] == 1


def test_verify_finds_an_index_of_the_database_that_lacks_a_row(
    cli: CommandLine, cache: Path
) -> None:
    change(
        cache,
        "PRAGMA writable_schema = ON; DELETE FROM sqlite_master WHERE name = 'pin_sha256'",
    )
    assert "index.sqlite3 is damaged" in cli("cache", "verify").expect(1).words
    cli("cache", "verify").expect()


def test_doctor_names_damaged_records_and_verify_as_the_remedy(
    cli: CommandLine, cache: Path
) -> None:
    change(cache, "UPDATE page SET etag = 'another'")
    report = cli("doctor", "--json").expect(1).json["findings"]
    (found,) = [each for each in report if "the page of acme-app" in each["what"]]
    assert found["remedy"] == "indexfallback cache verify"


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
def test_verify_shows_a_bar_on_a_terminal(cli: CommandLine, cache: Path) -> None:
    done = cli.on_terminal("cache", "verify").expect()
    assert "Hashing" in done.out
    assert "2 files checked, 2 valid" in done.out


def test_gc_keeps_what_is_within_the_limit_and_removes_what_is_abandoned(
    cli: CommandLine, cache: Path
) -> None:
    old, young = cache / "partial" / "old", cache / "partial" / "young"
    for path in (old, young):
        path.touch()
    then = time.time() - PARTIAL_SECONDS - 60
    os.utime(old, (then, then))
    (cache / "quarantine").mkdir()
    (cache / "quarantine" / "wrong").touch()
    report = cli("cache", "gc", "--json").expect().json
    assert report == {
        "schema": 1, "evicted": 0, "bytes": 0, "partials": 1, "quarantined": 1,
    }  # fmt: skip
    assert young.exists()


def test_gc_goes_down_to_the_limit(cli: CommandLine, cache: Path) -> None:
    cli.configure(index_table("private", PRIVATE), cache={"max_size": "1 KB"})
    done = cli("cache", "gc").expect()
    assert done.out.startswith("Removed 1 least recently used file (2 KB), 0 abandoned")
    assert cli("cache", "info", "--json").expect().json["bytes"] == len(SHARED)


def test_remove_leaves_bytes_that_another_project_names(cli: CommandLine, cache: Path) -> None:
    done = cli("cache", "remove", "acme-app", "--yes").expect()
    assert "1 file of 2 KB (1 more are of other projects too), 1 page, 2 pins, its" in done.words
    assert blob(cache, SHARED).exists()
    assert not blob(cache, b"a" * 2000).exists()
    listed = cli("cache", "list", "--json").expect().json
    assert [file["project"] for file in listed["files"]] == ["acme-fork"]
    assert listed["pages"] == []


def test_remove_of_a_private_name_says_what_that_means_and_asks_for_yes(
    cli: CommandLine, cache: Path
) -> None:
    done = cli("cache", "remove", "acme-app").expect(2)
    assert "acme-app belongs to private: it was served by it (known since " in done.words
    assert "a public index may serve the project while private is unavailable" in done.words
    assert "--yes" in done.err
    assert blob(cache, b"a" * 2000).exists()
    assert cli("cache", "remove", "acme-app", "--json").expect(2).out == ""


def test_remove_of_a_name_that_nobody_owns_does_not_ask(cli: CommandLine, cache: Path) -> None:
    report = cli("cache", "remove", "acme-fork", "--json").expect().json
    assert (report["shared"], report["pins"], report["files"]) == (1, 1, 0)


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
@pytest.mark.parametrize(("answer", "code", "left"), [("y\n", 0, False), ("n\n", 1, True)])
def test_remove_of_a_private_name_asks_on_a_terminal(
    cli: CommandLine, cache: Path, answer: str, code: int, left: bool
) -> None:
    done = cli.on_terminal("cache", "remove", "acme-app", typed=answer).expect(code)
    assert "Remove it?" in done.out
    assert blob(cache, b"a" * 2000).exists() is left


def test_remove_of_what_is_not_there_ends_with_1(cli: CommandLine, cache: Path) -> None:
    assert "nothing of nope is cached" in cli("cache", "remove", "nope").expect(1).words


def test_the_cache_is_looked_after_while_a_shim_uses_it(
    cli: CommandLine, served: Serve, public: FakeIndex
) -> None:
    text = cli.configure(index_table("pypi", public.url))
    shim = served(text, directory=cli.directory)
    file = wheel("idna", "3.10")
    address = f"/files/pypi/idna.{file.sha256}/{file.filename}"
    assert shim.get(address).status == 200
    wait_until(lambda: shim.json("/-/status")["cache"]["files"], 5, "the file is not kept")
    assert cli("cache", "verify", "--json").expect().json["right"] == 1
    cli("cache", "gc").expect()
    assert cli("cache", "remove", "idna", "--json").expect().json["files"] == 1
    assert shim.get(address).body == file.data
    assert public.count(f"/files/{file.filename}") == 2


@pytest.mark.parametrize("command", ["info", "list", "verify", "gc"])
def test_a_cache_that_cannot_be_written_is_a_clear_error(cli: CommandLine, command: str) -> None:
    cli.configure(index_table("pypi", PRIVATE))
    cli.cache.write_text("a file where the directory should be", encoding="utf-8")
    done = cli("cache", command).expect(2)
    assert "is a file, not a directory" in done.words


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such modes")
def test_a_cache_that_others_can_write_to_is_refused(cli: CommandLine, cache: Path) -> None:
    cache.chmod(0o777)
    done = cli("cache", "info").expect(1)
    assert "other users can write to it; run: chmod go-w" in done.words


def test_lines_are_narrow(cli: CommandLine, cache: Path) -> None:
    for command in (("list",), ("verify",), ("gc",), ("remove", "acme-app", "--yes")):
        assert cli.to_terminal("cache", *command).expect().widest <= COLUMNS
