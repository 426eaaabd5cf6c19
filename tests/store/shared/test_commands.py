"""The commands that concern a shared bucket, on a real object store."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from indexfallback.cli.status import _shared_lines
from indexfallback.cli.why import _shared_lines as shared_in_why
from indexfallback.config.bucket_url import parse_bucket_url
from indexfallback.report.status import status
from indexfallback.report.why import why
from indexfallback.server.metrics import render
from indexfallback.store.pins import Pin
from indexfallback.store.shared import keys
from indexfallback.store.shared.answers import Outcome
from indexfallback.store.shared.bucket import Bucket
from indexfallback.store.shared.pins import encoded
from tests.cli.support import CommandLine
from tests.conftest import MakeShim
from tests.docs.test_json import DOCUMENTED, is_documented
from tests.docs.test_json import keys as keys_of
from tests.fakes import FakeIndex, wheel
from tests.fakes.object_store import READER, STRANGER, WRITER, ObjectStore
from tests.files.support import fetch
from tests.serving import index_table, wait_until
from tests.store.shared.support import MakeCopy, copies, drained

DEMO = wheel("demo", size=1000)
OTHER = wheel("demo", requires=["evil"], size=1000)


@pytest.fixture
def bucket(bucket_url: str, object_store: ObjectStore) -> Bucket:
    url = parse_bucket_url(bucket_url)
    return Bucket(url._replace(prefix=f"{url.prefix}/v1"), endpoint=object_store.endpoint)


@pytest.fixture
def copy(shim: MakeShim, bucket_url: str, object_store: ObjectStore, tmp_path: Path) -> MakeCopy:
    return copies(shim, bucket_url, object_store.endpoint, tmp_path)


@pytest.fixture
def cli(tmp_path: Path, bucket_url: str) -> CommandLine:
    directory = tmp_path / "user"
    directory.mkdir()
    made = CommandLine(directory)
    made.environ |= WRITER
    return made


@pytest.fixture
def chain(cli: CommandLine, bucket_url: str, object_store: ObjectStore) -> Iterator[FakeIndex]:
    """Configure an index and the bucket."""
    with FakeIndex([DEMO]) as index:
        cli.configure(
            index_table("pypi", index.url),
            cache={"shared": bucket_url, "shared_endpoint": object_store.endpoint},
        )
        yield index


@pytest.fixture
def filled(cli: CommandLine, chain: FakeIndex, shim: MakeShim) -> FakeIndex:
    """Have a file, its pin and its page in the cache, and not in the bucket."""
    made = shim(chain, cache_dir=cli.cache)
    made.fallback.page("demo")
    fetch(made, DEMO)
    wait_until(lambda: not made.downloads._running, 5, "a transfer is under way")
    made.close()
    return chain


def test_share_writes_what_is_here(
    cli: CommandLine, filled: FakeIndex, bucket: Bucket, copy: MakeCopy
) -> None:
    done = cli("cache", "share", "--json").expect()
    assert done.json["written"]["file"] == {"sent": 1, "there": 0, "failed": 0}
    assert done.json["written"]["pin"]["sent"] == 1
    assert done.json["written"]["page"]["sent"] == 1
    assert all(is_documented(key, "cache share") for key in keys_of(done.json) if key != "schema")
    cold = copy("cold", filled)
    before = len(filled.requests)
    cold.fallback.page("demo")
    assert fetch(cold, DEMO) == DEMO.data
    assert len(filled.requests) == before
    again = cli("cache", "share", "--json").expect().json["written"]
    assert (again["file"]["there"], again["pin"]["there"], again["pin"]["sent"]) == (1, 1, 0)
    assert (again["page"]["there"], again["page"]["sent"]) == (1, 0)


def test_share_replaces_an_older_page_and_no_later_one(
    cli: CommandLine, filled: FakeIndex, bucket: Bucket
) -> None:
    cli("cache", "share").expect()
    key = keys.page(filled.url, "demo")
    row = msgspec.msgpack.decode(bucket.get(key).data)
    for later, sent in ((-1.0, 1), (0.001, 0)):
        other = msgspec.msgpack.encode([*row[:6], row[6] + later, *row[7:]])
        bucket.put(key, other)
        done = cli("cache", "share", "--json").expect()
        assert done.json["written"]["page"]["sent"] == sent
        assert (bucket.get(key).data == other) == (not sent)


def test_share_names_the_pins_that_contradict_the_bucket(
    cli: CommandLine, filled: FakeIndex, bucket: Bucket
) -> None:
    pin = Pin("demo", DEMO.filename, OTHER.sha256, OTHER.sha256, 1.0, filled.url)
    bucket.put(keys.pin("demo", DEMO.filename, ""), encoded(pin))
    done = cli("cache", "share").expect(1)
    assert f"{DEMO.filename} of demo: the bucket has another pin" in done.words


def test_share_without_the_right_to_write_says_so(cli: CommandLine, filled: FakeIndex) -> None:
    cli.environ |= READER
    assert "writing is denied" in cli("cache", "share").expect(1).words


def test_share_without_a_bucket_is_an_error(cli: CommandLine) -> None:
    cli.configure()
    assert "cache.shared: names no bucket" in cli("cache", "share").expect(2).words


def test_verify_removes_wrong_files_of_the_bucket(
    cli: CommandLine, filled: FakeIndex, bucket: Bucket
) -> None:
    cli("cache", "share").expect()
    assert (
        "1 file of the shared bucket checked" in cli("cache", "verify", "--shared").expect().words
    )
    bucket.put(keys.blob(DEMO.sha256), OTHER.data)
    done = cli("cache", "verify", "--shared", "--sample", "3", "--json").expect(1)
    assert done.json["wrong"] == done.json["removed"] == [DEMO.sha256]
    documented = {key.removesuffix("[]") for key in DOCUMENTED["cache verify --shared"]}
    assert done.json.keys() - {"schema"} == documented
    assert bucket.head(keys.blob(DEMO.sha256)).outcome is Outcome.ABSENT
    assert cli("cache", "verify", "--shared").expect().words.startswith("0 files")


def test_with_the_mode_read_no_command_changes_the_bucket(
    cli: CommandLine,
    filled: FakeIndex,
    bucket: Bucket,
    bucket_url: str,
    object_store: ObjectStore,
) -> None:
    cli("cache", "share").expect()
    bucket.put(keys.blob(DEMO.sha256), OTHER.data)
    there = [(entry.key, entry.etag) for entry in bucket.list()]
    cli.configure(
        index_table("pypi", filled.url),
        cache={
            "shared": bucket_url,
            "shared_endpoint": object_store.endpoint,
            "shared_mode": "read",
        },
    )
    for command in (
        ("share",),
        ("remove", "demo", "--yes"),
        ("accept", "demo", DEMO.filename, "--yes"),
    ):
        done = cli("cache", *command).expect(1)
        assert "is only read, by shared_mode; run it where" in done.words
    assert "it was not removed" in cli("cache", "verify", "--shared").expect(1).words
    assert [(entry.key, entry.etag) for entry in bucket.list()] == there


def test_a_sample_is_of_the_bucket_only(cli: CommandLine) -> None:
    assert "--sample is for --shared" in cli("cache", "verify", "--sample", "3").expect(2).words


def test_accept_removes_the_pin_of_the_bucket(
    cli: CommandLine, filled: FakeIndex, bucket: Bucket
) -> None:
    cli("cache", "share").expect()
    cli("cache", "accept", "demo", DEMO.filename, "--yes").expect()
    assert list(bucket.list("pins")) == []


def test_doctor_and_config_check_say_that_the_bucket_is_right(
    cli: CommandLine, chain: FakeIndex
) -> None:
    assert "has passed the self-test" in cli("doctor", "--all").words
    assert "has passed the self-test" in cli("config", "check").expect().words


@pytest.mark.parametrize(
    ("login", "said"),
    [
        (READER, "is read only with the key in the environment (writing is denied: 403 Forbidden"),
        (STRANGER, "cannot be used with the key in the environment (403 Forbidden"),
    ],
)
def test_doctor_says_what_the_credentials_may_not_do(
    cli: CommandLine, filled: FakeIndex, login: dict[str, str], said: str
) -> None:
    cli("cache", "share").expect()
    cli.environ |= login
    assert said in cli("doctor").words


def test_status_and_metrics_tell_what_came_from_the_bucket(
    cli: CommandLine, filled: FakeIndex, copy: MakeCopy
) -> None:
    cli("cache", "share").expect()
    cold = copy("cold", filled)
    fetch(cold, DEMO)
    drained(cold)
    report = status(cold)
    told_keys = keys_of(report["shared"], "shared")
    assert [key for key in told_keys if not is_documented(key, "status")] == []
    assert (report["shared"]["state"], report["shared"]["files"]) == ("ok", 1)
    text = render(report)
    assert 'indexfallback_shared_requests_total{operation="get",outcome="found"}' in text
    assert "indexfallback_shared_files_total 1.0" in text
    assert 'indexfallback_shared_request_seconds_bucket{le="+Inf"}' in text
    assert 'indexfallback_shared_breaker_open{way="reading"} 0.0' in text
    told = why(cold, "demo")["shared"]
    assert told["files"] == 1
    assert told["page"] is not None


CONFLICT = {
    "project": "demo", "filename": DEMO.filename, "refused": "a" * 64, "held": "b" * 64,
    "source": "https://packages.example.com/simple/", "found": 1000.0,
}  # fmt: skip


def test_status_says_what_waits_for_the_bucket_and_what_contradicted_it() -> None:
    report = {
        "url": "s3://packages/x", "state": "read only", "cause": "writing is denied", "files": 1,
        "pages": 2, "queue": 3, "waiting": 4, "conflicts": 1, "in_conflict": [CONFLICT],
    }  # fmt: skip
    told = " ".join(" ".join(_shared_lines(report)).split())
    assert "s3://packages/x: read only (writing is denied)" in told
    assert "1 file and 2 pages came from it, 3 writes waiting, 4 records to be written" in told
    assert f"1 file served here contradicted another shim: {DEMO.filename} of demo" in told
    assert _shared_lines(None) == []


def test_why_says_which_file_is_to_be_installed_again() -> None:
    (line,) = shared_in_why({"page": None, "files": 0, "conflicts": [CONFLICT]})
    assert f"{DEMO.filename} was served here as sha256 {'a' * 64}" in line
    assert line.endswith("install it again where it was installed")
