"""Lists of everything that is stored, which are read in small parts."""

import io
import json
from contextlib import redirect_stdout

import pytest

from indexfallback.cli.output import print_json_lists
from indexfallback.page import ProjectPage
from indexfallback.store import PageFacts, Store, Validators, maintenance


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
    files = [file[:3] for file in maintenance.all_files(store)]
    assert {sha256 for _, _, sha256 in files[:5]} == nameless
    assert files[5:] == sorted(expected)


def test_every_stored_page_is_listed(store: Store) -> None:
    keys = [(source, f"p{number}") for source in ("a", "b") for number in range(4)]
    for source, project in reversed(keys):
        facts = PageFacts(Validators(), "digest", 1.0)
        store.pages.put(source, ProjectPage(name=project), facts)
    assert [(page.source, page.project) for page in maintenance.all_pages(store)] == keys


def test_lists_are_printed_as_one_json_object() -> None:
    items = [{"number": number} for number in range(2500)]
    with redirect_stdout(io.StringIO()) as out:
        print_json_lists(files=iter(items), pages=iter([]))
    assert json.loads(out.getvalue()) == {"files": items, "pages": []}
