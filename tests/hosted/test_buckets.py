"""Uploads on a bucket: two copies of a shim, each with a directory of its own."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import pytest
import requests

from indexfallback.config import Index
from indexfallback.errors import UploadUnavailableError
from indexfallback.hosted import bucket_shelf
from indexfallback.hosted.bucket_shelf import BucketShelf
from indexfallback.store import Store
from indexfallback.store.shared.selftest import Abilities
from tests.fakes import FakeIndex, sdist, wheel
from tests.fakes.object_store import WRITER, ObjectStore
from tests.fakes.proxy import FaultProxy
from tests.hosted.conftest import SECONDS, Hosted
from tests.serving import config_text, index_table, serving


class Copies(NamedTuple):
    """Two shims that share a bucket, which is reached through a proxy."""

    a: Hosted
    b: Hosted
    proxy: FaultProxy


@pytest.fixture(scope="module")
def copies(object_store: ObjectStore, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Copies]:
    with FakeIndex([wheel("acme-lib", "99.0")]) as public, ExitStack() as stack:
        proxy = stack.enter_context(FaultProxy(object_store.port))
        environ = {**WRITER, "AWS_ENDPOINT_URL": proxy.base}
        text = config_text(
            index_table("own", object_store.new_url(), role="private", upload=True),
            index_table("pypi", public.url),
            limits={"deadline": "4s"},
        )

        def copy(name: str) -> Hosted:
            directory = tmp_path_factory.mktemp(name)
            served = stack.enter_context(serving(directory, text, port=0, **environ))
            return Hosted(directory, directory, lambda: served, **environ)

        yield Copies(copy("a"), copy("b"), proxy)


def bytes_of(hosted: Hosted, project: str, ending: str = "") -> bytes:
    """Return what the only file on a page leads to."""
    (file,) = hosted.page(project)["files"]
    url = requests.compat.urljoin(f"{hosted.served.url}{project}/", file["url"])
    return requests.get(url.partition("#")[0] + ending, timeout=SECONDS).content


def test_a_file_is_on_the_page_of_every_copy_at_once_with_all_that_a_directory_states(
    copies: Copies,
) -> None:
    lib = wheel("acme-lib", "1.0", requires_python=">=3.8")
    assert copies.b.listed("acme-lib") == ["acme_lib-99.0-py3-none-any.whl"]
    assert copies.a.upload(lib).status_code == 200
    page = copies.b.page("acme-lib")
    assert page["versions"] == ["1.0"]
    (file,) = page["files"]
    assert file["filename"] == lib.filename
    assert file["hashes"] == {"sha256": lib.sha256}
    assert file["size"] == len(lib.data)
    assert file["requires-python"] == ">=3.8"
    assert file["core-metadata"] == {"sha256": lib.metadata_sha256}
    assert file["upload-time"].endswith("Z")
    assert bytes_of(copies.b, "acme-lib") == lib.data
    assert bytes_of(copies.b, "acme-lib", ".metadata") == lib.metadata


def test_the_same_file_again_is_well_and_another_content_is_not_at_any_copy(
    copies: Copies,
) -> None:
    first, other = sdist("acme-same", "1.0"), sdist("acme-same", "1.0", requires_python=">=3.9")
    assert [each.upload(first).status_code for each in copies[:2]] == [200, 200]
    answer = copies.b.upload(other)
    assert answer.status_code == 400
    assert "own has it with other content" in answer.json()["detail"]
    assert bytes_of(copies.a, "acme-same") == first.data
    spelt = copies.b.upload(first, fields={"filename": "acme-same-1.0.tar.gz"})
    assert spelt.status_code == 400
    assert "another spelling" in spelt.json()["detail"]


def test_of_two_uploads_of_one_name_at_once_one_is_taken(copies: Copies) -> None:
    for number in range(3):
        name = f"acme-race{number}"
        dists = [wheel(name, "1.0", requires_python=f">=3.{minor}") for minor in (8, 9)]
        with ThreadPoolExecutor(2) as pool:
            done = pool.map(lambda copy, dist: copy.upload(dist).status_code, copies[:2], dists)
        codes = list(done)
        assert sorted(codes) == [200, 400]
        winner = dists[codes.index(200)]
        assert {bytes_of(each, name) for each in copies[:2]} == {winner.data}


def test_of_two_spellings_at_once_at_most_one_is_listed(copies: Copies) -> None:
    dist = sdist("acme-twin", "1.0")
    names = (dist.filename, "acme-twin-1.0.tar.gz")
    with ThreadPoolExecutor(2) as pool:
        done = pool.map(
            lambda copy, name: copy.upload(dist, fields={"filename": name}).status_code,
            copies[:2], names,
        )  # fmt: skip
    codes = list(done)
    assert set(codes) <= {200, 400}
    assert len(copies.a.listed("acme-twin")) == codes.count(200) <= 1


def test_a_yank_and_a_removal_are_seen_by_every_copy(copies: Copies) -> None:
    assert copies.a.upload(wheel("acme-yank", "1.0")).status_code == 200

    def yanked() -> object:
        return copies.b.page("acme-yank")["files"][0].get("yanked", False)

    assert copies.a.command("yank", "acme-yank", "1.0", "--reason", "bad").returncode == 0
    assert yanked() == "bad"
    assert copies.b.command("yank", "acme-yank", "1.0").returncode == 0
    assert yanked() is True
    assert copies.a.command("unyank", "acme-yank", "1.0").returncode == 0
    assert yanked() is False
    assert copies.b.command("remove", "acme-yank", "1.0", "--yes").returncode == 0
    assert copies.a.listed("acme-yank") == []


def test_publish_places_a_file_without_a_server(copies: Copies, tmp_path: Path) -> None:
    dist = wheel("acme-published", "1.0")
    (tmp_path / dist.filename).write_bytes(dist.data)
    done = copies.a.command("publish", str(tmp_path / dist.filename))
    assert done.returncode == 0, done.stderr
    assert copies.b.listed("acme-published") == [dist.filename]
    assert not list((copies.a.directory / "cache" / "uploads").iterdir())


def test_an_upload_to_a_full_bucket_is_to_be_tried_again(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = Abilities(reads=True, cause="writing fails: 507 Insufficient Storage", may_pass=True)
    monkeypatch.setattr(bucket_shelf, "examine_uploads", lambda _index: full)
    shelf = BucketShelf(Index(name="own", url="s3://packages/uploads/", upload=True), store)
    with pytest.raises(UploadUnavailableError, match="507"), shelf.placing("demo-1.0.tar.gz"):
        pass


def test_without_the_bucket_own_names_and_uploads_are_503(copies: Copies) -> None:
    assert copies.a.upload(wheel("acme-gone", "1.0")).status_code == 200
    copies.proxy.faults.cut, copies.proxy.faults.reset = 0, True
    try:
        answer = requests.get(f"{copies.a.served.url}acme-gone/", timeout=SECONDS)
        assert answer.status_code == 503
        assert "own" in answer.json()["detail"]
        refused = copies.a.upload(wheel("acme-new", "1.0"))
        assert refused.status_code == 503
        assert "own" in refused.json()["detail"]
        done = copies.a.command("yank", "acme-gone", "1.0")
        assert done.returncode == 1
        assert "it is not known what own has" in done.stderr
    finally:
        copies.proxy.faults.cut, copies.proxy.faults.reset = None, False
