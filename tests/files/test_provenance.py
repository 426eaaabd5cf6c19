"""Provenance objects: fetched with their file or when asked for, kept, and not replaced by less."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from indexfallback.config import Index
from indexfallback.errors import FileMissingError, FileUnavailableError
from indexfallback.files.download import FileAddress
from indexfallback.files.provenance_body import MOST
from indexfallback.shim import Shim
from tests.conftest import MakeShim
from tests.fakes import FakeIndex, flat_directory, wheel
from tests.fakes.provenance import PUBLISH, provenance_of
from tests.files.support import fetch, key_of
from tests.serving import wait_until

DEMO, OTHER = wheel("demo"), wheel("other")
OBJECT = provenance_of(DEMO)
NEWER = provenance_of(DEMO, PUBLISH, "https://slsa.example.com/provenance/v1")
HERE = FileAddress("pypi", key_of(DEMO), DEMO.filename)


@pytest.fixture
def pypi() -> Iterator[FakeIndex]:
    with FakeIndex() as index:
        yield index


def kept(shim: Shim) -> set[tuple[str, str]]:
    return shim.downloads.provenance.held("pypi", "demo")


def downloaded(shim: Shim) -> None:
    """Fetch the file, and wait until its object is kept."""
    assert fetch(shim, DEMO) == DEMO.data
    wait_until(lambda: kept(shim), 5, "the provenance is not kept")


def test_the_object_is_fetched_after_its_file_and_is_there_when_the_index_is_gone(
    pypi: FakeIndex, shim: MakeShim
) -> None:
    path = pypi.attest(DEMO, OBJECT)
    made = shim(pypi)
    downloaded(made)
    assert kept(made) == {(DEMO.filename, DEMO.sha256)}
    pypi.stop_listening()
    assert made.downloads.provenance.get(HERE) == OBJECT
    assert pypi.count(path) == 1


def test_a_command_that_keeps_a_file_waits_for_its_object_which_is_asked_for_once(
    pypi: FakeIndex, shim: MakeShim
) -> None:
    path = pypi.attest(DEMO, OBJECT)
    made = shim(pypi)
    (file,) = made.fallback.page("demo").page.files
    assert fetch(made, DEMO) == DEMO.data
    made.downloads.provenance.keep(HERE, file)
    assert kept(made)
    assert pypi.count(path) == 1


def test_it_is_fetched_when_it_is_asked_for_before_the_file(
    pypi: FakeIndex, shim: MakeShim
) -> None:
    path = pypi.attest(DEMO, OBJECT)
    made = shim(pypi)
    made.fallback.page("demo")
    assert made.downloads.provenance.get(HERE) == OBJECT
    assert made.downloads.provenance.get(HERE) == OBJECT
    assert pypi.count(path) == 1
    assert not pypi.count(f"/files/{DEMO.filename}")


def test_a_stale_one_is_replaced_by_what_the_index_has_now(pypi: FakeIndex, shim: MakeShim) -> None:
    pypi.attest(DEMO, OBJECT)
    made = shim(pypi, fresh=0.0)
    downloaded(made)
    pypi.attest(DEMO, NEWER)
    assert made.downloads.provenance.get(HERE) == NEWER


def test_who_asks_again_gets_what_the_index_has_now(pypi: FakeIndex, shim: MakeShim) -> None:
    pypi.attest(DEMO, OBJECT)
    made = shim(pypi)
    downloaded(made)
    pypi.attest(DEMO, NEWER)
    assert made.downloads.provenance.get(HERE) == OBJECT
    assert made.downloads.provenance.get(HERE, again=True) == NEWER
    assert made.downloads.provenance.get(HERE) == NEWER


@pytest.mark.parametrize(
    "worse",
    [b"", b"<html>", OBJECT[:-1], provenance_of(OTHER), OBJECT + b" " * MOST],
    ids=["empty", "html", "cut short", "of another file", "too large"],
)
def test_a_kept_one_is_never_replaced_by_what_is_not_valid(
    pypi: FakeIndex, shim: MakeShim, worse: bytes
) -> None:
    pypi.attest(DEMO, OBJECT)
    made = shim(pypi, fresh=0.0)
    downloaded(made)
    path = pypi.attest(DEMO, worse)
    assert made.downloads.provenance.get(HERE) == OBJECT
    assert pypi.count(path) == 2


def test_one_of_another_file_is_neither_served_nor_kept(pypi: FakeIndex, shim: MakeShim) -> None:
    pypi.attest(DEMO, provenance_of(OTHER))
    made = shim(pypi)
    made.fallback.page("demo")
    with pytest.raises(FileUnavailableError, match="of another file: other"):
        made.downloads.provenance.get(HERE)
    assert not kept(made)


def test_a_file_without_a_stated_provenance_has_none(pypi: FakeIndex, shim: MakeShim) -> None:
    pypi.add(DEMO)
    made = shim(pypi)
    assert fetch(made, DEMO) == DEMO.data
    with pytest.raises(FileMissingError, match="states a provenance"):
        made.downloads.provenance.get(HERE)


def test_an_index_that_is_slow_to_send_it_does_not_delay_the_file(
    pypi: FakeIndex, shim: MakeShim
) -> None:
    path = pypi.attest(DEMO, OBJECT)
    made = shim(pypi)
    with pypi.hang(path=path):
        assert fetch(made, DEMO) == DEMO.data
        pypi.wait_for(path)
        assert not kept(made)


def test_offline_it_is_advertised_only_while_it_is_kept(pypi: FakeIndex, shim: MakeShim) -> None:
    pypi.attest(DEMO, OBJECT)
    made = shim(pypi)
    downloaded(made)
    for is_kept in (True, False):
        offline = shim(pypi, offline=True)
        (listed,) = offline.offer(offline.fallback.page("demo")).files
        assert (listed.provenance is not None) is is_kept
        made.store.database.execute("DELETE FROM provenance")
    with pytest.raises(FileMissingError, match="it is not in the cache"):
        offline.downloads.provenance.get(HERE)


def test_a_mirror_that_states_none_has_the_public_index_s(pypi: FakeIndex, shim: MakeShim) -> None:
    pypi.attest(DEMO, OBJECT)
    with FakeIndex([DEMO]) as mirror:
        made = shim(
            Index(name="mirror", url=mirror.url, role="mirror", mirror_of="pypi"),
            Index(name="pypi", url=pypi.url, role="public"),
        )
        made.fallback.page("demo")
        assert made.downloads.provenance.get(HERE) == OBJECT


def test_a_directory_has_it_beside_the_file(tmp_path: Path, shim: MakeShim) -> None:
    directory = tmp_path / "tree"
    (directory / "demo").mkdir(parents=True)
    (directory / "demo" / DEMO.filename).write_bytes(DEMO.data)
    (directory / "demo" / f"{DEMO.filename}.provenance").write_bytes(OBJECT)
    link = f'<a href="{DEMO.filename}#sha256={DEMO.sha256}"'
    link += f' data-provenance="{DEMO.filename}.provenance">{DEMO.filename}</a>'
    (directory / "demo" / "index.html").write_text(f"<!DOCTYPE html>\n{link}\n")
    made = shim(Index(name="own", url=directory.as_uri() + "/", role="private"))
    (listed,) = made.fallback.page("demo").page.files
    assert listed.provenance == (directory / "demo" / f"{DEMO.filename}.provenance").as_uri()
    assert made.downloads.provenance.get(HERE._replace(owner="own")) == OBJECT


def test_a_directory_without_pages_has_it_beside_the_file_too(
    tmp_path: Path, shim: MakeShim
) -> None:
    directory = flat_directory(tmp_path / "wheels", [DEMO])
    (directory / f"{DEMO.filename}.provenance").write_bytes(OBJECT)
    made = shim(Index(name="own", url=directory.as_uri() + "/", role="private"))
    made.fallback.page("demo")
    assert made.downloads.provenance.get(HERE._replace(owner="own")) == OBJECT


def test_the_login_of_an_index_is_sent_for_it(shim: MakeShim) -> None:
    with FakeIndex(username="ci", password="secret") as private:
        path = private.attest(DEMO, OBJECT)
        made = shim(Index(name="own", url=private.url, username="ci", password="secret"))
        made.fallback.page("demo")
        assert made.downloads.provenance.get(HERE._replace(owner="own")) == OBJECT
        assert all("Authorization" in r.headers for r in private.requests if r.path == path)
