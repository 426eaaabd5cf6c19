"""A bucket of a real object store: what each request means."""

import os
import socket
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from indexfallback.config.bucket_url import parse_bucket_url
from indexfallback.store.shared import link
from indexfallback.store.shared.answers import Answer, BucketError, Outcome
from indexfallback.store.shared.bucket import Bucket
from indexfallback.store.shared.link import Link
from indexfallback.store.shared.selftest import examine
from tests.fakes import FakeIndex
from tests.fakes.object_store import READER, STRANGER, ObjectStore
from tests.fakes.proxy import FaultProxy


@pytest.fixture
def bucket(bucket_url: str, object_store: ObjectStore) -> Bucket:
    return Bucket(parse_bucket_url(bucket_url), endpoint=object_store.endpoint)


def as_user(
    user: dict[str, str], url: str, endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> Bucket:
    for name, value in user.items():
        monkeypatch.setenv(name, value)
    return Bucket(parse_bucket_url(url), endpoint=endpoint)


def test_what_is_put_is_read(bucket: Bucket) -> None:
    assert bucket.put("pages/index/flask", b"a page").is_found
    answer = bucket.get("pages/index/flask")
    assert (answer.outcome, answer.data, answer.size) == (Outcome.FOUND, b"a page", 6)


def test_what_was_never_put_is_absent(bucket: Bucket) -> None:
    assert bucket.get("nothing").outcome is Outcome.ABSENT
    assert bucket.head("nothing").outcome is Outcome.ABSENT
    assert bucket.stream("nothing").answer.outcome is Outcome.ABSENT


def test_of_two_that_create_the_second_learns_of_the_first(bucket: Bucket) -> None:
    assert bucket.create("pins/flask/a", b"first").is_found
    assert bucket.create("pins/flask/a", b"second").outcome is Outcome.EXISTS
    assert bucket.get("pins/flask/a").data == b"first"


def test_of_threads_that_create_at_once_one_wins(
    bucket_url: str, object_store: ObjectStore
) -> None:
    # SeaweedFS lets those that race wait for each other for whole seconds.
    bucket = Bucket(parse_bucket_url(bucket_url), endpoint=object_store.endpoint, timeout=30)
    answers: dict[int, Answer] = {}
    ready = threading.Barrier(8)

    def create(number: int) -> None:
        ready.wait()
        answers[number] = bucket.create("pins/race", b"%d" % number)

    threads = [threading.Thread(target=create, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (winner,) = [number for number, answer in answers.items() if answer.is_found]
    assert Counter(a.outcome for a in answers.values()) == {Outcome.FOUND: 1, Outcome.EXISTS: 7}
    assert bucket.get("pins/race").data == b"%d" % winner


def test_only_the_version_that_is_named_is_replaced(bucket: Bucket) -> None:
    first = bucket.put("names", b"1")
    second = bucket.replace_if("names", b"2", first.etag)
    assert second.is_found
    assert bucket.replace_if("names", b"3", first.etag).outcome is Outcome.EXISTS
    assert bucket.get("names").data == b"2"
    assert bucket.replace_if("gone", b"3", first.etag).outcome is Outcome.EXISTS


def test_what_has_not_changed_is_not_sent_again(bucket: Bucket) -> None:
    etag = bucket.put("names", b"1").etag
    assert bucket.get("names", unless=etag).outcome is Outcome.UNCHANGED
    bucket.put("names", b"2")
    assert bucket.get("names", unless=etag).data == b"2"


def test_a_file_is_sent_in_parts_and_received_in_pieces(bucket: Bucket, tmp_path: Path) -> None:
    path = tmp_path / "wheel"
    content = os.urandom(20 << 20)
    path.write_bytes(content)
    assert bucket.put("blobs/large", path).is_found
    answer, pieces = bucket.stream("blobs/large")
    received = list(pieces)
    assert answer.size == len(content)
    assert b"".join(received) == content
    assert max(map(len, received)) < 4 << 20


def test_a_range_is_received(bucket: Bucket) -> None:
    bucket.put("blobs/small", b"0123456789")
    assert b"".join(bucket.stream("blobs/small", 3).pieces) == b"3456789"
    assert b"".join(bucket.stream("blobs/small", 3, 5).pieces) == b"34"
    assert bucket.stream("blobs/small", 3, 5).answer.size == 10


def test_an_object_above_the_limit_is_not_read(bucket: Bucket) -> None:
    bucket.put("pages/x", b"0123456789")
    assert bucket.get("pages/x", most=9).outcome is Outcome.UNREACHABLE


def test_what_is_deleted_is_absent(bucket: Bucket) -> None:
    bucket.put("a", b"")
    assert bucket.delete("a").is_found
    assert bucket.delete("a").is_found
    assert bucket.get("a").outcome is Outcome.ABSENT


def test_a_folder_lists_what_lies_directly_in_it(bucket: Bucket) -> None:
    for key in ("up/flask/a.whl", "up/flask/b.whl", "up/flask-login/c.whl", "up/readme"):
        bucket.put(key, b"four")
    found = bucket.folder("up/")
    assert sorted(found.folders) == ["up/flask", "up/flask-login"]
    assert [(entry.key, entry.size) for entry in found.objects] == [("up/readme", 4)]
    assert [entry.key for entry in bucket.folder("up/flask/").objects] == [
        "up/flask/a.whl", "up/flask/b.whl",
    ]  # fmt: skip
    nothing = bucket.folder("none")
    assert (nothing.answer.outcome, list(nothing.objects)) == (Outcome.FOUND, [])


def test_a_listing_has_all_pages(bucket: Bucket) -> None:
    for number in range(1005):
        bucket.put(f"pins/p/{number:04}", b"")
    keys = [entry.key for entry in bucket.list("pins/")]
    assert keys == [f"pins/p/{number:04}" for number in range(1005)]
    assert [entry.key for entry in bucket.list("pins/", after="pins/p/1002")] == keys[1003:]


@pytest.mark.parametrize("name", ["a-1.0+local.1-py3-none-any.whl", "a_b~c.tar.gz", "ä é%2F.zip"])
def test_any_file_name_is_a_key(bucket: Bucket, name: str) -> None:
    bucket.put(f"uploads/a/{name}", b"bytes")
    assert bucket.get(f"uploads/a/{name}").data == b"bytes"
    assert [entry.key for entry in bucket.list("uploads/a")] == [f"uploads/a/{name}"]


def test_who_may_only_read_is_denied_to_write(
    bucket: Bucket, bucket_url: str, object_store: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket.put("a", b"1")
    reader = as_user(READER, bucket_url, object_store.endpoint, monkeypatch)
    assert reader.get("a").data == b"1"
    assert reader.create("b", b"").outcome is Outcome.DENIED
    assert reader.put("a", b"2").outcome is Outcome.DENIED
    assert reader.delete("a").outcome is Outcome.DENIED
    assert reader.get("a").data == b"1"
    assert "AccessDenied" in reader.put("a", b"2").cause


def test_who_has_no_rights_is_denied_to_read(
    bucket: Bucket, bucket_url: str, object_store: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket.put("a", b"1")
    stranger = as_user(STRANGER, bucket_url, object_store.endpoint, monkeypatch)
    assert stranger.get("a").outcome is Outcome.DENIED
    with pytest.raises(BucketError, match="403 Forbidden") as raised:
        list(stranger.list())
    assert raised.value.answer.outcome is Outcome.DENIED


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


def test_a_refused_port_is_unreachable_at_once(bucket_url: str) -> None:
    seconds: list[float] = []
    bucket = Bucket(
        parse_bucket_url(bucket_url),
        endpoint=f"http://127.0.0.1:{closed_port()}",
        observe=lambda _operation, _outcome, elapsed: seconds.append(elapsed),
    )
    answers = (bucket.get("a"), bucket.create("a", b""), bucket.folder().answer)
    assert {answer.outcome for answer in answers} == {Outcome.UNREACHABLE}
    assert max(seconds) < 1
    assert "refused" in answers[0].cause.lower()


@pytest.fixture
def deaf() -> Iterator[str]:
    """Return the address of a server that closes one connection after the request."""

    def hear() -> None:
        connection, _ = listening.accept()
        with connection:
            connection.recv(65_536)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=hear)
        thread.start()
        yield "{}:{}".format(*listening.getsockname())
        with suppress(OSError), socket.create_connection(listening.getsockname()):
            pass  # if it was not asked
        thread.join()


@pytest.mark.parametrize(
    ("endpoint", "cause"),
    [
        ("http://{}", "the connection was closed without an answer"),
        ("https://{}", "tls handshake eof"),
        ("http://no-host.invalid", "failed to lookup address information"),
    ],
)
def test_the_cause_of_a_failure_is_said_in_a_few_words(
    bucket_url: str, deaf: str, endpoint: str, cause: str
) -> None:
    bucket = Bucket(parse_bucket_url(bucket_url), endpoint=endpoint.format(deaf))
    assert bucket.get("a").cause.startswith(cause)


def test_http_where_tls_is_expected_is_said(bucket_url: str, object_store: ObjectStore) -> None:
    endpoint = object_store.endpoint.replace("http:", "https:")
    bucket = Bucket(parse_bucket_url(bucket_url), endpoint=endpoint)
    assert bucket.get("a").cause == "it does not speak TLS"


def test_a_server_that_does_not_speak_s3_is_not_taken_for_an_empty_bucket(bucket_url: str) -> None:
    with FakeIndex([]) as index:
        abilities = examine(Bucket(parse_bucket_url(bucket_url), endpoint=index.base))
    assert not abilities.reads
    assert "it is not an object store" in abilities.cause


def test_no_answer_is_unreachable_after_the_timeout(
    bucket_url: str, object_store: ObjectStore
) -> None:
    with FaultProxy(object_store.port) as proxy:
        proxy.faults.blackhole = True
        bucket = Bucket(parse_bucket_url(bucket_url), endpoint=proxy.base, timeout=0.3)
        assert bucket.get("a") == Answer(Outcome.UNREACHABLE, cause="no answer in time")
        assert bucket.stream("a").answer.outcome is Outcome.UNREACHABLE


def test_a_file_that_breaks_off_raises(
    bucket: Bucket, bucket_url: str, object_store: ObjectStore
) -> None:
    bucket.put("blobs/a", os.urandom(4 << 20))
    with FaultProxy(object_store.port) as proxy:
        proxy.faults.cut = 2 << 20
        broken = Bucket(parse_bucket_url(bucket_url), endpoint=proxy.base)
        with pytest.raises(BucketError):
            list(broken.stream("blobs/a").pieces)


def test_the_self_test_passes_and_leaves_nothing(bucket: Bucket) -> None:
    abilities = examine(bucket)
    assert (abilities.reads, abilities.writes, abilities.conditions) == (True, True, True)
    assert abilities.cause == ""
    assert list(bucket.list()) == []


class WithoutListing(Bucket):
    """A bucket as S3 shows it to those who may read and write, but not list."""

    def get(self, *args: Any, **kwargs: Any) -> Answer:
        answer = super().get(*args, **kwargs)
        if answer.outcome is Outcome.ABSENT:
            return Answer(Outcome.DENIED, cause="403 Forbidden (AccessDenied)")
        return answer


def test_the_self_test_finds_that_listing_is_not_permitted(
    bucket_url: str, object_store: ObjectStore
) -> None:
    bucket = WithoutListing(parse_bucket_url(bucket_url), endpoint=object_store.endpoint)
    abilities = examine(bucket)
    assert not abilities.reads
    assert "as without the right to list" in abilities.cause
    assert list(bucket.list()) == []


def test_the_self_test_with_a_reading_key_finds_it_read_only(
    bucket: Bucket, bucket_url: str, object_store: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket.put("a", b"1")  # which creates the bucket
    abilities = examine(as_user(READER, bucket_url, object_store.endpoint, monkeypatch))
    assert abilities[:3] == (True, False, False)
    assert "AccessDenied" in abilities.cause


def test_the_self_test_of_a_missing_bucket_names_it(
    object_store: ObjectStore, bucket_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = as_user(READER, "s3://no-bucket-here/x", object_store.endpoint, monkeypatch)
    abilities = examine(reader)
    assert abilities[:3] == (False, False, False)
    assert examine(reader, writes=False)[:3] == (False, False, False)


def test_an_object_has_the_attributes_that_it_was_written_with(bucket: Bucket) -> None:
    page = {"Content-Type": "text/html", "sha256": "0" * 64}
    bucket.put("page", b"<html>", page)
    bucket.create("file", b"bytes", {"requires-python": ">=3.8"})
    assert bucket.head("page").attributes == page
    assert bucket.head("file").attributes["requires-python"] == ">=3.8"


@pytest.mark.parametrize("size", [0, 3 << 20])
def test_a_file_is_created_with_all_of_its_bytes(bucket: Bucket, tmp_path: Path, size: int) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"x" * size)
    assert bucket.create("file", path).is_found
    assert bucket.create("file", path).outcome is Outcome.EXISTS
    assert bucket.get("file").data == path.read_bytes()


class Stalling(Bucket):
    """Does not answer one kind of request in time."""

    stalled = ""

    def replace_if(self, key: str, data: bytes, etag: str) -> Answer:
        if self.stalled == "replace":
            return Answer(Outcome.UNREACHABLE, cause="no answer in time")
        return super().replace_if(key, data, etag)

    def create(
        self, key: str, data: bytes | Path, attributes: Mapping[str, str] | None = None
    ) -> Answer:
        if self.stalled == "second create" and self.head(key).is_found:
            return Answer(Outcome.UNREACHABLE, cause="no answer in time")
        return super().create(key, data, attributes)


@pytest.mark.parametrize("stalled", ["replace", "second create"])
def test_a_self_test_without_all_answers_says_nothing_of_conditions(
    bucket_url: str, object_store: ObjectStore, stalled: str
) -> None:
    bucket = Stalling(parse_bucket_url(bucket_url), endpoint=object_store.endpoint)
    bucket.stalled = stalled
    abilities = examine(bucket)
    assert abilities[:3] == (False, False, False)
    assert abilities.cause == "no answer in time"


class Full(Bucket):
    """One that takes nothing more."""

    def create(
        self, _key: str, _data: bytes | Path, _attributes: Mapping[str, str] | None = None
    ) -> Answer:
        return Answer(Outcome.UNREACHABLE, cause="507 Insufficient Storage")


def test_a_full_bucket_is_read(bucket_url: str, object_store: ObjectStore) -> None:
    full = Full(parse_bucket_url(bucket_url), endpoint=object_store.endpoint)
    full.put("any", b"first")  # the store makes its bucket
    abilities = examine(full)
    assert abilities[:3] == (True, False, False)
    assert abilities.cause == "writing fails: 507 Insufficient Storage"
    assert abilities.may_pass


def test_a_bucket_that_is_refused_from_the_start_is_said_each_minute(
    bucket_url: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket = Bucket(parse_bucket_url(bucket_url), endpoint=f"http://127.0.0.1:{closed_port()}")
    tested = Link(bucket, is_for_writing=True)
    for _ in range(3):
        tested.examine()
    assert len(caplog.records) == 1
    monkeypatch.setattr(link, "_SAY_EACH", 0.0)
    tested.examine()
    assert len(caplog.records) == 2
    assert "works without it" in caplog.text
