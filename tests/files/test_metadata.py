"""Metadata files: from the index, from parts of the wheel, else from the whole wheel."""

import io
import re
import threading
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from indexfallback.config import Index
from indexfallback.dists.metadata import read_metadata
from indexfallback.dists.remote_wheel import TAIL
from indexfallback.errors import (
    FileMissingError,
    FileRefusedError,
    FileUnavailableError,
    FileWrongError,
)
from indexfallback.store import Blob, maintenance
from indexfallback.upstream.answers import TransferError
from tests.conftest import MakeShim
from tests.fakes import DirectoryTree, Dist, FakeIndex, sdist, wheel
from tests.fakes.pages import HTML_ONLY
from tests.files.support import fetch, is_kept, key_of
from tests.serving import wait_until

BIG = 12_000_000
#: Bytes that may leave an index for its system's buffers before it notices that nobody reads them.
UNREAD = BIG // 2
LIE = b"Metadata-Version: 2.1\nName: demo\nVersion: 1.0\n\n"


def rebuilt(dist: Dist, change: Callable[[str], list[str]], method: int = 0) -> Dist:
    """Return a wheel with other members: ``change`` returns the new names of each."""
    data = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(dist.data)) as old, zipfile.ZipFile(data, "w", method) as new:
        # METADATA first: it is then far from the end.
        for info in sorted(old.infolist(), key=lambda info: not info.filename.endswith("METADATA")):
            for name in change(info.filename):
                new.writestr(name, old.read(info))
    return replace(dist, data=data.getvalue())


DEMO = wheel("demo", requires=["other"], size=BIG)
SMALL = wheel("demo", size=100_000)
FAR = rebuilt(DEMO, lambda name: [name])
SDIST = sdist("demo", size=1000)
PATH = f"/files/{DEMO.filename}"
METADATA = f"{PATH}.metadata"


def wholes(index: FakeIndex) -> int:
    """Return how often the whole wheel was asked for."""
    return sum(r.path == PATH and "Range" not in r.headers for r in index.requests)


def parts(index: FakeIndex) -> int:
    """Return how often a part of the wheel was asked for."""
    return sum(r.path == PATH and "Range" in r.headers for r in index.requests)


@pytest.mark.parametrize("formats", [("json",), HTML_ONLY])
@pytest.mark.parametrize(("dist", "count"), [(DEMO, 1), (FAR, 2)])
def test_metadata_that_the_index_has_not_is_read_from_parts_of_the_wheel(
    shim: MakeShim, dist: Dist, count: int, formats: tuple[str, ...]
) -> None:
    with FakeIndex([dist], metadata=False, formats=formats) as index:  # type: ignore[arg-type]
        made = shim(index)
        for _ in range(2):
            assert fetch(made, dist, ending=".metadata") == dist.metadata
        assert (parts(index), wholes(index)) == (count, 0)
        assert index.count(METADATA) == 0
        wait_until(lambda: is_kept(made), 5, "it is not kept")
        made.close()
        index.stop_listening()
        # It is kept like a file of its own.
        assert fetch(shim(index), dist, ending=".metadata") == dist.metadata
        assert index.sent < 2 * TAIL


def test_a_small_wheel_is_fetched_whole_at_once_and_kept(shim: MakeShim) -> None:
    small = wheel("demo", size=TAIL // 2)
    with FakeIndex([small], metadata=False) as index:
        made = shim(index)
        assert fetch(made, small, ending=".metadata") == small.metadata
        assert fetch(made, small) == small.data
        assert (parts(index), wholes(index)) == (0, 1)


def test_a_wheel_that_is_evicted_again_before_its_metadata_is_read_is_for_another_request(
    shim: MakeShim, monkeypatch: pytest.MonkeyPatch
) -> None:
    evicted: list[str] = []

    def read(path: Path, filename: str) -> bytes | None:
        if len(evicted) < 2:  # by another process, since the wheel was found
            evicted.append(filename)
            path.unlink()
        return read_metadata(path, filename)

    small = wheel("demo", size=TAIL // 2)
    with FakeIndex([small], metadata=False) as index:
        made = shim(index)
        fetch(made, small)
        monkeypatch.setattr("indexfallback.files.metadata.read_metadata", read)
        with pytest.raises(FileUnavailableError, match="evicted before it was read"):
            fetch(made, small, ending=".metadata")


MISBEHAVIOUR: dict[str, Callable[[FakeIndex], object]] = {
    "ignores ranges": lambda index: setattr(index, "ranges", False),
    "416": lambda index: index.fail(416, path=PATH, times=1),
    "500": lambda index: index.fail(500, path=PATH, times=1),
    "several parts": lambda index: index.multipart_ranges(path=PATH),
    "another range": lambda index: index.shift_ranges(-5, path=PATH),
    "ends early": lambda index: index.cut(after=1000, path=PATH, times=1),
    "too long": lambda index: index.long(5, path=PATH, times=1),
    "a coding": lambda index: index.header("Content-Encoding", "gzip", path=PATH, times=2),
    "a wrong total": lambda index: index.answer(
        206,
        {"Content-Range": f"bytes {BIG - TAIL}-{BIG - 1}/{BIG}"},
        FAR.data[BIG - TAIL : BIG],
        path=PATH,
        times=1,
    ),
    "a login page": lambda index: index.answer(
        200, {"Content-Type": "text/html"}, b"<html>log in", path=PATH, times=1
    ),
}


PASSING = ("416", "ends early")


@pytest.mark.parametrize("how", MISBEHAVIOUR)
def test_an_index_that_gives_no_right_parts_costs_the_whole_wheel_once(
    shim: MakeShim, how: str
) -> None:
    with FakeIndex([FAR], metadata=False, formats=HTML_ONLY) as index:
        MISBEHAVIOUR[how](index)
        made = shim(index)
        assert fetch(made, FAR, ending=".metadata") == FAR.metadata
        # What was a moment's fault is over with the second request.
        assert wholes(index) == (how not in PASSING)
        assert fetch(made, FAR) == FAR.data
        assert wholes(index) == 1


def test_parts_of_two_contents_are_not_put_together(shim: MakeShim) -> None:
    with FakeIndex([FAR], metadata=False) as index:
        index.header("ETag", '"another"', path=PATH, times=1)
        made = shim(index)
        assert fetch(made, FAR, ending=".metadata") == FAR.metadata
        assert (parts(index), wholes(index)) == (2, 1)


def test_the_next_source_is_asked_where_one_gives_no_parts(shim: MakeShim) -> None:
    with (
        FakeIndex([DEMO], metadata=False, ranges=False) as near,
        FakeIndex([DEMO], metadata=False) as far,
    ):
        made = shim(
            Index(name="mirror", url=near.url, role="mirror", mirror_of="pypi"),
            Index(name="pypi", url=far.url, role="public"),
        )
        assert fetch(made, DEMO, ending=".metadata") == DEMO.metadata
        assert wholes(near) + wholes(far) == 0
        assert near.sent < UNREAD


def test_an_address_that_has_expired_is_renewed(shim: MakeShim) -> None:
    with FakeIndex(metadata=False) as index:
        index.add(DEMO, url=f"{index.base}/files/{DEMO.filename}?signature=1")
        made = shim(index)
        made.fallback.page("demo")
        index.add(DEMO, url=f"{index.base}/files/{DEMO.filename}?signature=2")
        index.fail(403, path=PATH, times=1)
        assert fetch(made, DEMO, ending=".metadata") == DEMO.metadata
        assert [r.target[-1] for r in index.requests if r.path == PATH][-1] == "2"
        assert wholes(index) == 0


def test_a_hundred_clients_share_one_reading(shim: MakeShim) -> None:
    with FakeIndex([DEMO], metadata=False) as index:
        index.delay(0.3, path=PATH)
        made, found = shim(index), list[bytes]()

        def read() -> None:
            found.append(fetch(made, DEMO, ending=".metadata"))

        threads = [threading.Thread(target=read) for _ in range(100)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert found == [DEMO.metadata] * 100
        assert parts(index) == 1


def test_only_a_wheel_has_metadata_that_its_page_does_not_state(shim: MakeShim) -> None:
    with FakeIndex([SDIST], metadata=False) as index, pytest.raises(FileMissingError):
        fetch(shim(index), SDIST, ending=".metadata")


def test_metadata_of_a_wheel_that_no_index_lists_is_missing(shim: MakeShim) -> None:
    with FakeIndex([SDIST]) as index, pytest.raises(FileMissingError, match="no index lists it"):
        fetch(shim(index), DEMO, ending=".metadata")


def test_an_index_in_trouble_has_no_metadata_now(shim: MakeShim) -> None:
    with FakeIndex([DEMO], metadata=False) as index:
        made = shim(index)
        made.fallback.page("demo")
        index.fail(503, path="/files/")
        with pytest.raises(FileUnavailableError, match=r"\.metadata: pypi: 503"):
            fetch(made, DEMO, ending=".metadata")
        index.lift()
        assert fetch(made, DEMO, ending=".metadata") == DEMO.metadata


UNREADABLE = {
    "no dist-info": rebuilt(SMALL, lambda name: [] if "dist-info" in name else [name]),
    "another project's": rebuilt(SMALL, lambda name: [name.replace("demo-1.0.d", "x-1.0.d")]),
    "two of them": rebuilt(
        SMALL, lambda name: [name, *([name.replace("demo", "x")] if "dist-info" in name else [])]
    ),
    "an odd compression": rebuilt(SMALL, lambda name: [name], zipfile.ZIP_LZMA),
}


@pytest.mark.parametrize("how", UNREADABLE)
def test_a_wheel_without_metadata_has_some_that_a_resolver_discards(
    shim: MakeShim, how: str
) -> None:
    dist = UNREADABLE[how]
    with FakeIndex([dist], metadata=False) as index:
        made = shim(index)
        for _ in range(2):
            found = fetch(made, dist, ending=".metadata").decode()
            assert f"Requires-Dist: {dist.filename} has no metadata that can be read" in found
        assert wholes(index) == 1
        # It is not what the wheel has: the wheel is served all the same.
        assert fetch(made, dist) == dist.data


# -- where the index promises it


NO_METADATA: dict[str, Callable[[FakeIndex], object]] = {
    "404": lambda index: index.fail(404, path=METADATA),
    "403": lambda index: index.fail(403, path=METADATA),
    "503": lambda index: index.fail(503, path=METADATA),
    "wrong bytes": lambda index: index.corrupt(f"{DEMO.filename}.metadata"),
    "another's": lambda index: index.answer(200, {}, SDIST.metadata, path=METADATA),
    "a web page": lambda index: index.answer(
        200, {"Content-Type": "text/html"}, b"<html>not found</html>", path=METADATA
    ),
}


@pytest.mark.parametrize("how", NO_METADATA)
@pytest.mark.parametrize("deadline", [10.0, 1.5])
def test_promised_metadata_that_is_missing_or_wrong_comes_from_the_wheel(
    shim: MakeShim, how: str, deadline: float
) -> None:
    with FakeIndex([DEMO]) as index:
        NO_METADATA[how](index)
        made = shim(index, deadline=deadline)
        for _ in range(2):
            assert fetch(made, DEMO, ending=".metadata") == DEMO.metadata
        assert (parts(index), wholes(index)) == (1, 0)
        assert fetch(made, DEMO) == DEMO.data


def test_metadata_that_is_missing_with_its_wheel_is_missing(shim: MakeShim) -> None:
    with FakeIndex([DEMO]) as index:
        index.fail(404, path="/files/")
        with pytest.raises(FileMissingError, match=r"\.metadata: pypi: 404"):
            fetch(shim(index), DEMO, ending=".metadata")


def test_a_web_page_is_no_metadata_where_neither_hash_nor_label_tells(shim: MakeShim) -> None:
    link = f'<a href="/files/{DEMO.filename}#sha256={DEMO.sha256}" data-core-metadata="true">x</a>'
    with FakeIndex([DEMO]) as index:
        index.answer(200, {"Content-Type": "text/html"}, link.encode(), path="/simple/demo/")
        index.answer(200, {}, b"<!DOCTYPE html><html>Log in</html>", path=METADATA)
        assert fetch(shim(index), DEMO, ending=".metadata") == DEMO.metadata


def test_metadata_that_is_missing_may_come_as_long_as_its_wheel_may(shim: MakeShim) -> None:
    with FakeIndex([DEMO]) as index:
        index.fail(503, path=PATH, times=6)  # also those for the metadata file
        index.fail(404, path=METADATA)
        made = shim(index)
        for _ in range(2):
            with pytest.raises(FileUnavailableError, match=r"\.metadata: pypi: 404 .* pypi: 503 "):
                fetch(made, DEMO, ending=".metadata")
        assert fetch(made, DEMO, ending=".metadata") == DEMO.metadata


@pytest.mark.usefixtures("impatient")
def test_metadata_whose_wheel_breaks_off_may_come_too(shim: MakeShim) -> None:
    with FakeIndex([DEMO], ranges=False) as index:
        index.drip(BIG, path=PATH)
        index.cut(after=BIG // 2, path=PATH)
        index.fail(404, path=METADATA)
        with pytest.raises(FileUnavailableError, match=r"whl, which contains it: pypi: "):
            fetch(shim(index), DEMO, ending=".metadata")


def test_metadata_that_is_missing_with_a_wrong_wheel_is_refused_with_both_hashes(
    shim: MakeShim,
) -> None:
    with FakeIndex([DEMO], ranges=False) as index:
        index.corrupt(DEMO.filename)
        index.fail(404, path=METADATA)
        with pytest.raises(FileWrongError, match=f"where {DEMO.sha256} was expected"):
            fetch(shim(index), DEMO, ending=".metadata")


def test_metadata_waits_for_its_wheel_no_longer_than_the_deadline(shim: MakeShim) -> None:
    with FakeIndex([DEMO], metadata=False, ranges=False) as index:
        slow = index.drip(BIG / 20, path=PATH)
        made = shim(index, deadline=1.0)
        with pytest.raises(FileUnavailableError, match="being fetched: run again"):
            fetch(made, DEMO, ending=".metadata")
        slow.lift()
        wait_until(lambda: is_kept(made), 10, "the wheel was not kept")
        assert fetch(made, DEMO, ending=".metadata") == DEMO.metadata


def test_a_page_that_states_a_wrong_hash_of_metadata_is_corrected_by_the_wheel(
    shim: MakeShim,
) -> None:
    with FakeIndex() as index:
        index.add(replace(DEMO, metadata=b"Metadata-Version: 2.1\nName: other\n"))
        index.corrupt(f"{DEMO.filename}.metadata")
        made = shim(index)
        assert fetch(made, DEMO, ending=".metadata") == DEMO.metadata
        # Parts that no hash vouches for do not gainsay the page: the whole wheel does.
        assert wholes(index) == 1
        made.fallback.forget("demo")
        answer = made.fallback.page("demo")
        (file,) = made.offer(answer).files
        assert file.core_metadata == {"sha256": DEMO.metadata_sha256}
        assert not answer.is_settled


# -- where the wheel gainsays it


#: As an index lists it whose ``.metadata`` is not that of the wheel.
LYING = replace(DEMO, metadata=LIE)


def test_a_wheel_whose_metadata_is_not_what_was_served_is_refused(
    shim: MakeShim, caplog: pytest.LogCaptureFixture
) -> None:
    with FakeIndex([LYING]) as index:
        made = shim(index)
        assert fetch(made, DEMO, ending=".metadata") == LIE
        for _ in range(2):
            with pytest.raises(FileRefusedError) as caught:
                fetch(made, DEMO)
            assert caught.value.status == 409
            assert DEMO.metadata_sha256 in caught.value.cause
            assert LYING.metadata_sha256 in caught.value.cause
        assert wholes(index) == 1
        (said,) = [r.message for r in caplog.records if ".metadata has changed" in r.message]
        assert DEMO.metadata_sha256 in said
        assert LYING.metadata_sha256 in said
        (refused,) = made.fallback.refusals.report()
        assert refused["filename"] == f"{DEMO.filename}.metadata"
        assert refused["offered"] == DEMO.metadata_sha256
        assert made.store.blobs.find(DEMO.sha256) is None
        assert made.fallback.activity.report()["failures"]


def test_it_is_taken_once_the_user_accepts_it(shim: MakeShim) -> None:
    with FakeIndex([LYING]) as index:
        made = shim(index)
        fetch(made, DEMO, ending=".metadata")
        with pytest.raises(FileRefusedError):
            fetch(made, DEMO)
        maintenance.accept(made.store, "demo", DEMO.filename)
        assert fetch(made, DEMO) == DEMO.data
        wait_until(lambda: made.store.blobs.find(DEMO.sha256), 5, "the wheel is not kept")
        assert fetch(made, DEMO, ending=".metadata") == DEMO.metadata


@pytest.mark.usefixtures("impatient")
def test_its_last_piece_is_not_sent(shim: MakeShim) -> None:
    with FakeIndex([LYING]) as index:
        made = shim(index)
        fetch(made, DEMO, ending=".metadata")
        slow = index.drip(BIG, path=PATH)
        found = made.downloads.get("pypi", key_of(DEMO), DEMO.filename)
        assert not isinstance(found, Blob)
        sent: list[bytes] = []
        slow.lift()
        with pytest.raises(TransferError, match="other metadata than was served"):
            sent.extend(found.read(0, BIG))
        assert 0 < sum(map(len, sent)) < len(DEMO.data)
        with pytest.raises(FileRefusedError):
            fetch(made, DEMO)


def test_a_stored_wheel_is_compared_too(shim: MakeShim) -> None:
    with FakeIndex([LYING]) as index:
        made = shim(index)
        fetch(made, DEMO, ending=".metadata")
        made.store.blobs.add(DEMO.data)
        with pytest.raises(FileRefusedError, match="its metadata has sha256"):
            fetch(made, DEMO)


def test_metadata_that_was_never_served_refuses_nothing(shim: MakeShim) -> None:
    with FakeIndex([LYING]) as index:
        made = shim(index)
        assert fetch(made, DEMO) == DEMO.data
        wait_until(lambda: is_kept(made), 5, "the wheel is not kept")
        assert fetch(made, DEMO, ending=".metadata") == DEMO.metadata


def test_metadata_from_parts_agrees_with_the_wheel(shim: MakeShim) -> None:
    with FakeIndex([FAR], metadata=False) as index:
        made = shim(index)
        fetch(made, FAR, ending=".metadata")
        assert fetch(made, FAR) == FAR.data


def test_metadata_from_parts_of_another_wheel_refuses_the_right_one(shim: MakeShim) -> None:
    other = rebuilt(replace(DEMO, data=wheel("demo", size=BIG).data), lambda name: [name])
    with FakeIndex([FAR], metadata=False) as index:
        made = shim(index)
        made.fallback.page("demo")
        index.add(other, hashes={"sha256": FAR.sha256})
        assert fetch(made, FAR, ending=".metadata") != FAR.metadata
        index.add(FAR)
        with pytest.raises(FileRefusedError, match="its metadata has sha256"):
            fetch(made, FAR)


def test_a_static_tree_gives_metadata_that_its_pages_do_not_state(
    shim: MakeShim, tmp_path: Path
) -> None:
    tree = DirectoryTree(tmp_path / "tree", [DEMO])
    page = tree.root / "simple" / "demo" / "index.html"
    page.write_bytes(re.sub(rb' data-(core|dist-info)-metadata="[^"]*"', b"", page.read_bytes()))
    made = shim(Index(name="pypi", url=(tree.root / "simple").as_uri() + "/", role="public"))
    (tree.root / "files" / f"{DEMO.filename}.metadata").unlink()
    assert fetch(made, DEMO, ending=".metadata") == DEMO.metadata
