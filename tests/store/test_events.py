"""The log of events: newest first, filtered, bounded, and in the journal."""

import getpass
from collections.abc import Iterator
from contextlib import closing

import platformdirs
import pytest

from indexfallback.store import events as events_module
from indexfallback.store.events import ACTIONS, Actor, Event, Events, local_actor
from indexfallback.store.hosting import Hosting

ALICE = Actor("ci", "0a1b2c3d", "192.0.2.7")


@pytest.fixture
def hosting() -> Iterator[Hosting]:
    with closing(Hosting()) as opened:
        yield opened


@pytest.fixture
def events(hosting: Hosting) -> Events:
    """Give a log with an upload, a yank elsewhere, and the acceptance of a release."""
    log = hosting.events
    log.record("uploaded", "demo", "demo-1.0.tar.gz", index="prod", actor=ALICE)
    log.record("yanked", "other", "2.0", index="staging", actor=Actor("bob"), detail="broken")
    log.record("accepted", "demo", "1.1", actor=Actor("bob"))
    return log


def subjects(found: Iterator[Event]) -> list[str]:
    return [event.subject for event in found]


def test_the_newest_event_is_the_first(events: Events) -> None:
    assert subjects(events.read()) == ["1.1", "2.0", "demo-1.0.tar.gz"]
    *_, first = events.read()
    assert first[1:] == ("uploaded", "demo", "demo-1.0.tar.gz", "prod", ALICE, "")


def test_events_that_are_added_together_are_recorded_all_or_none(events: Events) -> None:
    (latest,) = events.read(limit=1)
    events.add(latest._replace(subject="1.2"), latest._replace(subject="1.3"))
    assert subjects(events.read(limit=2)) == ["1.3", "1.2"]
    damaged = latest._replace(at=object())  # type: ignore[arg-type]
    events.add(latest._replace(subject="1.4"), damaged)
    assert subjects(events.read(limit=1)) == ["1.3"]


def test_a_filter_leaves_the_events_that_fit(events: Events) -> None:
    accepted, yanked, _ = events.read()
    assert subjects(events.read(project="demo")) == ["1.1", "demo-1.0.tar.gz"]
    assert subjects(events.read(index="staging")) == ["2.0"]
    assert subjects(events.read(action="uploaded", project="demo")) == ["demo-1.0.tar.gz"]
    assert subjects(events.read(since=yanked.at)) == ["1.1", "2.0"]
    assert subjects(events.read(since=accepted.at + 1)) == []
    assert subjects(events.read(limit=2)) == ["1.1", "2.0"]


def test_a_long_log_is_read_in_pieces_and_whole(
    hosting: Hosting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events_module, "AT_ONCE", 3)
    for number in range(8):
        hosting.events.record("uploaded", "demo", str(number), actor=ALICE)
    assert subjects(hosting.events.read()) == list("76543210")
    assert subjects(hosting.events.read(limit=4)) == list("7654")


def test_the_oldest_events_are_removed(hosting: Hosting, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events_module, "KEPT", 3)
    for number in range(12):
        hosting.events.record("uploaded", "demo", str(number), actor=ALICE)
    assert subjects(hosting.events.read(limit=100)) == ["11", "10", "9"]


def test_events_survive_a_damaged_file_and_go_on(events: Events, hosting: Hosting) -> None:
    before = list(events.read())
    hosting.close()
    directory = platformdirs.user_state_path("indexfallback")
    for path in directory.glob("hosting.sqlite3*"):
        path.write_bytes(b"not a database" * 100)
    with closing(Hosting()) as again:
        assert list(again.events.read()) == before
        again.events.record("removed", "demo", "1.0", actor=ALICE)
        assert subjects(again.events.read(limit=2)) == ["1.0", "1.1"]


def test_a_text_that_is_no_unicode_or_very_long_is_kept_as_far_as_possible(
    hosting: Hosting,
) -> None:
    hosting.events.record("yanked", "demo", "1.0", actor=Actor("b\udce9"), detail="x" * 10_000)
    (event,) = hosting.events.read()
    assert event.actor.name == "b?"
    assert event.detail == "x" * 500


def test_the_actor_of_a_command_is_the_login_even_without_a_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def nameless() -> str:
        raise KeyError("uid not found")

    monkeypatch.setattr(getpass, "getuser", lambda: "carol")
    assert local_actor() == Actor("carol", None, "")
    monkeypatch.setattr(getpass, "getuser", nameless)
    assert local_actor().name == "unknown"


def test_each_action_is_a_word_of_its_own() -> None:
    assert len(set(ACTIONS)) == len(ACTIONS)


def test_a_token_that_is_created_or_revoked_is_recorded_with_its_rights(hosting: Hosting) -> None:
    alice = Actor("alice")
    ci, secret = hosting.tokens.create("ci", indexes=["prod"], projects=["demo"], actor=alice)
    wide, _ = hosting.tokens.create("all", rights=["read"], projects=["demo-*"], actor=alice)
    reading = "all for read: all indexes; projects demo-*"
    assert hosting.tokens.revoke(wide.id, Actor("bob")) == wide
    assert hosting.tokens.revoke("unknown", Actor("bob")) is None
    assert [event[1:] for event in hosting.events.read()] == [
        ("token-revoked", "", wide.id, None, Actor("bob"), reading),
        ("token-created", "", wide.id, None, alice, reading),
        ("token-created", "demo", ci.id, "prod", alice, "ci for read, upload: prod; projects demo"),
    ]  # fmt: skip
    assert not any(secret in str(event) for event in hosting.events.read())


def test_a_published_token_is_revoked_by_itself(hosting: Hosting) -> None:
    made, secret = hosting.tokens.create("leaked", actor=ALICE)
    assert hosting.tokens.revoke(secret, ALICE) == made
    assert hosting.tokens.all() == []


def test_an_acceptance_is_recorded_once_and_so_is_its_end(hosting: Hosting) -> None:
    for version in ("1.0", "1.0.0"):
        hosting.acceptances.accept("demo", version, ALICE)
    for _ in range(2):
        hosting.acceptances.undo("demo", "1.0.0", ALICE)
    assert [event[1:6] for event in hosting.events.read()] == [
        (action, "demo", "1.0", None, ALICE) for action in ("unaccepted", "accepted")
    ]
