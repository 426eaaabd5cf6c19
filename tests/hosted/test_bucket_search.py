"""What a search reads in a bucket of which this shim has served nothing."""

import socket
import time

import pytest
from packaging.version import Version

from indexfallback.config import Index
from indexfallback.config.bucket_url import parse_bucket_url
from indexfallback.search import bucket_files
from indexfallback.search.finding import Found
from indexfallback.shim import Shim
from indexfallback.store.events import Actor
from indexfallback.store.shared.bucket import Bucket
from tests.conftest import MakeShim
from tests.fakes import Dist, sdist, wheel
from tests.fakes.object_store import STRANGER, WRITER, ObjectStore
from tests.search.conftest import find, names
from tests.server.browse.described import described

APP = described(wheel("acme-app", "1.0"), "Summary: Greets people")
OLD = described(sdist("acme-old", "1.0"), "Summary: From long ago")
LARGE = described(wheel("acme-large", "1.0"), "Summary: Never read")


@pytest.fixture
def bucket(bucket_url: str, object_store: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> Bucket:
    """Return a bucket with a wheel and its metadata, an sdist, and a wheel without metadata."""
    monkeypatch.setattr(bucket_files, "_MOST_READ", len(LARGE.data) - 1)
    bucket = Bucket(parse_bucket_url(bucket_url), endpoint=object_store.endpoint)
    put(bucket, APP, APP.metadata)
    put(bucket, OLD)
    put(bucket, LARGE)
    bucket.put("_probe/x", b"")
    return bucket


@pytest.fixture
def copy(shim: MakeShim, bucket: Bucket) -> Shim:
    """Return a new shim that offers the bucket."""
    url = f"{bucket.url}/"
    return shim(Index(name="own", url=url, endpoint=bucket.endpoint, upload=True))


def put(bucket: Bucket, dist: Dist, metadata: bytes | None = None) -> None:
    key = f"{dist.project}/{dist.filename}"
    bucket.put(key, dist.data)
    if metadata is not None:
        bucket.put(f"{key}.metadata", metadata)


def list_again(copy: Shim) -> None:
    for own in copy.search.filling._own.values():
        own.forget()


def test_metadata_beside_a_file_or_in_a_small_one_says_what_a_project_is(copy: Shim) -> None:
    found = find(copy, "people")
    assert found.projects == (Found("acme-app", "own", "1.0", "Greets people"),)
    assert found.is_complete
    assert names(find(copy, "ago")) == ["acme-old"]
    assert find(copy, "large").projects == (Found("acme-large", "own"),)


def test_a_damaged_search_index_hides_no_name_that_is_known_otherwise(copy: Shim) -> None:
    copy.store.ledger.record_list(copy.settings.indexes[0].key, ["acme-app"])
    assert names(find(copy, "people")) == ["acme-app"]
    for path in copy.store.directory.glob("search*"):
        path.write_bytes(b"SQLite format 3\0" + b"\xff" * 5000)
    copy.search.filling.close()
    assert names(find(copy, "acme-app", patience=0.0)) == ["acme-app"]


def test_only_what_has_changed_is_read_again(copy: Shim, bucket: Bucket) -> None:
    assert names(find(copy, "people")) == ["acme-app"]
    bucket.put(f"acme-app/{APP.filename}.metadata", b"")
    put(bucket, described(wheel("acme-old", "2.0"), "Summary: Renewed"))
    bucket.delete(f"acme-large/{LARGE.filename}")
    list_again(copy)
    assert names(find(copy, "people")) == ["acme-app"]
    assert names(find(copy, "renewed")) == ["acme-old"]
    assert names(find(copy, "acme")) == ["acme-app", "acme-old"]


def test_what_was_changed_by_this_shim_is_read_before_the_next_listing(
    copy: Shim, bucket: Bucket
) -> None:
    find(copy)
    new = described(wheel("acme-app", "2.0"), "Summary: Waves")
    put(bucket, new)
    assert names(find(copy, "waves")) == []
    copy.hosted["own"].yank("acme-app", Version("1.0"), "old", Actor("someone"))
    assert names(find(copy, "waves")) == ["acme-app"]


def test_a_bucket_that_cannot_be_read_takes_nothing_from_the_search(
    copy: Shim, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert names(find(copy, "people")) == ["acme-app"]
    for name, value in STRANGER.items():
        monkeypatch.setenv(name, value)
    for key, own in copy.search.filling._own.items():
        copy.search.filling._own[key] = bucket_files.BucketFiles(own.index)
    copy.store.search.mark([(copy.settings.indexes[0].key, "acme-app")])
    found = find(copy, "people")
    assert (names(found), found.is_complete) == (["acme-app"], False)


def test_a_bucket_that_is_silent_is_not_waited_for_as_long_as_by_a_client(
    shim: MakeShim, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bucket_files, "_SECONDS", 0.2)
    for name, value in WRITER.items():
        monkeypatch.setenv(name, value)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        endpoint = f"http://127.0.0.1:{silent.getsockname()[1]}"
        made = shim(Index(name="own", url="s3://bucket/x/", endpoint=endpoint, read_timeout=15.0))
        began = time.monotonic()
        assert not find(made, "people").is_complete
        assert time.monotonic() - began < 10


def test_no_bucket_is_asked_offline(shim: MakeShim, bucket: Bucket) -> None:
    index = Index(name="own", url=f"{bucket.url}/", endpoint=bucket.endpoint)
    assert find(shim(index, offline=True), "people").total == 0
