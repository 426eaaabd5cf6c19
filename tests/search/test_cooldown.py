"""A search shows the newest release that a cooldown offers."""

import os
import time
from pathlib import Path

from indexfallback.config import Index
from indexfallback.formats.fields import time_text
from indexfallback.page import File
from indexfallback.search.finding import Found
from indexfallback.shim import Shim
from indexfallback.store import Validators
from indexfallback.store.documents import DocumentKey, StoredDocument
from indexfallback.store.events import Actor
from tests.conftest import MakeShim
from tests.fakes import wheel
from tests.fakes.directories import flat_directory
from tests.search.conftest import find, keep_metadata, keep_page, names
from tests.server.browse.described import described

DAY = 86400.0
URL = "https://pypi.example.com/simple/"
PYPI = Index(name="pypi", url=URL, role="public", cooldown=7 * DAY)


def file(version: str, days: float) -> File:
    """Return a file of demo that was uploaded some days ago."""
    name = f"demo-{version}-py3-none-any.whl"
    uploaded = time_text(int((time.time() - days * DAY) * 1e9))
    return File(filename=name, url=f"{URL}{name}", hashes={"sha256": "a" * 64},
                upload_time=uploaded)  # fmt: skip


def hold(shim: Shim) -> None:
    """Hold an old and a young release, whose documents and metadata are known."""
    keep_page(shim.store, URL, "demo", [file("1.0", 30), file("2.0", 1)])
    keep_metadata(shim.store, URL, "demo", "1.0", "An old thing")
    keep_metadata(shim.store, URL, "demo", "2.0", "A young thing")
    info = '{"info": {"name": "demo", "version": "2.0", "summary": "A young thing"}, "urls": []}'
    for version in ("", "2.0"):
        document = StoredDocument(info.encode(), Validators(), "digest", 1.0)
        shim.store.documents.put(DocumentKey(URL, "demo", version), document)


def test_a_release_that_is_withheld_does_not_say_what_its_project_is(shim: MakeShim) -> None:
    made = shim(PYPI)
    hold(made)
    assert find(made, "thing").projects == (Found("demo", "pypi", "1.0", "An old thing"),)
    assert names(find(made, "young")) == []


def test_it_says_so_once_its_cooldown_is_over(shim: MakeShim) -> None:
    made = shim(PYPI)
    hold(made)
    made.fallback.cooling.clock = lambda: time.time() - 2 * DAY
    assert find(made, "demo").projects[0].version == "1.0"
    assert made.store.search.due(1) == []
    made.fallback.cooling.clock = lambda: time.time() + 7 * DAY
    made.store.search.mark([(URL, "demo")])
    assert find(made, "demo").projects == (Found("demo", "pypi", "2.0", "A young thing"),)


def test_it_says_so_while_it_is_accepted(shim: MakeShim) -> None:
    made = shim(PYPI)
    hold(made)
    accepted = made.store.hosting.acceptances
    assert find(made, "demo").projects[0].version == "1.0"
    accepted.accept("demo", "2.0", Actor("someone"))
    assert find(made, "demo").projects[0].version == "2.0"
    accepted.undo("demo", "2.0", Actor("someone"))
    assert find(made, "demo").projects[0].version == "1.0"


def test_of_a_project_without_a_stored_page_nothing_is_shown(shim: MakeShim) -> None:
    made = shim(PYPI)
    keep_metadata(made.store, URL, "demo", "2.0", "A young thing")
    made.store.ledger.record_page(URL, "demo")
    assert names(find(made, "young")) == []


def test_a_cooldown_that_is_set_later_holds_for_what_was_known_before(shim: MakeShim) -> None:
    before = shim(Index(name="pypi", url=URL, role="public"))
    hold(before)
    assert find(before, "demo").projects[0].version == "2.0"
    before.close()
    assert find(shim(PYPI), "demo").projects[0].version == "1.0"


def test_an_exception_of_the_cooldown_is_shown(shim: MakeShim) -> None:
    made = shim(Index(name="pypi", url=URL, role="public", cooldown=DAY, cooldown_except=("demo",)))
    hold(made)
    assert find(made, "demo").projects[0].version == "2.0"


def test_a_young_file_in_a_directory_is_withheld_too(shim: MakeShim, tmp_path: Path) -> None:
    old = described(wheel("demo", "1.0"), "Summary: An old thing")
    young = described(wheel("demo", "2.0"), "Summary: A young thing")
    path = flat_directory(tmp_path / "packages", [old, young])
    month = time.time() - 30 * DAY
    os.utime(path / old.filename, (month, month))
    made = shim(Index(name="own", url=f"{path.as_uri()}/", cooldown=7 * DAY))
    assert find(made, "thing").projects == (Found("demo", "own", "1.0", "An old thing"),)


def test_the_first_index_of_a_group_that_will_offer_a_release_decides_when_it_is_shown(
    shim: MakeShim,
) -> None:
    mirror = Index(
        name="mirror", url="https://mirror.example.com/simple/", role="mirror",
        mirror_of="pypi", cooldown=14 * DAY,
    )  # fmt: skip
    for indexes in ([PYPI, mirror], [mirror, PYPI]):
        made = shim(*indexes)
        for index in indexes:
            keep_page(made.store, index.url, "demo", [file("2.0", 1)])
        until = made.search.filling._offering.by_stored_pages(URL, "demo").until("2.0")
        assert until is not None
        assert until < time.time() + 7 * DAY
