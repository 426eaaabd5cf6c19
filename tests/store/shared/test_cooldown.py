"""Several shims on one bucket agree on what a cooldown withholds, on a real object store."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexfallback.chain import fallback
from indexfallback.config import Index
from indexfallback.config.bucket_url import parse_bucket_url
from indexfallback.errors import BucketUnavailableError
from indexfallback.shim import Shim
from indexfallback.store.acceptances import Acceptance
from indexfallback.store.first_seen import OLD
from indexfallback.store.shared import keys
from indexfallback.store.shared.accepted import MOST, changes
from indexfallback.store.shared.answers import Outcome
from indexfallback.store.shared.bucket import Bucket
from indexfallback.store.shared.packing import packed, unpacked
from indexfallback.store.shared.selftest import Abilities
from tests.conftest import MakeShim
from tests.fakes import FakeIndex, wheel
from tests.fakes.object_store import ObjectStore
from tests.fakes.pages import HTML_ONLY
from tests.fakes.proxy import FaultProxy
from tests.faults.client import Client
from tests.serving import wait_until
from tests.store.shared.support import copies, drained, sharing

DAY = 86400.0
WEEK = 7 * DAY
NOW = 1795953600.0
OLD_ONE, NEW_ONE = wheel("demo", "1.0"), wheel("demo", "2.0")
Make = Callable[..., Shim]
#: As many objects as are listed at most.
MANY = frozenset(map(str, range(MOST)))


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask for each page again, and try again after a moment what waits for the bucket."""
    monkeypatch.setattr(fallback, "REPEAT_SECONDS", 0.0)
    monkeypatch.setattr("indexfallback.store.shared.breaker.PAUSE_SECONDS", 0.2)
    monkeypatch.setattr("indexfallback.store.shared.queue.PAUSE_SECONDS", 0.2)
    monkeypatch.setattr("indexfallback.store.shared.sharing._RETRY_SECONDS", 0.2)


@pytest.fixture
def undated() -> Iterator[FakeIndex]:
    """Return an index that states no upload-times."""
    with FakeIndex([OLD_ONE], formats=HTML_ONLY) as index:
        yield index


@pytest.fixture
def copy(
    shim: MakeShim, bucket_url: str, object_store: ObjectStore, tmp_path: Path, undated: FakeIndex
) -> Make:
    """Return a factory of copies whose clock is at a day after `NOW`, before a cooled index."""

    def make(
        name: str, day: float, endpoint: str = object_store.endpoint, **values: object
    ) -> Shim:
        factory = copies(shim, bucket_url, endpoint, tmp_path)
        cooled = Index(name="pypi", url=undated.url, role="public", cooldown=WEEK)
        made = factory(name, cooled, **{"fresh": 0.0, **values})
        made.fallback.cooling.clock = lambda: NOW + day * DAY
        return made

    return make


@pytest.fixture
def bucket(bucket_url: str, object_store: ObjectStore) -> Bucket:
    url = parse_bucket_url(bucket_url)
    return Bucket(url._replace(prefix=f"{url.prefix}/v1"), endpoint=object_store.endpoint)


def offers(shim: Shim) -> list[str]:
    """Return the versions of which a shim's page of the project lists a file."""
    listed = Client(shim).page("demo")["files"]
    return sorted(file["filename"].split("-")[1] for file in listed)


def test_a_new_copy_withholds_what_another_one_has_first_seen(
    copy: Make, undated: FakeIndex
) -> None:
    first = copy("a", 0)
    assert offers(first) == ["1.0"]
    undated.add(NEW_ONE)
    assert offers(drained(first)) == ["1.0"]
    second = copy("b", 1)
    drained(first)
    assert offers(second) == ["1.0"]
    second.fallback.cooling.clock = lambda: NOW + WEEK + 1
    assert offers(second) == ["1.0", "2.0"]
    assert sharing(second).times.share(undated.url, "demo").outcome.value == "exists"


def test_what_two_copies_see_at_once_has_the_earlier_time_on_both(
    copy: Make, undated: FakeIndex
) -> None:
    first, second = copy("a", 1), copy("b", 1)
    for made, file, when in ((first, "x", 300.0), (second, "x", 200.0), (first, "y", 400.0)):
        made.store.first_seen.learn(undated.url, "demo", {"": 100.0, file: when})
    for made in (first, second, first):
        sharing(made).times.share(undated.url, "demo")
    for made in (first, second):
        record = made.store.first_seen.of(undated.url, "demo")
        assert record["x"] == 200.0
    assert sharing(second).times.fetch(undated.url, "demo", again=True) == {
        "": 100.0, "x": 200.0, "y": 400.0,
    }  # fmt: skip


def test_without_the_bucket_the_first_page_is_old_until_it_answers(
    copy: Make, undated: FakeIndex, object_store: ObjectStore
) -> None:
    first = copy("a", 0)
    offers(first)
    undated.add(NEW_ONE)
    offers(first)
    drained(first)
    with FaultProxy(object_store.port) as proxy:
        second = copy("b", 1, proxy.base, shared_timeout=0.15)
        proxy.faults.blackhole = True
        assert offers(second) == ["1.0", "2.0"]
        proxy.faults.blackhole = False
        wait_until(lambda: offers(second) == ["1.0"], 30, "the bucket's record is not followed")


def test_offline_the_bucket_is_not_asked(copy: Make, undated: FakeIndex) -> None:
    made = copy("a", 0)
    seen = made.store.first_seen.see(undated.url, "demo", ["x"], [], NOW, is_alone=True)
    assert seen["x"] == OLD
    assert (undated.url, "demo") not in sharing(made).times._asked


def test_a_damaged_record_is_written_anew(copy: Make, undated: FakeIndex, bucket: Bucket) -> None:
    key = keys.seen(undated.url, "demo")
    for damaged in (b"{", packed({"x": 100.0}), packed({"": float("nan")})):
        bucket.put(key, damaged)
        made = copy("a", 0)
        assert offers(made) == ["1.0"]
        drained(made)
        assert sorted(unpacked(bucket.get(key).data, dict[str, float]) or {}) == [
            "", OLD_ONE.filename,
        ]  # fmt: skip
        made.close()


def test_a_copy_that_only_reads_has_the_times_of_the_others(
    copy: Make, undated: FakeIndex, bucket: Bucket
) -> None:
    first, reader = copy("a", 0), copy("b", 3, shared_mode="read")
    offers(drained(first))
    assert offers(reader) == ["1.0"]
    undated.add(NEW_ONE)
    offers(first)
    drained(first)
    before = bucket.get(keys.seen(undated.url, "demo")).etag
    assert offers(reader) == ["1.0"]
    reader.fallback.cooling.clock = lambda: NOW + WEEK + 1
    assert offers(reader) == ["1.0", "2.0"]
    assert bucket.get(keys.seen(undated.url, "demo")).etag == before


def test_an_index_without_a_cooldown_has_no_record(
    shim: MakeShim, bucket_url: str, object_store: ObjectStore, tmp_path: Path, bucket: Bucket
) -> None:
    with FakeIndex([OLD_ONE]) as index:
        made = copies(shim, bucket_url, object_store.endpoint, tmp_path)("a", index)
        made.fallback.page("demo")
        drained(made)
    assert list(bucket.list("seen")) == []


# Accepted releases.


@pytest.fixture
def young(copy: Make, undated: FakeIndex) -> Callable[..., Shim]:
    """Return a factory of copies that withhold 2.0."""
    offers(copy("before", 0))
    undated.add(NEW_ONE)
    return copy


def release(version: str = "2.0", project: str = "demo") -> Acceptance:
    return Acceptance(project, version, NOW, "ann")


def test_a_release_that_one_copy_accepts_is_offered_by_all_and_withheld_again_by_all(
    young: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("indexfallback.store.shared.sharing._POLL_SECONDS", 0.1)
    first, second = young("a", 1), young("b", 1)
    assert offers(first) == offers(second) == ["1.0"]
    assert sharing(first).accept(release()) == (release(), "")
    assert offers(first) == ["1.0", "2.0"]
    wait_until(lambda: offers(second) == ["1.0", "2.0"], 10, "the other copy does not offer it")
    assert sharing(second).accept(release("2.0.0")._replace(by="ben")) == (release(), "")
    assert sharing(second).withdraw("demo", "2")
    assert not sharing(second).withdraw("demo", "2")
    assert offers(second) == ["1.0"]
    wait_until(lambda: offers(first) == ["1.0"], 10, "the other copy still offers it")


def test_an_acceptance_without_the_bucket_holds_here_and_is_written_on_its_return(
    young: Make, bucket: Bucket, object_store: ObjectStore
) -> None:
    with FaultProxy(object_store.port) as proxy:
        made = young("a", 1, proxy.base, shared_timeout=0.15)
        offers(made)
        proxy.faults.blackhole = True
        assert sharing(made).accept(release())[1]
        assert offers(made) == ["1.0", "2.0"]
        assert sharing(made).accepted.poll().outcome is Outcome.UNREACHABLE
        ((held, is_shared),), cause = sharing(made).releases("demo")
        assert (held, is_shared, bool(cause)) == (release(), False, True)
        with pytest.raises(BucketUnavailableError):
            sharing(made).withdraw("demo", "2.0")
        proxy.faults.blackhole = False
        told = [(release(), True)], ""
        wait_until(lambda: sharing(made).releases(None) == told, 30, "it waits on")
    assert bucket.head(keys.acceptance("demo", "2.0")).is_found


def test_what_waits_outlives_the_cache_of_its_project_and_is_withdrawn(
    young: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = young("a", 1)
    monkeypatch.setattr(sharing(made).link, "is_for_writing", False)
    monkeypatch.setattr(sharing(made).link, "abilities", Abilities(reads=True, cause="denied"))
    assert sharing(made).accept(release())[1]
    sharing(made).unshared.forget("demo")  # `cache remove`
    sharing(made).accepted.poll()
    assert offers(made) == ["1.0", "2.0"]
    assert sharing(made).withdraw("demo", "2.0")
    assert sharing(made).unshared.releases() == made.store.acceptances.all() == []


def test_a_copy_that_only_reads_withdraws_nothing_from_the_bucket(copy: Make) -> None:
    sharing(copy("a", 0)).accept(release())
    reader = copy("b", 0, shared_mode="read")
    with pytest.raises(BucketUnavailableError, match="is only read, by shared_mode"):
        sharing(reader).withdraw("demo", "2.0")


def test_a_young_file_that_one_copy_has_served_is_served_by_all_while_the_bucket_has_it(
    young: Make, bucket: Bucket
) -> None:
    first, second = young("a", 1), young("b", 1)
    url = f"/files/pypi/demo.{NEW_ONE.sha256}/{NEW_ONE.filename}"
    assert Client(second).get(url).status == 404
    sharing(first).accept(release())
    assert Client(first).get(url).body == NEW_ONE.data
    sharing(drained(first)).withdraw("demo", "2.0")
    assert offers(second) == ["1.0"]
    assert Client(second).get(url).body == NEW_ONE.data
    assert offers(second) == ["1.0", "2.0"]
    bucket.delete(keys.blob(NEW_ONE.sha256))
    assert Client(young("c", 1)).get(url).status == 404


@pytest.mark.parametrize("version", ["1!1.0+cu121.ubuntu1", "2.0.dev1"])
def test_a_version_of_any_form_is_a_key(copy: Make, version: str) -> None:
    first, second = copy("a", 0), copy("b", 0)
    sharing(first).accept(release(version))
    sharing(second).accepted.poll()
    assert second.store.acceptances.all() == [release(version)]
    assert sharing(second).withdraw("demo", version)


def test_an_object_that_is_damaged_or_none_of_ours_does_no_harm(copy: Make, bucket: Bucket) -> None:
    bucket.put(keys.acceptance("demo", "2.0"), b"{")
    for key in ("accepted/x", "accepted/demo/2.0.0", "accepted/Demo/2", "accepted/demo/a/b"):
        bucket.put(key, b"{}")
    made = copy("a", 0)
    sharing(made).accepted.poll()
    assert [each[:2] for each in made.store.acceptances.all()] == [("demo", "2")]


@given(st.sets(st.sampled_from("abcd")), st.sets(st.sampled_from("abcd")))
def test_what_waits_or_is_listed_is_kept_and_a_list_that_is_not_whole_removes_nothing(
    known: set[str], listed: set[str]
) -> None:
    new, gone = changes(known, {"a"}, listed)
    assert new == listed - known
    assert gone == known - listed - {"a"}
    assert changes(known, (), MANY).gone == set()
