"""Several shims on one bucket of a real object store."""

import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from indexfallback.config import Index
from indexfallback.config.bucket_url import parse_bucket_url
from indexfallback.errors import (
    FileMissingError,
    FileRefusedError,
    FileUnavailableError,
    ProjectNotFoundError,
)
from indexfallback.shim import Shim
from indexfallback.store.pins import Pin
from indexfallback.store.shared import keys
from indexfallback.store.shared.answers import Outcome
from indexfallback.store.shared.bucket import Bucket
from indexfallback.store.shared.pins import decoded, encoded
from indexfallback.store.shared.unshared import Owner
from tests.conftest import MakeShim
from tests.fakes import FakeIndex, wheel
from tests.fakes.object_store import BUCKET, READER, STRANGER, WRITER, ObjectStore, careless_store
from tests.fakes.proxy import FaultProxy
from tests.files.support import fetch
from tests.serving import wait_until
from tests.store.shared.support import MakeCopy, copies, drained, sharing

DEMO = wheel("demo", size=100_000)
#: The same name, other bytes.
OTHER = wheel("demo", requires=["evil"], size=100_000)
FILE = f"/files/{DEMO.filename}"
PAGE = "/simple/demo/"


@pytest.fixture
def copy(shim: MakeShim, bucket_url: str, object_store: ObjectStore, tmp_path: Path) -> MakeCopy:
    return copies(shim, bucket_url, object_store.endpoint, tmp_path)


@pytest.fixture
def bucket(bucket_url: str, object_store: ObjectStore) -> Bucket:
    url = parse_bucket_url(bucket_url)
    return Bucket(url._replace(prefix=f"{url.prefix}/v1"), endpoint=object_store.endpoint)


@pytest.fixture
def proxy(object_store: ObjectStore) -> Iterator[FaultProxy]:
    with FaultProxy(object_store.port) as proxy:
        yield proxy


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Try again after a moment what waits for the bucket."""
    monkeypatch.setattr("indexfallback.store.shared.breaker.PAUSE_SECONDS", 0.2)
    monkeypatch.setattr("indexfallback.store.shared.sharing._RETRY_SECONDS", 0.2)


def install(shim: Shim) -> bytes:
    """Do what a client does: ask for the page, then for the file and its metadata."""
    shim.fallback.page("demo")
    fetch(shim, DEMO, ending=".metadata")
    return fetch(shim, DEMO)


@pytest.fixture
def proxied(shim: MakeShim, bucket_url: str, proxy: FaultProxy, tmp_path: Path) -> MakeCopy:
    """Return a factory of shims whose way to the bucket leads through the proxy."""
    return copies(shim, bucket_url, proxy.base, tmp_path)


def pinned(bucket: Bucket) -> Pin | None:
    return decoded("demo", DEMO.filename, bucket.get(keys.pin("demo", DEMO.filename, "")).data)


def pin_of(sha256: str, source: str, *, key: str = "") -> Pin:
    return Pin("demo", DEMO.filename, key or sha256, sha256, time.time(), source)


def test_a_cold_copy_before_a_warm_bucket_asks_the_index_for_nothing(copy: MakeCopy) -> None:
    with FakeIndex([DEMO]) as index:
        first = copy("a", index)
        install(first)
        drained(first)
        before = len(index.requests)
        assert install(copy("b", index)) == DEMO.data
        assert len(index.requests) == before


def test_what_one_copy_has_installed_the_other_installs_without_the_index(copy: MakeCopy) -> None:
    with FakeIndex([DEMO]) as index:
        first = copy("a", index)
        install(first)
        drained(first)
        second = copy("b", index)
    assert install(second) == DEMO.data


def test_the_bucket_has_file_pin_and_page(copy: MakeCopy, bucket: Bucket) -> None:
    with FakeIndex([DEMO]) as index:
        first = copy("a", index)
        install(first)
        drained(first)
        assert bucket.get(keys.blob(DEMO.sha256)).data == DEMO.data
        assert bucket.head(keys.page(index.url, "demo")).is_found
        pin = pinned(bucket)
        assert pin is not None
        assert (pin.sha256, pin.source) == (DEMO.sha256, index.url)


def test_what_came_from_the_bucket_is_not_sent_again(copy: MakeCopy, bucket: Bucket) -> None:
    with FakeIndex([DEMO]) as index:
        first = copy("a", index)
        install(first)
        drained(first)
        second = copy("b", index)
        install(second)
        drained(second)
    figures = sharing(second).figures.report()
    assert figures["files"] == 2
    assert "put" not in figures["requests"]
    assert figures["requests"]["create"] == {"exists": 1, "found": 1}  # the self-test's


def test_a_file_that_another_copy_has_pinned_otherwise_is_refused(
    copy: MakeCopy, bucket: Bucket
) -> None:
    with FakeIndex([DEMO]) as index:
        bucket.put(keys.pin("demo", DEMO.filename, ""), encoded(pin_of(OTHER.sha256, index.url)))
        with pytest.raises(FileRefusedError):
            fetch(copy("a", index), DEMO)
        assert index.count(FILE) == 0


def test_of_two_copies_at_once_one_content_wins(
    copy: MakeCopy, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other copy pins between this one's question and its answer to the client."""
    with FakeIndex([DEMO]) as index:
        made = copy("a", index)
        pins = sharing(made).pins
        read = pins.read

        def late(project: str, filename: str, key: str) -> Pin | None:
            found = read(project, filename, key)
            other = encoded(pin_of(OTHER.sha256, index.url))
            bucket.create(keys.pin("demo", DEMO.filename, ""), other)
            return found

        monkeypatch.setattr(pins, "read", late)
        with pytest.raises(FileRefusedError):
            fetch(made, DEMO)
        monkeypatch.undo()
        with pytest.raises(FileRefusedError):
            fetch(made, DEMO)


def test_the_pin_of_a_public_index_replaces_that_of_its_mirror(
    copy: MakeCopy, bucket: Bucket
) -> None:
    with FakeIndex([DEMO]) as mirror, FakeIndex([DEMO]) as public:
        wrong = encoded(pin_of(OTHER.sha256, mirror.url))
        bucket.put(keys.pin("demo", DEMO.filename, ""), wrong)
        made = copy(
            "a",
            Index(name="mirror", url=mirror.url, role="mirror", mirror_of="pypi"),
            Index(name="pypi", url=public.url, role="public"),
        )
        made.store.pins.record(
            "demo", DEMO.filename, DEMO.sha256, public.url, {mirror.url}, key=DEMO.sha256
        )
        pin = pinned(bucket)
        assert pin is not None
        assert (pin.sha256, pin.source) == (DEMO.sha256, public.url)


def test_a_missing_file_is_only_a_miss(copy: MakeCopy, bucket: Bucket) -> None:
    with FakeIndex([DEMO]) as index:
        first = copy("a", index)
        install(first)
        drained(first)
        bucket.delete(keys.blob(DEMO.sha256))
        second = copy("b", index)
        assert install(second) == DEMO.data
        assert index.count(FILE) == 2
        drained(second)
        assert bucket.get(keys.blob(DEMO.sha256)).data == DEMO.data


def test_a_poisoned_file_is_refused_fetched_again_and_replaced(
    copy: MakeCopy, bucket: Bucket
) -> None:
    with FakeIndex([DEMO]) as index:
        first = copy("a", index)
        install(first)
        drained(first)
        bucket.put(keys.blob(DEMO.sha256), OTHER.data)
        second = copy("b", index)
        assert install(second) == DEMO.data
        drained(second)
        assert bucket.get(keys.blob(DEMO.sha256)).data == DEMO.data
    assert sharing(second).figures.report()["wrong"] == 1


def test_a_damaged_pin_counts_as_none_until_it_is_removed(
    copy: MakeCopy, bucket: Bucket, caplog: pytest.LogCaptureFixture
) -> None:
    with FakeIndex([DEMO]) as index:
        right = encoded(pin_of(OTHER.sha256, index.url))
        bucket.put(keys.pin("demo", DEMO.filename, ""), right.replace(b"a", b"b"))
        made = copy("a", index)
        assert fetch(made, DEMO) == DEMO.data
    assert "is damaged" in caplog.text
    assert sharing(made).unshared.count() == 1


def test_a_damaged_page_counts_as_none(copy: MakeCopy, bucket: Bucket) -> None:
    with FakeIndex([DEMO]) as index:
        first = copy("a", index)
        install(first)
        drained(first)
        key = keys.page(index.url, "demo")
        bucket.put(key, bucket.get(key).data[:-3] + b"xyz")
        assert install(copy("b", index)) == DEMO.data
        assert index.count(PAGE) == 2


# The owners of names.


def private(index: FakeIndex, **keys: object) -> Index:
    return Index(name="private", url=index.url, role="private", **keys)  # type: ignore[arg-type]


def public(index: FakeIndex) -> Index:
    return Index(name="pypi", url=index.url, role="public")


def test_a_name_that_a_private_index_served_to_one_copy_is_its_own_on_all(copy: MakeCopy) -> None:
    with FakeIndex([DEMO]) as own, FakeIndex([OTHER]) as pypi:
        first = copy("a", private(own, on_outage="next"), public(pypi))
        first.fallback.page("demo")
        drained(first)
        own.remove_project("demo")
        second = copy("b", private(own, on_outage="next", fresh=0.0), public(pypi))
        drained(second)
        with pytest.raises(ProjectNotFoundError, match="private"):
            second.fallback.page("demo", again=True)
        assert pypi.count(PAGE) == 0


def test_a_list_of_names_is_known_to_all_copies(copy: MakeCopy) -> None:
    with FakeIndex([DEMO]) as own, FakeIndex([OTHER]) as pypi:
        first = copy("a", private(own), public(pypi))
        first.store.ledger.record_list(own.url, ["acme-app", "demo"])
        drained(first)
        second = copy("b", private(own), public(pypi))
        wait_until(lambda: second.store.ledger.names(own.url), 10, "the list did not come")
        assert second.store.ledger.names(own.url) == ["acme-app", "demo"]
        second.store.ledger.record_list(own.url, ["new", "demo"])
        drained(second)
        sharing(first).owners.poll(own.url)
        assert first.store.ledger.names(own.url) == ["acme-app", "demo", "new"]


def test_a_very_long_list_of_names_is_not_shared(
    copy: MakeCopy, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("indexfallback.store.shared.owners.MOST_NAMES", 1)
    with FakeIndex([DEMO]) as own, FakeIndex([OTHER]) as pypi:
        made = copy("a", private(own), public(pypi))
        made.store.ledger.record_list(own.url, ["acme-app", "demo"])
        drained(made)
        assert bucket.head(keys.names(own.url)).outcome is Outcome.ABSENT


def test_an_index_without_names_has_no_list_to_be_shared(copy: MakeCopy) -> None:
    with FakeIndex() as index:
        made = copy("a", index)
        assert sharing(made).owners.share(index.url).outcome is Outcome.EXISTS


def test_a_name_that_is_disowned_is_forgotten_in_the_bucket(copy: MakeCopy) -> None:
    with FakeIndex([DEMO]) as own, FakeIndex([OTHER]) as pypi:
        first = copy("a", private(own), public(pypi))
        first.fallback.page("demo")
        first.store.ledger.record_list(own.url, ["acme-app", "demo"])
        drained(first)
        assert first.store.ledger.forget("demo") == 1
        second = copy("b", private(own), public(pypi))
        wait_until(lambda: second.store.ledger.names(own.url), 10, "the list did not come")
        assert second.store.ledger.names(own.url) == ["acme-app"]
        assert second.store.ledger.owners_anywhere("demo", [own.url]) == {}


def test_a_pin_that_is_accepted_is_forgotten_in_the_bucket(copy: MakeCopy, bucket: Bucket) -> None:
    with FakeIndex([DEMO]) as index:
        first = copy("a", index)
        install(first)
        drained(first)
        first.store.pins.remove("demo", DEMO.filename)
        assert pinned(bucket) is None
        assert list(bucket.list("pins/demo")) != []
        first.store.pins.remove("demo")
        assert list(bucket.list("pins/demo")) == []


def test_metadata_are_read_from_a_wheel_of_the_bucket(copy: MakeCopy) -> None:
    with FakeIndex([DEMO]) as index:
        first = copy("a", index)
        first.fallback.page("demo")
        fetch(first, DEMO)
        drained(first)
        second = copy("b", index)
    second.fallback.page("demo")
    assert fetch(second, DEMO, ending=".metadata") == DEMO.metadata


# The bucket fails.


def test_a_refused_bucket_changes_nothing_for_clients(
    shim: MakeShim, bucket_url: str, tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    copy = copies(shim, bucket_url, f"http://127.0.0.1:{port}", tmp_path)
    with FakeIndex([DEMO]) as index:
        made = copy("a", index)
        assert install(made) == DEMO.data
    assert sharing(made).status()["state"] == "unreachable"
    assert sharing(made).unshared.count() == 2  # the pins of the file and of its metadata


def test_a_silent_bucket_costs_the_timeout_until_the_breaker_opens(
    proxied: MakeCopy, proxy: FaultProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("indexfallback.store.shared.breaker.PAUSE_SECONDS", 60.0)
    more = wheel("more")
    with FakeIndex([DEMO, more]) as index:
        made = proxied("a", index, shared_timeout=0.15)
        proxy.faults.blackhole = True
        assert install(made) == DEMO.data
        wait_until(lambda: sharing(made).link.reading.state == "open", 5, "it asks on")
        before = sharing(made).figures.report()["requests"]["get"]
        assert fetch(made, more) == more.data
        assert sharing(made).figures.report()["requests"]["get"] == before


def test_a_bucket_that_cuts_every_answer_changes_nothing_for_clients(
    copy: MakeCopy, proxied: MakeCopy, proxy: FaultProxy
) -> None:
    with FakeIndex([DEMO]) as index:
        first = copy("a", index)
        install(first)
        drained(first)
        proxy.faults.cut, proxy.faults.reset = 5_000, True
        second = proxied("b", index, is_ready=False, shared_timeout=1.0)
        assert install(second) == DEMO.data


def test_flipped_bytes_are_refused_and_fetched_from_the_index(
    copy: MakeCopy, proxied: MakeCopy, proxy: FaultProxy, bucket: Bucket
) -> None:
    with FakeIndex([DEMO]) as index:
        first = copy("a", index)
        install(first)
        drained(first)
        second = proxied("b", index)
        second.fallback.page("demo")
        # Behind what else comes on a connection, in the file.
        proxy.faults.flip = 60_000
        assert fetch(second, DEMO) == DEMO.data
        assert index.count(FILE) == 2
        drained(second)
        assert bucket.get(keys.blob(DEMO.sha256)).data == DEMO.data
    assert sharing(second).figures.report()["wrong"] == 1


def test_a_bucket_that_ignores_conditions_shares_files_and_no_pins(
    shim: MakeShim, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name, value in WRITER.items():
        monkeypatch.setenv(name, value)
    with careless_store() as endpoint, FakeIndex([DEMO]) as index:
        copy = copies(shim, f"s3://{BUCKET}/x", endpoint, tmp_path)
        first = copy("a", index)
        install(first)
        drained(first)
        second = copy("b", index)
        assert install(second) == DEMO.data
        assert index.count(FILE) == 1
        bucket = sharing(first).link.bucket
        assert bucket.get(keys.blob(DEMO.sha256)).data == DEMO.data
        assert list(bucket.list("pins")) == []
        status = sharing(first).status()
        assert (status["state"], status["waiting"]) == ("pins not shared", 0)
        assert "ignores If-None-Match" in status["cause"]


def test_who_is_denied_to_read_works_alone(copy: MakeCopy, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in STRANGER.items():
        monkeypatch.setenv(name, value)
    with FakeIndex([DEMO]) as index:
        made = copy("a", index)
        assert install(made) == DEMO.data
    status = sharing(made).status()
    assert status["state"] == "unreachable"
    assert "403 Forbidden" in status["cause"]


def test_who_may_only_read_reads_on_and_says_so(
    copy: MakeCopy,
    bucket: Bucket,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    with FakeIndex([DEMO]) as index:
        first = copy("a", index)
        install(first)
        drained(first)
        for name, value in READER.items():
            monkeypatch.setenv(name, value)
        second = copy("b", index)
        assert install(second) == DEMO.data
        assert index.count(FILE) == 1
        drained(second)
    status = sharing(second).status()
    assert status["state"] == "read only"
    assert "403 Forbidden" in status["cause"]
    (told,) = [each for each in caplog.records if "only read" in each.message]
    assert told.levelname == "WARNING"


def test_with_the_mode_read_nothing_is_written(copy: MakeCopy, bucket: Bucket) -> None:
    with FakeIndex([DEMO]) as index:
        made = copy("a", index, shared_mode="read")
        assert install(made) == DEMO.data
        drained(made)
    assert list(bucket.list()) == []
    assert sharing(made).unshared.count() == 0
    assert sharing(made).status()["state"] == "read only"


def test_with_strict_pins_no_file_is_served_without_the_bucket(
    proxied: MakeCopy, proxy: FaultProxy
) -> None:
    with FakeIndex([DEMO]) as index:
        made = proxied("a", index, strict_pins=True, shared_timeout=0.15)
        proxy.faults.blackhole = True
        made.fallback.page("demo")
        for _ in range(2):
            with pytest.raises(FileUnavailableError, match="strict_pins"):
                fetch(made, DEMO)
        proxy.faults.blackhole = False
        wait_until(lambda: not sharing(made).unshared.count(), 30, "the pin still waits")
        assert fetch(made, DEMO) == DEMO.data


def test_with_strict_pins_one_that_only_reads_serves_what_the_bucket_has_pinned(
    copy: MakeCopy,
) -> None:
    with FakeIndex([DEMO]) as index:
        reader = copy("b", index, strict_pins=True, shared_mode="read")
        with pytest.raises(FileUnavailableError, match="strict_pins"):
            fetch(reader, DEMO)
        fetch(copy("a", index), DEMO)
        assert fetch(reader, DEMO) == DEMO.data


# Its return.


def test_what_was_pinned_without_the_bucket_is_written_on_its_return(
    bucket: Bucket, proxied: MakeCopy, proxy: FaultProxy
) -> None:
    with FakeIndex([DEMO]) as index:
        made = proxied("a", index, shared_timeout=0.15)
        proxy.faults.blackhole = True
        assert install(made) == DEMO.data
        assert sharing(made).unshared.count() == 2
        proxy.faults.blackhole = False
        wait_until(lambda: pinned(bucket), 30, "the pin was not written")
        wait_until(lambda: not sharing(made).unshared.count(), 30, "some wait on")
        wait_until(lambda: bucket.head(keys.blob(DEMO.sha256)).is_found, 30, "the file waits on")
        status = sharing(made).status()
        assert (status["state"], status["cause"]) == ("ok", "")


def test_an_owner_of_meanwhile_is_written_on_its_return(
    proxied: MakeCopy, proxy: FaultProxy, bucket: Bucket
) -> None:
    with FakeIndex([DEMO]) as own, FakeIndex() as pypi:
        made = proxied("a", private(own), public(pypi), shared_timeout=0.15)
        proxy.faults.blackhole = True
        made.fallback.page("demo")
        assert sharing(made).unshared.count() == 1
        proxy.faults.blackhole = False
        wait_until(lambda: not sharing(made).unshared.count(), 30, "it waits on")
    assert bucket.head(keys.marker(own.url, "demo")).is_found


def test_another_pin_of_meanwhile_wins_and_the_file_is_quarantined(
    bucket: Bucket,
    proxied: MakeCopy,
    proxy: FaultProxy,
    caplog: pytest.LogCaptureFixture,
) -> None:
    with FakeIndex([DEMO]) as index:
        made = proxied("a", index, shared_timeout=0.15)
        proxy.faults.blackhole = True  # what is sent arrives all the same
        bucket.put(keys.pin("demo", DEMO.filename, ""), encoded(pin_of(OTHER.sha256, index.url)))
        for hashed in (True, False):
            assert fetch(made, DEMO, hashed=hashed) == DEMO.data
        proxy.faults.blackhole = False
        wait_until(lambda: not sharing(made).unshared.count(), 30, "the pin still waits")
        (conflict,) = sharing(made).unshared.conflicts("demo")
        assert (conflict.refused, conflict.held) == (DEMO.sha256, OTHER.sha256)
        assert made.store.blobs.find(DEMO.sha256) is None
        assert made.store.blobs.quarantined.count() == 1
        with pytest.raises(FileRefusedError):
            fetch(made, DEMO)
        # The index lists no file with the content that holds.
        with pytest.raises(FileMissingError):
            fetch(made, DEMO, hashed=False)
    assert "was served here as sha256" in caplog.text
    assert sharing(made).status()["conflicts"] == 1


def test_of_many_records_that_wait_none_waits_longer_than_it_must(
    copy: MakeCopy, monkeypatch: pytest.MonkeyPatch
) -> None:
    with FakeIndex([DEMO]) as index:
        made = copy("a", index)
    unshared = sharing(made).unshared
    # A thousand at once, by default.
    all_of = unshared.all
    monkeypatch.setattr(unshared, "all", lambda: all_of()[:1])
    for number in range(3):
        unshared.add(Owner(index.url, f"demo{number}", 1.0))
    monkeypatch.setattr("indexfallback.store.shared.sharing._RETRY_SECONDS", 60.0)
    wait_until(lambda: not all_of(), 10, "they wait for the next attempt")


def test_a_defect_does_not_end_the_sharing(
    copy: MakeCopy, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail() -> list[Owner]:
        raise ZeroDivisionError

    with FakeIndex([DEMO]) as index:
        made = copy("a", index)
    with monkeypatch.context() as patched:
        patched.setattr(sharing(made).unshared, "all", fail)
        wait_until(lambda: "cannot share what waits" in caplog.text, 10, "it was not called")
    sharing(made).unshared.add(Owner(index.url, "demo", 1.0))
    wait_until(lambda: not sharing(made).unshared.count(), 10, "nothing is shared any more")


def test_what_waits_is_written_after_a_restart(
    bucket: Bucket, proxied: MakeCopy, proxy: FaultProxy
) -> None:
    with FakeIndex([DEMO]) as index:
        made = proxied("a", index, shared_timeout=0.15)
        proxy.faults.blackhole = True
        assert install(made) == DEMO.data
        made.close()
        proxy.faults.blackhole = False
        proxied("a", index)
        wait_until(lambda: pinned(bucket), 10, "the pin was not written")


def test_a_damaged_pin_does_not_hold_up_those_behind_it(
    proxied: MakeCopy, proxy: FaultProxy, bucket: Bucket
) -> None:
    more = wheel("more")
    with FakeIndex([DEMO, more]) as index:
        made = proxied("a", index, shared_timeout=0.15)
        proxy.faults.blackhole = True
        bucket.put(keys.pin("demo", DEMO.filename, ""), b"damaged")
        assert fetch(made, DEMO) == DEMO.data
        assert fetch(made, more) == more.data
        proxy.faults.blackhole = False
        wait_until(lambda: sharing(made).unshared.count() == 1, 30, "both wait")
    assert bucket.head(keys.pin("more", more.filename, "")).is_found


def test_the_start_does_not_wait_for_a_silent_bucket(proxied: MakeCopy, proxy: FaultProxy) -> None:
    proxy.faults.blackhole = True
    began = time.monotonic()
    proxied("a", is_ready=False, shared_timeout=30.0)
    assert time.monotonic() - began < 5
