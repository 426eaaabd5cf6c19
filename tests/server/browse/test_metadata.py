"""The source of the metadata of a project, and how much is fetched for them."""

import gzip
import io
import tarfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from indexfallback.config import Index
from indexfallback.server.browse.metadata import FETCHED, metadata_of, pkg_info_in
from indexfallback.server.browse.releases import current, releases
from indexfallback.shim import Shim
from tests.conftest import MakeShim
from tests.fakes import Dist, FakeIndex, flat_directory, sdist, wheel
from tests.server.browse.described import described, tar
from tests.serving import wait_until

DEMO = described(wheel("demo"), "Summary: told")
LARGE = described(wheel("demo", size=FETCHED), "Summary: told")
SDIST = described(sdist("demo"), "Summary: told")


def summary_by(shim: Shim) -> bytes | None:
    """Return the metadata of the current version of demo."""
    answer = shim.fallback.page("demo")
    newest = current(releases(shim.offer(answer)))
    assert newest is not None
    return metadata_of(shim, answer.owner.group, "demo", newest.files)


@pytest.fixture
def index() -> Iterator[FakeIndex]:
    with FakeIndex([DEMO]) as made:
        yield made


def test_a_metadata_file_is_fetched_once_and_the_wheel_never(
    shim: MakeShim, index: FakeIndex
) -> None:
    made = shim(index)
    assert summary_by(made) == summary_by(made) == DEMO.metadata
    assert index.count(f"/files/{DEMO.filename}.metadata") == 1
    assert index.count(f"/files/{DEMO.filename}") == 0


@pytest.mark.parametrize("dist", [DEMO, LARGE, SDIST], ids=["wheel", "large wheel", "sdist"])
def test_metadata_comes_from_the_distribution_where_there_is_no_metadata_file(
    shim: MakeShim, dist: Dist
) -> None:
    with FakeIndex([dist], metadata=False) as index:
        made = shim(index)
        assert summary_by(made) == dist.metadata
        index.stop_listening()
        assert summary_by(made) == dist.metadata
        assert index.sent < FETCHED / 10


def test_a_large_sdist_is_not_fetched(shim: MakeShim) -> None:
    with FakeIndex([sdist("demo", size=FETCHED)]) as index:
        assert summary_by(shim(index)) is None
        assert index.count() == 1


@pytest.mark.parametrize("kind", [wheel, sdist])
def test_a_large_distribution_that_is_here_is_read(
    shim: MakeShim, kind: Callable[..., Dist]
) -> None:
    large = described(kind("demo", size=FETCHED), "Summary: told")
    with FakeIndex([large], metadata=False) as index:
        made = shim(index)
        blob = made.store.blobs.add(large.data)
        assert blob.sha256 == large.sha256
        assert summary_by(made) == large.metadata
        assert index.count() == 1


@pytest.mark.parametrize("dist", [DEMO, SDIST], ids=["wheel", "sdist"])
def test_the_distributions_of_a_directory_are_read(
    shim: MakeShim, tmp_path: Path, dist: Dist
) -> None:
    directory = flat_directory(tmp_path / "wheels", [dist])
    local = Index(name="local", url=f"{directory.as_uri()}/")
    assert summary_by(shim(local)) == dist.metadata


def test_an_index_that_fails_leaves_a_page_without_metadata(
    shim: MakeShim, index: FakeIndex
) -> None:
    made = shim(index, deadline=2.0)
    made.fallback.page("demo")
    index.stop_listening()
    assert summary_by(made) is None


def test_a_slow_distribution_is_not_waited_for_and_is_there_at_the_next_request(
    shim: MakeShim,
) -> None:
    large = described(wheel("demo", size=500_000), "Summary: told")
    with FakeIndex([large], metadata=False) as index:
        made = shim(index)
        slow = index.drip(5_000, path="/files/")
        began = time.monotonic()
        assert summary_by(made) is None
        assert time.monotonic() - began < 60  # all of it would take 100
        slow.lift()
        wait_until(lambda: summary_by(made) == large.metadata, 20, "it did not come")
        assert index.count(f"/files/{large.filename}") == 1


def _padded(size: int) -> bytes:
    """Return an archive whose one header claims, and holds, so many bytes of a name."""
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w", format=tarfile.PAX_FORMAT) as archive:
        member = tarfile.TarInfo("demo-1.0/x")
        member.pax_headers = {"comment": "x" * size}
        archive.addfile(member)
    return gzip.compress(data.getvalue(), compresslevel=1)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"no archive",
        gzip.compress(b"no archive either"),
        SDIST.data[:200],
        tar({"demo-1.0/setup.py": b""}),
        tar({"other-1.0/PKG-INFO": b"Name: other"}),
        tar({"demo-1.0/sub/PKG-INFO": b"Name: demo"}),
        tar({"demo-1.0/huge": bytes(60 * 1000**2), "demo-1.0/PKG-INFO": b"Name: demo"}),
        tar({"demo-1.0/PKG-INFO": bytes(6 * 1024**2)}),
        _padded(60 * 1000**2),
    ],
    ids=["empty", "text", "gzip of text", "cut", "none", "another's", "deeper", "bomb before it",
         "huge", "bomb in a header"],
)  # fmt: skip
def test_an_archive_that_is_broken_or_a_bomb_has_no_metadata(data: bytes) -> None:
    assert pkg_info_in(io.BytesIO(data), "demo-1.0.tar.gz") is None


def test_other_kinds_of_files_are_not_fetched(shim: MakeShim) -> None:
    egg = replace(DEMO, filename="demo-1.0-py3.11.egg")
    with FakeIndex([egg], metadata=False) as index:
        assert summary_by(shim(index)) is None
        assert index.count() == 1
