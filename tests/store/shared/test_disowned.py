"""What one shim disowns, all shims on its bucket forget, on a real object store."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec
import pytest

from indexfallback.config import Index
from indexfallback.config.bucket_url import parse_bucket_url
from indexfallback.shim import Shim
from indexfallback.store.shared import keys
from indexfallback.store.shared.answers import Outcome
from indexfallback.store.shared.bucket import Bucket
from indexfallback.store.shared.unshared import Owner
from tests.cli.support import CommandLine
from tests.conftest import MakeShim
from tests.fakes import FakeIndex, wheel
from tests.fakes.object_store import WRITER, ObjectStore
from tests.serving import index_table
from tests.store.shared.support import copies, drained, sharing

DEMO, APP = wheel("demo"), wheel("acme-app")


class Team(NamedTuple):
    """Two copies that know that a private index owns demo: it has listed and served it."""

    first: Shim
    second: Shim
    own: FakeIndex

    def disown(self, project: str = "demo") -> None:
        """Do what the command does on the first copy."""
        self.first.store.ledger.forget(project)

    def knowing(self) -> list[Shim]:
        """Return the copies that know an owner of demo."""
        return [
            made
            for made in (self.first, self.second)
            if made.store.ledger.owners_anywhere("demo", [self.own.url])
        ]

    def learn(self) -> None:
        """Do what each copy does once a minute, and tell the others its list of names."""
        for made in (self.second, self.first, self.second):
            sharing(made).learn()
            sharing(made).owners.share(self.own.url)


@pytest.fixture
def bucket(bucket_url: str, object_store: ObjectStore) -> Bucket:
    url = parse_bucket_url(bucket_url)
    return Bucket(url._replace(prefix=f"{url.prefix}/v1"), endpoint=object_store.endpoint)


@pytest.fixture
def team(
    shim: MakeShim, bucket_url: str, object_store: ObjectStore, tmp_path: Path
) -> Iterator[Team]:
    make = copies(shim, bucket_url, object_store.endpoint, tmp_path)
    with FakeIndex([DEMO, APP]) as own:
        both = [make(name, Index(name="private", url=own.url)) for name in "ab"]
        for made in both:
            made.fallback.page("demo")
            made.store.ledger.record_list(own.url, ["acme-app", "demo"])
            drained(made)
        team = Team(both[0], both[1], own)
        team.learn()
        assert team.knowing() == both
        yield team


def test_a_copy_that_knows_the_owner_forgets_it_and_does_not_bring_it_back(team: Team) -> None:
    # Before it has learnt of it, the other copy tells its list again.
    team.disown()
    sharing(team.second).owners.share(team.own.url)
    assert team.knowing() == [team.second]
    team.learn()
    assert team.knowing() == []
    assert team.second.store.pages.facts(team.own.url, "demo") is None
    assert team.second.store.ledger.names(team.own.url) == ["acme-app"]
    team.learn()
    assert team.knowing() == []


def test_what_the_index_serves_or_lists_later_is_its_own_on_all_copies(team: Team) -> None:
    team.disown()
    team.learn()
    team.second.fallback.page("demo")
    assert team.knowing() == [team.first, team.second]
    team.disown()
    team.learn()
    assert team.knowing() == []
    team.second.store.ledger.record_list(team.own.url, ["acme-app", "demo"])
    team.learn()
    assert team.knowing() == [team.first, team.second]


def test_an_owner_that_waits_for_the_bucket_is_void_as_well(team: Team, bucket: Bucket) -> None:
    team.disown()
    before = Owner(team.own.url, "demo", time.time() - 60.0)
    sharing(team.second).learn()
    assert sharing(team.second).owners.mark(before) is Outcome.FOUND
    assert bucket.head(keys.marker(team.own.url, "demo")).outcome is Outcome.ABSENT
    # One that was written by a copy that did not know counts for none, and gives way.
    bucket.put(keys.marker(team.own.url, "demo"), b'{"served": 1.0}')
    team.learn()
    assert team.knowing() == []
    later = before._replace(served=time.time())
    sharing(team.second).owners.mark(later)
    marker = bucket.get(keys.marker(team.own.url, "demo")).data
    assert marker == msgspec.json.encode({"served": later.served})


def test_all_names_of_an_index_are_forgotten_by_all_copies(team: Team) -> None:
    team.first.store.ledger.forget_all(team.own.url)
    team.learn()
    for made in (team.first, team.second):
        assert made.store.ledger.names(team.own.url) == []
        assert made.store.ledger.name_list(team.own.url) is None
    assert team.second.store.pages.facts(team.own.url, "demo") is None
    team.second.fallback.page("acme-app")
    assert team.second.store.ledger.names(team.own.url) == ["acme-app"]


def test_a_mark_that_is_damaged_or_of_another_index_changes_nothing(
    team: Team, bucket: Bucket
) -> None:
    bucket.put(keys.disowned(team.own.url, "demo"), b"{")
    bucket.put(keys.disowned("https://other.example.com/", "demo"), b'{"until": 9e9}')
    team.learn()
    assert team.knowing() == [team.first, team.second]


def test_a_clock_that_was_ahead_voids_nothing_that_is_learnt_later(
    team: Team, bucket: Bucket
) -> None:
    bucket.put(keys.disowned(team.own.url, "demo"), b'{"until": 9e9}')
    team.learn()
    assert team.knowing() == []
    bucket.delete(keys.marker(team.own.url, "demo"))
    team.second.fallback.page("demo")
    assert bucket.head(keys.marker(team.own.url, "demo")).is_found


def test_what_waits_is_written_also_if_what_others_know_cannot_be_stored(
    team: Team, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise OSError

    made = sharing(team.first)
    monkeypatch.setattr(made, "learn", fail)
    monkeypatch.setattr(made, "_polled", float("-inf"))
    made.unshared.add(Owner(team.own.url, "other", 1.0))
    made._once()
    assert bucket.head(keys.marker(team.own.url, "other")).is_found


def test_removing_what_has_no_owner_leaves_no_mark(team: Team, bucket: Bucket) -> None:
    team.disown("other")
    assert list(bucket.list("disowned")) == []


def test_the_command_knows_the_owner_that_another_shim_knows(
    team: Team, bucket_url: str, object_store: ObjectStore, tmp_path: Path
) -> None:
    (tmp_path / "user").mkdir()
    cli = CommandLine(tmp_path / "user")
    cli.environ |= WRITER
    cli.configure(
        index_table("private", team.own.url, role="private"),
        cache={"shared": bucket_url, "shared_endpoint": object_store.endpoint},
    )
    done = cli("cache", "disown", "demo", "--yes").expect()
    assert "demo belongs to private" in done.words
    team.learn()
    assert team.knowing() == []
