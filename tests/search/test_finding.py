"""What a search finds in the shim's chain, and by which metadata."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from indexfallback.config import Settings
from indexfallback.config.load import load_settings
from indexfallback.search import filling, finding
from indexfallback.search.finding import Findings, Found
from indexfallback.search.query import query_of
from indexfallback.shim import Shim
from indexfallback.store import Validators, maintenance
from indexfallback.store.documents import DocumentKey, StoredDocument
from tests.fakes import sdist, wheel
from tests.search.conftest import SECONDS, find, keep, keep_page, names
from tests.server.browse.described import described
from tests.serving import config_text, index_table, wait_until

OWN, PYPI = "https://own.example.com/simple/", "https://pypi.example.com/simple/"
MIRROR = "https://mirror.example.com/simple/"

Open = Callable[..., Shim]


@pytest.fixture
def shim(tmp_path: Path) -> Iterator[Shim]:
    """Return a shim with an index of each role and a directory, offline."""
    (tmp_path / "packages").mkdir()
    config = tmp_path / "config.toml"
    config.write_text(
        config_text(
            index_table("own", OWN, role="private"),
            index_table("shelf", str(tmp_path / "packages"), role="private"),
            index_table("mirror", MIRROR, mirror_of="pypi", role="mirror"),
            index_table("pypi", PYPI),
            cache={"dir": str(tmp_path / "cache")},
        )
    )
    settings: Settings = load_settings(config=config, indexes=(), offline=True, environ={})
    with closing(Shim(settings)) as made:
        yield made


def test_what_metadata_says_finds_a_project_behind_those_whose_names_have_the_text(
    shim: Shim,
) -> None:
    keep(shim.store, PYPI, "requests", "2.0", "Python HTTP for Humans", "Keywords: web")
    keep(shim.store, PYPI, "http-tools", "1.0", "Tools")
    keep_page(shim.store, PYPI, "python-http")
    assert find(shim, "http") == Findings(
        (
            Found("http-tools", "pypi", "1.0", "Tools"),
            Found("python-http", "pypi"),
            Found("requests", "pypi", "2.0", "Python HTTP for Humans"),
        ),
        3,
    )
    assert names(find(shim, "http python")) == ["requests"]
    assert find(shim, "???").total == 0


def test_the_newest_version_that_is_held_says_what_a_project_is(shim: Shim) -> None:
    keep(shim.store, PYPI, "demo", "1.9", "old")
    keep(shim.store, PYPI, "demo", "1.10", "new")
    keep(shim.store, PYPI, "demo", "2.0rc1", "early")
    assert find(shim, "demo").projects == (Found("demo", "pypi", "1.10", "new"),)
    info = '{"info": {"name": "demo", "version": "1.11", "summary": "newest"}, "urls": []}'
    document = StoredDocument(info.encode(), Validators(), "digest", 1.0)
    shim.store.documents.put(DocumentKey(PYPI, "demo", "1.11"), document)
    assert find(shim, "newest").projects == (Found("demo", "pypi", "1.11", "newest"),)


def test_a_mirror_and_its_public_index_say_the_same_of_a_project(shim: Shim) -> None:
    keep(shim.store, PYPI, "demo", "2.0", "new thing")
    keep(shim.store, MIRROR, "demo", "1.0", "old thing")
    assert find(shim, "thing").projects == (Found("demo", "mirror", "2.0", "new thing"),)


def test_what_a_public_index_says_of_a_private_name_is_of_another_project(shim: Shim) -> None:
    keep(shim.store, PYPI, "acme-app", "9.0", "A malicious namesake")
    shim.store.ledger.record_list(OWN, ["acme-app"])
    assert find(shim, "malicious").total == 0
    assert find(shim, "acme").projects == (Found("acme-app", "own"),)


def test_only_projects_of_the_chain_are_found(shim: Shim) -> None:
    keep(shim.store, "https://other.example.com/simple/", "demo", "1.0", "thing")
    assert find(shim, "thing").total == 0
    assert find(shim, "demo").total == 0


def test_a_project_that_the_reader_may_not_see_is_not_found(shim: Shim) -> None:
    shim.store.ledger.record_list(OWN, ["acme-app", "acme-secret"])
    keep(shim.store, OWN, "acme-app", "1.0", "A thing")
    keep(shim.store, OWN, "acme-secret", "1.0", "A secret thing")
    for text in ("acme", "thing", ""):
        found = find(shim, text, scope=["acme-a*"])
        assert (names(found), found.total) == (["acme-app"], 1)


def test_a_reader_finds_the_one_that_they_may_see_behind_any_number_of_others(
    shim: Shim, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finding, "MOST", 3)
    for number in range(6):
        keep(shim.store, PYPI, f"a-{number}", "1.0", "A thing")
        keep(shim.store, PYPI, f"thing-{number}", "1.0", "A thing")
    keep(shim.store, PYPI, "z-last", "1.0", "Some other thing, said in more words")
    assert names(find(shim, "thing", scope=["z-*"])) == ["z-last"]
    assert find(shim, "thing").total == 6 + 3


def test_the_newest_files_of_a_directory_say_what_its_projects_are(
    shim: Shim, tmp_path: Path
) -> None:
    new = described(wheel("acme-app", "1.10"), "Summary: Ours", "Classifier: Private :: Here")
    for dist in (wheel("acme-app", "1.9"), new):
        (tmp_path / "packages" / dist.filename).write_bytes(dist.data)
    assert find(shim, "ours").projects == (Found("acme-app", "shelf", "1.10", "Ours"),)
    newer = described(wheel("acme-app", "2.0"), "Summary: Theirs")
    (tmp_path / "packages" / newer.filename).write_bytes(newer.data)
    assert find(shim, "theirs").projects == (Found("acme-app", "shelf", "2.0", "Theirs"),)
    assert find(shim, classifier="Private").total == 0
    for path in (tmp_path / "packages").iterdir():
        path.unlink()
    assert find(shim, "theirs").total == 0


def test_a_held_wheel_says_it_where_no_metadata_file_is_held(shim: Shim) -> None:
    dist = described(wheel("demo", "1.0"), "Summary: From within")
    keep_page(shim.store, PYPI, "demo")
    blob = shim.store.blobs.add(dist.data)
    shim.store.pins.record("demo", dist.filename, blob.sha256, PYPI, key=blob.sha256)
    assert find(shim, "within").projects == (Found("demo", "pypi", "1.0", "From within"),)


def test_an_old_sdist_says_it_too(shim: Shim, tmp_path: Path) -> None:
    dist = described(sdist("acme-old", "1.0"), "Summary: From long ago")
    (tmp_path / "packages" / dist.filename).write_bytes(dist.data)
    assert find(shim, "ago").projects == (Found("acme-old", "shelf", "1.0", "From long ago"),)


def test_results_are_counted_over_all_pages(shim: Shim) -> None:
    for number in range(5):
        keep_page(shim.store, PYPI, f"thing-{number}")
        keep(shim.store, PYPI, f"other-{number}", "1.0", "A thing")
    query = query_of("thing")
    pages = [shim.search.find(query, start, 4, patience=SECONDS) for start in (0, 4, 8, 12)]
    assert [page.total for page in pages] == [10] * 4
    shown = [name for page in pages for name in names(page)]
    assert shown == [f"{part}-{number}" for part in ("thing", "other") for number in range(5)]


def test_a_removed_project_is_not_found(shim: Shim) -> None:
    keep(shim.store, PYPI, "demo", "1.0", "A thing")
    assert find(shim, "thing").total == 1
    maintenance.forget(shim.store, "demo")
    assert find(shim, "thing").total == 0
    assert shim.store.search.of_projects(["demo"]) == []


def test_a_search_index_that_was_lost_is_filled_from_what_is_held(
    shim: Shim, tmp_path: Path
) -> None:
    keep(shim.store, PYPI, "demo", "1.0", "A thing")
    info = '{"info": {"name": "other", "version": "1.0", "summary": "A thing"}, "urls": []}'
    document = StoredDocument(info.encode(), Validators(), "digest", 1.0)
    keep_page(shim.store, PYPI, "other")
    shim.store.documents.put(DocumentKey(PYPI, "other"), document)
    dist = described(wheel("acme-app"), "Summary: A thing")
    (tmp_path / "packages" / dist.filename).write_bytes(dist.data)
    assert find(shim, "thing").total == 3
    for path in (tmp_path / "cache").glob("search*"):
        path.unlink()
    assert sorted(names(find(shim, "thing"))) == ["acme-app", "demo", "other"]


def test_a_server_reads_metadata_without_a_search(
    shim: Shim, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(filling, "DELAY", 0.0)
    keep(shim.store, PYPI, "demo", "1.0", "A thing")
    shim.search.filling.follow()
    keep(shim.store, PYPI, "other", "1.0", "A thing")
    projects = ["demo", "other"]
    read = partial(shim.store.search.of_projects, projects)
    wait_until(lambda: len(read()) == len(projects), SECONDS, "the metadata is not read")


def test_what_is_not_read_yet_is_noted_for_the_next_process(shim: Shim) -> None:
    keep(shim.store, PYPI, "demo", "1.0", "A thing")
    shim.close()
    assert shim.store.search.due(10) == [(PYPI, "demo")]


def test_of_many_names_those_of_one_page_are_read(
    shim: Shim, monkeypatch: pytest.MonkeyPatch
) -> None:
    shim.store.ledger.record_list(OWN, [f"name-{number:04}" for number in range(500)])
    find(shim, "name")
    read, rows = [], shim.store.database.rows

    def counted(sql: str, parameters: Sequence[object] = ()) -> list[Any]:
        read.append(len(rows(sql, parameters)))
        return rows(sql, parameters)

    monkeypatch.setattr(shim.store.database, "rows", counted)
    assert find(shim, "name").total == 500
    assert max(read) == 100


@pytest.mark.parametrize("text", ["Zope.Interface", "zope_interface", " ZOPE INTERFACE "])
def test_a_name_is_found_however_it_is_spelt(shim: Shim, text: str) -> None:
    keep_page(shim.store, PYPI, "zope-interface")
    assert names(find(shim, text)) == ["zope-interface"]


def test_the_exact_name_comes_first_and_then_names_that_begin_with_it(shim: Shim) -> None:
    for name in ("zope-interface", "interface-zope", "zope", "idna"):
        keep_page(shim.store, PYPI, name)
    assert names(find(shim, "zope")) == ["zope", "zope-interface", "interface-zope"]
    assert names(find(shim)) == ["idna", "interface-zope", "zope", "zope-interface"]
