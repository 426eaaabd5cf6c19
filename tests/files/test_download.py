"""One file for one reader: its source, its verification, and what is stored."""

import gzip
import hashlib
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from indexfallback.config import Index
from indexfallback.errors import (
    FileError,
    FileMissingError,
    FileRefusedError,
    FileUnavailableError,
    FileWrongError,
)
from indexfallback.names import FileKey
from indexfallback.store import Blob, maintenance
from tests.conftest import MakeShim
from tests.fakes import DirectoryTree, Dist, FakeIndex, flat_directory, sdist, wheel
from tests.fakes.pages import HTML_ONLY
from tests.files.support import BIG, fetch, is_kept, key_of
from tests.serving import wait_until

DEMO = wheel("demo", requires=["other"], size=BIG)
SDIST = sdist("demo", size=1000)
#: The same name, other bytes.
OTHER = wheel("demo", requires=["evil"], size=BIG)


def path_of(filename: str) -> str:
    return f"/files/{filename}"


def test_a_file_is_fetched_once_and_then_served_from_the_store(shim: MakeShim) -> None:
    with FakeIndex([DEMO]) as index:
        made = shim(index)
        assert fetch(made, DEMO) == DEMO.data
        wait_until(lambda: is_kept(made), 5, "the file was not kept")
        for _ in range(2):
            assert isinstance(made.downloads.get("pypi", key_of(DEMO), DEMO.filename), Blob)
            assert fetch(made, DEMO) == DEMO.data
        assert index.count(path_of(DEMO.filename)) == 1


def test_a_file_needs_no_page_asked_before(shim: MakeShim) -> None:
    with FakeIndex([SDIST]) as index:
        assert fetch(shim(index), SDIST) == SDIST.data


def test_a_file_that_no_index_lists_is_missing(shim: MakeShim) -> None:
    with (
        FakeIndex([DEMO]) as index,
        pytest.raises(FileMissingError, match=r"demo-1\.0\.tar\.gz: no index lists it"),
    ):
        fetch(shim(index), SDIST)


def test_a_file_of_another_hash_than_its_address_is_missing(shim: MakeShim) -> None:
    with FakeIndex([DEMO]) as index, pytest.raises(FileMissingError):
        shim(index).downloads.get("pypi", FileKey("demo", "0" * 64), DEMO.filename)


def test_a_file_of_an_unknown_owner_is_missing(shim: MakeShim) -> None:
    with FakeIndex([DEMO]) as index, pytest.raises(FileMissingError):
        fetch(shim(index), DEMO, owner="nobody")


def grouped(near: FakeIndex, far: FakeIndex) -> tuple[Index, Index]:
    return (
        Index(name="mirror", url=near.url, role="mirror", mirror_of="pypi"),
        Index(name="pypi", url=far.url, role="public"),
    )


@pytest.mark.fault(31)
def test_wrong_bytes_are_neither_served_nor_kept(shim: MakeShim) -> None:
    with FakeIndex([DEMO]) as index:
        index.corrupt(DEMO.filename)
        made = shim(index)
        with pytest.raises(FileWrongError, match=r"wrong bytes: sha256 [0-9a-f]{64} where"):
            fetch(made, DEMO)
        assert list(made.store.blobs.verify()) == []
        assert made.store.pins.get("demo", DEMO.filename) is None
        assert list((made.store.directory / "partial").iterdir()) == []


@pytest.mark.fault(31)
def test_a_source_of_wrong_bytes_is_not_asked_again_at_once(shim: MakeShim) -> None:
    with FakeIndex([DEMO]) as index:
        index.corrupt(DEMO.filename, times=1)
        made = shim(index)
        for expected in ("wrong bytes", "gave wrong bytes lately"):
            with pytest.raises(FileWrongError, match=expected):
                fetch(made, DEMO)
        assert index.count(path_of(DEMO.filename)) == 1


@pytest.mark.fault(31)
@pytest.mark.parametrize("algorithm", ["sha512", "md5"])
def test_another_hash_than_sha256_is_verified(shim: MakeShim, algorithm: str) -> None:
    digest = hashlib.new(algorithm, DEMO.data).hexdigest()
    with FakeIndex() as index:
        index.add(DEMO, hashes={algorithm: digest})
        rule = index.corrupt(DEMO.filename)
        made = shim(index)
        with pytest.raises(FileWrongError, match=f"wrong bytes: {algorithm} "):
            fetch(made, DEMO, hashed=False)
        rule.lift()
        made.downloads._wrong._known.clear()
        assert fetch(made, DEMO, hashed=False) == DEMO.data


@pytest.mark.fault(32)
def test_a_file_without_hash_is_pinned_by_its_first_download(shim: MakeShim) -> None:
    with FakeIndex() as index:
        index.add(DEMO, hashes={})
        made = shim(index)
        assert fetch(made, DEMO, hashed=False) == DEMO.data
        pins = made.store.pins
        wait_until(lambda: pins.get("demo", DEMO.filename), 5, "it was not pinned")
        assert pins.get("demo", DEMO.filename) == DEMO.sha256


@pytest.mark.fault(32)
def test_a_pinned_file_is_served_with_its_first_content_when_it_has_changed(
    shim: MakeShim,
) -> None:
    changed = wheel("demo", size=BIG, extra_files={"evil.py": b"import os"})
    with FakeIndex() as index:
        index.add(DEMO, hashes={})
        made = shim(index, fresh=0.0)
        fetch(made, DEMO, hashed=False)
        wait_until(lambda: is_kept(made), 5, "the file was not kept")
        index.add(changed, hashes={})
        assert fetch(made, changed, hashed=False) == DEMO.data


@pytest.mark.fault(33)
def test_a_changed_file_is_refused_by_its_new_hash(shim: MakeShim) -> None:
    changed = wheel("demo", size=BIG, extra_files={"evil.py": b"import os"})
    with FakeIndex([DEMO]) as index:
        made = shim(index, fresh=0.0)
        fetch(made, DEMO)
        wait_until(lambda: is_kept(made), 5, "the file was not kept")
        index.add(changed)
        made.fallback.page("demo")
        with pytest.raises(FileRefusedError) as caught:
            fetch(made, changed)
        assert caught.value.status == 409
        assert f"first seen with sha256 {DEMO.sha256}" in str(caught.value)
        assert index.count(path_of(DEMO.filename)) == 1


@pytest.mark.fault(32)
def test_a_file_without_hash_that_changed_is_refused_when_its_first_content_is_gone(
    shim: MakeShim,
) -> None:
    changed = wheel("demo", size=BIG, extra_files={"evil.py": b"import os"})
    with FakeIndex() as index:
        index.add(DEMO, hashes={})
        made = shim(index)
        fetch(made, DEMO, hashed=False)
        wait_until(lambda: is_kept(made), 5, "the file was not kept")
        made.store.blobs.remove(DEMO.sha256)
        index.add(changed, hashes={})
        with pytest.raises(FileRefusedError, match=f"is offered with {changed.sha256} now"):
            fetch(made, changed, hashed=False)
        assert made.store.blobs.records.count() == 0
        (refused,) = made.fallback.refusals.report()
        assert (refused["index"], refused["offered"]) == ("pypi", changed.sha256)
        maintenance.accept(made.store, "demo", DEMO.filename)
        assert fetch(made, changed, hashed=False) == changed.data


@pytest.mark.fault("incident: python-tuf CVE-2020-15163")
@pytest.mark.fault(55)
@pytest.mark.parametrize("damage", ["deleted", "cut"])
def test_a_damaged_blob_is_fetched_again(shim: MakeShim, damage: str) -> None:
    with FakeIndex([DEMO]) as index:
        made = shim(index)
        fetch(made, DEMO)
        wait_until(lambda: is_kept(made), 5, "the file was not kept")
        path = made.store.blobs.path(DEMO.sha256)
        if damage == "deleted":
            path.unlink()
        else:
            path.write_bytes(DEMO.data[:1000])
        assert fetch(made, DEMO) == DEMO.data
        assert index.count(path_of(DEMO.filename)) == 2


def test_metadata_is_fetched_alone(shim: MakeShim) -> None:
    with FakeIndex([DEMO]) as index:
        assert fetch(shim(index), DEMO, ending=".metadata") == DEMO.metadata
        assert index.count(path_of(DEMO.filename)) == 0


@pytest.mark.parametrize("status", [404, 410])
def test_a_file_that_every_source_says_is_not_there_is_missing(shim: MakeShim, status: int) -> None:
    with FakeIndex([DEMO]) as near, FakeIndex([DEMO]) as far:
        for index in (near, far):
            index.fail(status, path=path_of(DEMO.filename))
        made = shim(*grouped(near, far))
        with pytest.raises(FileMissingError, match=rf"mirror: {status} .*; pypi: {status} "):
            fetch(made, DEMO)


@pytest.mark.parametrize("how", ["file", "page"])
def test_a_file_that_one_source_may_have_yet_is_unavailable(shim: MakeShim, how: str) -> None:
    with FakeIndex([DEMO]) as near, FakeIndex([DEMO]) as far:
        near.fail(404, path=path_of(DEMO.filename))
        far.fail(503, path=path_of(DEMO.filename) if how == "file" else "/simple/")
        with pytest.raises(FileUnavailableError, match="mirror: 404"):
            fetch(shim(*grouped(near, far)), DEMO)


def test_a_file_that_no_known_page_lists_may_be_on_one_that_cannot_be_asked_for(
    shim: MakeShim,
) -> None:
    with FakeIndex([wheel("demo", "0.9")]) as near, FakeIndex([DEMO]) as far:
        far.fail(503)
        made = shim(*grouped(near, far))
        with pytest.raises(FileUnavailableError, match="whl: pypi: pypi could not be asked"):
            fetch(made, DEMO)
        far.lift()
        assert fetch(made, DEMO) == DEMO.data


def test_a_file_that_its_public_index_does_not_list_is_missing_while_a_mirror_is_down(
    shim: MakeShim,
) -> None:
    with FakeIndex([DEMO]) as near, FakeIndex([wheel("demo", "0.9")]) as far:
        near.fail(503)
        with pytest.raises(FileMissingError, match="no index lists it"):
            fetch(shim(*grouped(near, far)), DEMO)


def test_wrong_bytes_of_one_source_and_none_of_the_other_are_wrong_bytes(shim: MakeShim) -> None:
    with FakeIndex([DEMO]) as near, FakeIndex([DEMO]) as far:
        near.fail(404, path=path_of(DEMO.filename))
        far.corrupt(DEMO.filename)
        with pytest.raises(FileWrongError, match="Tell whoever runs pypi"):
            fetch(shim(*grouped(near, far)), DEMO)


def test_metadata_of_a_stored_wheel_is_read_from_inside_it(shim: MakeShim) -> None:
    with FakeIndex([DEMO]) as index:
        made = shim(index)
        fetch(made, DEMO)
        wait_until(lambda: is_kept(made), 5, "the file was not kept")
        index.stop_listening()
        assert fetch(made, DEMO, ending=".metadata") == DEMO.metadata


def test_offline_serves_file_and_metadata_of_a_stored_wheel(shim: MakeShim) -> None:
    with FakeIndex([DEMO]) as index:
        made = shim(index)
        fetch(made, DEMO)
        wait_until(lambda: is_kept(made), 5, "the file was not kept")
        requests = index.count()
        offline = shim(index, offline=True)
        assert fetch(offline, DEMO) == DEMO.data
        assert fetch(offline, DEMO, ending=".metadata") == DEMO.metadata
        assert index.count() == requests


def test_offline_says_that_a_file_was_never_fetched(shim: MakeShim) -> None:
    with FakeIndex([DEMO, SDIST]) as index:
        shim(index).fallback.page("demo")
        with pytest.raises(FileMissingError, match="offline is on, and it is not in the cache"):
            fetch(shim(index, offline=True), SDIST)


def test_a_flat_directory_gives_files_and_metadata(shim: MakeShim, tmp_path: Path) -> None:
    path = flat_directory(tmp_path / "wheels", [DEMO, SDIST])
    made = shim(Index(name="local", url=f"{path.as_uri()}/"))
    assert fetch(made, DEMO, owner="local") == DEMO.data
    assert fetch(made, SDIST, owner="local") == SDIST.data
    assert fetch(made, DEMO, owner="local", ending=".metadata") == DEMO.metadata


def test_a_static_tree_gives_files_and_metadata(shim: MakeShim, tmp_path: Path) -> None:
    tree = DirectoryTree(tmp_path / "tree", [DEMO, SDIST])
    made = shim(Index(name="local", url=f"{(tree.root / 'simple').as_uri()}/"))
    assert fetch(made, DEMO, owner="local") == DEMO.data
    assert fetch(made, SDIST, owner="local") == SDIST.data
    assert fetch(made, DEMO, owner="local", ending=".metadata") == DEMO.metadata


def test_a_file_changed_under_its_page_in_a_directory_is_not_served(
    shim: MakeShim, tmp_path: Path
) -> None:
    tree = DirectoryTree(tmp_path / "tree", [DEMO])
    made = shim(Index(name="local", url=f"{(tree.root / 'simple').as_uri()}/"))
    made.fallback.page("demo")
    (tree.root / "files" / DEMO.filename).write_bytes(b"something else")
    with pytest.raises(FileWrongError, match="local: wrong bytes"):
        fetch(made, DEMO, owner="local")


PACKED = sdist("packed", size=50_000)


@pytest.mark.parametrize("coding", ["gzip", "x-gzip"])
@pytest.mark.parametrize("stated", [True, False], ids=["hashed", "no hash"])
def test_an_sdist_that_is_called_a_tar_in_a_coding_is_taken_as_it_comes(
    shim: MakeShim, coding: str, stated: bool
) -> None:
    with FakeIndex() as index:
        index.add(PACKED, hashes=None if stated else {})
        index.header("Content-Encoding", coding, path=path_of(PACKED.filename))
        assert fetch(shim(index), PACKED, hashed=stated) == PACKED.data


@pytest.mark.parametrize("dist", [DEMO, PACKED], ids=["wheel", "sdist"])
def test_a_file_that_was_compressed_on_its_way_is_decoded_if_its_hash_says_so(
    shim: MakeShim, dist: Dist
) -> None:
    with FakeIndex([dist], formats=HTML_ONLY) as index:
        index.gzip(path=path_of(dist.filename))
        made = shim(index)
        assert fetch(made, dist) == dist.data
        wait_until(lambda: is_kept(made), 5, "the file was not kept")
        assert dict(made.store.blobs.verify()) == {dist.sha256: "right"}


def test_bytes_that_are_wrong_as_they_came_and_decoded_are_wrong_as_they_came(
    shim: MakeShim,
) -> None:
    with FakeIndex([DEMO], formats=HTML_ONLY) as index:
        other = gzip.compress(b"other")
        index.answer(200, {"Content-Encoding": "gzip"}, other, path=path_of(DEMO.filename))
        with pytest.raises(FileError, match=hashlib.sha256(other).hexdigest()):
            fetch(shim(index), DEMO)


SIGNED = "/signed/"


def sign(index: FakeIndex, dist: Dist, token: str) -> None:
    """List a file at a signed address, which is the only one where it is."""
    index.add(dist, url=f"{index.base}{SIGNED}{dist.filename}?token={token}")


@pytest.fixture
def signing() -> Iterator[FakeIndex]:
    """An index whose file's address has expired since its page was asked for."""
    with FakeIndex() as index:
        sign(index, DEMO, "old")
        yield index


def expire(index: FakeIndex, status: int) -> None:
    """Answer the old address with a status, and all later ones with the file."""
    sign(index, DEMO, "new")
    index.answer(200, {"Content-Type": "application/zip"}, DEMO.data, path=SIGNED)
    index.fail(status, path=SIGNED, times=1)


@pytest.mark.parametrize("status", [401, 403, 404, 410])
def test_an_expired_address_is_looked_up_anew(
    shim: MakeShim, signing: FakeIndex, status: int
) -> None:
    made = shim(signing)
    made.fallback.page("demo")
    expire(signing, status)
    assert fetch(made, DEMO) == DEMO.data
    asked = [r.target for r in signing.requests if r.path.startswith(SIGNED)]
    assert [target.partition("=")[2] for target in asked] == ["old", "new"]
    assert signing.count("/simple/demo/") == 2


def test_the_addresses_on_a_page_that_its_index_calls_unchanged_are_looked_up_anew(
    shim: MakeShim, signing: FakeIndex
) -> None:
    """Its ETag may stand for the files alone."""
    signing.header("ETag", '"always the same"', path="/simple/")
    made = shim(signing)
    made.fallback.page("demo")
    expire(signing, 403)
    assert made.fallback.page("demo", again=True).page.files[0].url.endswith("=old")
    assert fetch(made, DEMO) == DEMO.data


def test_a_page_is_asked_anew_once_where_its_address_is_still_the_same(shim: MakeShim) -> None:
    with FakeIndex([DEMO]) as index:
        made = shim(index)
        made.fallback.page("demo")
        index.fail(403, path=path_of(DEMO.filename))
        with pytest.raises(FileError, match="403"):
            fetch(made, DEMO)
        assert index.count("/simple/demo/") == 2
        assert index.count(path_of(DEMO.filename)) == 1


def test_a_new_address_is_tried_once(shim: MakeShim, signing: FakeIndex) -> None:
    made = shim(signing)
    made.fallback.page("demo")
    sign(signing, DEMO, "new")
    signing.fail(403, path=SIGNED)
    with pytest.raises(FileError, match="403"):
        fetch(made, DEMO)
    assert (signing.count("/simple/demo/"), signing.count(SIGNED + DEMO.filename)) == (2, 2)


def test_a_changed_page_has_its_file_tried_once_more_at_the_same_address(shim: MakeShim) -> None:
    with FakeIndex([DEMO]) as index:
        made = shim(index)
        made.fallback.page("demo")
        index.add(wheel("demo", "2.0"))
        index.fail(404, path=path_of(DEMO.filename), times=1)
        assert fetch(made, DEMO) == DEMO.data


def test_a_file_that_is_another_one_at_its_new_address_is_not_taken(
    shim: MakeShim, signing: FakeIndex
) -> None:
    made = shim(signing)
    made.fallback.page("demo")
    signing.add(OTHER, url=f"{signing.base}{SIGNED}{OTHER.filename}?token=new")
    signing.fail(404, path=SIGNED, times=1)
    with pytest.raises(FileError):
        fetch(made, DEMO)
    assert signing.count(SIGNED + DEMO.filename) == 1


def test_another_index_gives_the_file_before_a_page_is_asked_anew(shim: MakeShim) -> None:
    with FakeIndex([DEMO]) as near, FakeIndex([DEMO]) as far:
        made = shim(*grouped(near, far))
        made.fallback.page("demo")
        near.fail(404, path=path_of(DEMO.filename))
        assert fetch(made, DEMO) == DEMO.data
        assert near.count("/simple/demo/") == 1


def test_the_answer_to_an_expired_address_comes_within_the_deadline(
    shim: MakeShim, signing: FakeIndex
) -> None:
    made = shim(signing, deadline=1.0)
    made.fallback.page("demo")
    signing.fail(403, path=SIGNED)
    signing.hang(path="/simple/demo/")
    began = time.monotonic()
    with pytest.raises(FileError):
        fetch(made, DEMO)
    assert time.monotonic() - began < 5  # a page alone may take longer than that elsewhere


def test_at_the_end_a_whole_file_is_still_stored_and_pinned(
    shim: MakeShim, monkeypatch: pytest.MonkeyPatch
) -> None:
    closing = threading.Event()
    with FakeIndex([DEMO]) as index:
        first = shim(index)
        commit = first.store.blobs.commit

        def commit_late(*args: Any) -> Blob:
            assert closing.wait(5)
            return commit(*args)

        monkeypatch.setattr(first.store.blobs, "commit", commit_late)
        monkeypatch.setattr(first.ahead, "close", closing.set)
        assert fetch(first, DEMO) == DEMO.data
        first.close()
        second = shim(index)
        assert is_kept(second)
        assert second.store.pins.get("demo", DEMO.filename) == DEMO.sha256
