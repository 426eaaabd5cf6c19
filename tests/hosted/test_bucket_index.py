"""A bucket as an index: what its pages have, and what its failures mean."""

import json
import sys
import time
from collections.abc import Callable

import pytest

from indexfallback.config import Index
from indexfallback.config.bucket_url import parse_bucket_url
from indexfallback.config.load import load_settings
from indexfallback.errors import ConfigError
from indexfallback.hosted.bucket_index import BucketIndex
from indexfallback.hosted.opening import upload_problem
from indexfallback.outcome import Kind
from indexfallback.page import File
from indexfallback.store.shared.bucket import Bucket
from indexfallback.upstream.answers import Limits, Part
from indexfallback.upstream.facts import NoFacts
from tests.cli.support import CommandLine
from tests.fakes import wheel
from tests.fakes.object_store import (
    READER,
    STRANGER,
    WRITER,
    ObjectStore,
    careless_store,
)
from tests.fakes.provenance import attestation
from tests.serving import index_table

APP = wheel("acme-app", "1.0+local")
#: Opens an index in the same part of the bucket.
Open = Callable[..., BucketIndex]


@pytest.fixture
def bucket(bucket_url: str, object_store: ObjectStore) -> Bucket:
    """Return the bucket with a file that another tool has put there."""
    bucket = Bucket(parse_bucket_url(bucket_url), endpoint=object_store.endpoint)
    bucket.put(f"acme-app/{APP.filename}", APP.data)
    return bucket


@pytest.fixture
def opened(bucket: Bucket, object_store: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> Open:
    def opened(user: dict[str, str] = WRITER, **changes: str) -> BucketIndex:
        for name, value in user.items():
            monkeypatch.setenv(name, value)
        keys = {"url": f"{bucket.url}/", "endpoint": object_store.endpoint, **changes}
        return BucketIndex(Index(name="own", read_timeout=5.0, **keys), NoFacts())  # type: ignore[arg-type]

    return opened


def limits() -> Limits:
    return Limits(time.monotonic() + 30, 10**6)


def files_of(index: BucketIndex, project: str = "acme-app") -> tuple[File, ...]:
    answer = index.page(project, limits(), None, None)
    assert answer.page is not None, answer.outcome
    return answer.page.files


def test_what_another_tool_has_put_there_is_listed_without_a_hash(
    bucket: Bucket, opened: Open
) -> None:
    for name in ("acme_app-2.0.txt", "other-1.0.tar.gz", ".hidden", f"{APP.filename}.asc"):
        bucket.put(f"acme-app/{name}", b"")
    (file,) = files_of(opened())
    assert (file.filename, file.hashes, file.size) == (APP.filename, {}, len(APP.data))
    assert file.core_metadata is False


def test_its_names_are_those_of_its_folders(bucket: Bucket, opened: Open) -> None:
    for key in ("idna/x", "_probe/x", "Not.Normal/x", "loose.txt"):
        bucket.put(key, b"")
    assert list(opened().names(limits()).names) == ["acme-app", "idna"]
    assert opened().page("absent", limits(), None, None).outcome.kind is Kind.ABSENT


def test_a_file_is_read_from_an_offset_and_in_parts(opened: Open) -> None:
    index = opened()
    (file,) = files_of(index)
    body = index.open(file, 100, None, 5.0).body
    assert body is not None
    assert (body.start, body.total, body.read(), body.read()) == (
        100, len(APP.data), APP.data[100:], b"",
    )  # fmt: skip
    again = index.open(file, len(APP.data), None, 5.0).body
    assert again is not None
    assert again.start == 0
    assert index.part(file, Part(10, 20), 5.0).data == APP.data[10:20]
    end = index.part(file, Part(-10), 5.0)
    assert (end.data, end.total) == (APP.data[-10:], len(APP.data))


def test_a_file_elsewhere_is_not_asked_for(opened: Open) -> None:
    index = opened()
    other = File(filename=APP.filename, url=f"s3://other/acme-app/{APP.filename}")
    assert index.open(other, 0, None, 5.0).outcome.kind is Kind.ABSENT
    assert index.part(other, Part(0, 1), 5.0).outcome.kind is Kind.ABSENT


@pytest.mark.parametrize(
    ("content", "yanked"),
    [
        (b'{"sha256": "", "reason": "bad"}', "bad"),
        (b'{"reason": ""}', True),
        (b"", True),
        (b"\xff", True),
        (b'{"sha256": "0123", "reason": "of an earlier file"}', False),
    ],
)
def test_any_object_beside_a_file_yanks_it_but_one_of_an_earlier_file(
    bucket: Bucket, opened: Open, content: bytes, yanked: bool | str
) -> None:
    bucket.put(f"acme-app/{APP.filename}.yanked", content)
    (file,) = files_of(opened())
    assert file.yanked == yanked


def test_provenance_beside_a_file_is_stated_and_opened(bucket: Bucket, opened: Open) -> None:
    bucket.put(f"acme-app/{APP.filename}.provenance", b"{}")
    index = opened()
    (file,) = files_of(index)
    assert file.provenance == f"{file.url}.provenance"
    beside = File(filename=f"{APP.filename}.provenance", url=file.provenance)
    body = index.open(beside, 0, None, 5.0).body
    assert body is not None
    assert body.read() == b"{}"


@pytest.mark.parametrize(
    ("user", "changes", "kind"),
    [
        (READER, {}, Kind.FOUND),
        (STRANGER, {}, Kind.DENIED),
        (WRITER, {"endpoint": "http://127.0.0.1:9"}, Kind.UNREACHABLE),
        (READER, {"url": "s3://no-such-bucket/"}, Kind.NOT_AN_INDEX),
    ],
)
def test_what_an_answer_means(
    opened: Open, user: dict[str, str], changes: dict[str, str], kind: Kind
) -> None:
    index = opened(user, **changes)
    assert index.page("acme-app", limits(), None, None).outcome.kind is kind
    assert index.names(limits()).outcome.kind is kind


def test_a_bucket_that_ignores_conditions_takes_no_uploads(cli: CommandLine) -> None:
    with careless_store() as endpoint:
        cli.environ |= {**WRITER, "AWS_ENDPOINT_URL": endpoint}
        cli.configure('[[index]]\nname = "own"\nurl = "s3://shared/uploads"\nupload = true\n')
        refused = cli("serve", "--port", "0").expect(2)
        assert "cannot take uploads: it ignores If-None-Match" in refused.words
        checked = cli("config", "check").expect(1)
        assert "uploads are refused: it ignores If-None-Match" in checked.words


def test_a_bucket_that_is_only_read_is_not_tested_for_uploads() -> None:
    assert upload_problem(Index(name="own", url="s3://bucket/uploads/")) == ""


def test_without_the_client_of_buckets_the_setting_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "obstore", None)
    with pytest.raises(ConfigError, match="a bucket needs obstore, which is not installed"):
        load_settings(indexes=["own=s3://bucket/uploads"], environ={})


def test_a_release_is_promoted_from_a_directory_to_a_bucket_and_back_with_its_provenance(
    cli: CommandLine, bucket: Bucket, object_store: ObjectStore
) -> None:
    lib, name = wheel("acme-lib", "1.0"), wheel("acme-lib", "1.0").filename
    dist = cli.directory / "dist"
    staging = cli.directory / "staging"
    for folder in (dist, staging):
        folder.mkdir()
    (dist / name).write_bytes(lib.data)
    signed = attestation(name, lib.sha256)
    (dist / f"{name}.publish.attestation").write_text(json.dumps(signed), "utf-8")
    cli.environ |= {**WRITER, "AWS_ENDPOINT_URL": object_store.endpoint}
    urls = {"staging": str(staging), "prod": str(bucket.url)}
    cli.configure(*(index_table(n, u, role="private", upload=True) for n, u in urls.items()))
    cli("publish", "--index", "staging", *map(str, dist.iterdir())).expect()
    cli("promote", "acme-lib", "1.0", "--from", "staging", "--to", "prod").expect()
    assert bucket.get(f"acme-lib/{name}").data == lib.data
    assert b"attestation_bundles" in bucket.get(f"acme-lib/{name}.provenance").data
    cli("remove", "acme-lib", "1.0", "--index", "staging", "--yes").expect()
    cli("promote", "acme-lib", "1.0", "--from", "prod", "--to", "staging").expect()
    assert (staging / name).read_bytes() == lib.data
    assert (staging / f"{name}.provenance").exists()
    cli("remove", "acme-lib", "1.0", "--index", "prod", "--yes").expect()
    assert not list(bucket.list("acme-lib/"))
