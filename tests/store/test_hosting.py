"""The database of hosted indexes: outside of the cache, with a warning if it is damaged."""

import logging
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import platformdirs
import pytest

from indexfallback.errors import StoreError
from indexfallback.store.events import Actor
from indexfallback.store.hosted_files import HostedFile
from indexfallback.store.hosting import Hosting

ANN = Actor("ann")


@pytest.fixture
def file() -> Path:
    return platformdirs.user_state_path("indexfallback") / "hosting.sqlite3"


@pytest.fixture
def token(file: Path) -> Iterator[str]:
    """Give a token that was made before."""
    with closing(Hosting()) as hosting:
        yield hosting.tokens.create("laptop", actor=ANN)[1]
    assert file.exists()


def test_nothing_is_made_before_it_is_needed(file: Path) -> None:
    Hosting().close()
    assert not file.exists()


def test_a_token_is_found_by_the_next_one_that_opens_it(token: str) -> None:
    with closing(Hosting()) as hosting:
        found = hosting.tokens.find(token)
    assert found is not None
    assert found.rights == ("read", "upload")


def test_a_transaction_is_synced_to_disk(token: str) -> None:
    with closing(Hosting()) as hosting, hosting.tokens._database.read() as connection:
        (level,) = connection.execute("PRAGMA synchronous").fetchone()
        full = 2
        assert level == full
        assert token


def test_a_damaged_file_is_moved_away_and_the_loss_is_logged(
    file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file.parent.mkdir()
    file.write_bytes(b"not a database" * 100)
    with closing(Hosting()) as hosting:
        assert hosting.tokens.all() == []
    assert list(file.parent.glob("hosting.sqlite3.damaged-*"))
    record, lost = caplog.records
    assert record.levelno == logging.WARNING
    assert "its tokens are lost: create them again" in record.message
    assert "yank again with `indexfallback yank` what was yanked" in lost.message


def test_yanks_survive_a_damaged_file(file: Path) -> None:
    def put(hosting: Hosting, name: str, yanked: str | None) -> None:
        hosting.files.put("here", "demo", HostedFile(name, "0" * 64, 1.5, ">=3.10", yanked))

    with closing(Hosting()) as hosting:
        for name in ("kept.whl", "yanked.whl", "unyanked.whl", "removed.whl"):
            put(hosting, name, "broken" if name != "kept.whl" else None)
        put(hosting, "unyanked.whl", None)
        hosting.files.remove("here", "removed.whl")
        before = hosting.files.of_project("here", "demo")
    assert {name: each.yanked for name, each in before.items()} == {
        "kept.whl": None, "yanked.whl": "broken", "unyanked.whl": None
    }  # fmt: skip
    for path in file.parent.glob(f"{file.name}*"):
        path.write_bytes(b"not a database" * 100)
    with closing(Hosting()) as hosting:
        assert hosting.files.of_project("here", "demo") == before


def test_a_revoked_token_does_not_come_back_with_a_damaged_file(file: Path, token: str) -> None:
    with closing(Hosting()) as hosting:
        hosting.tokens.revoke(hosting.tokens.all()[0].id, ANN)
    for path in file.parent.glob(f"{file.name}*"):
        path.write_bytes(b"not a database" * 100)
    with closing(Hosting()) as hosting:
        assert hosting.tokens.find(token) is None


def test_the_file_of_a_newer_version_is_not_changed(file: Path) -> None:
    file.parent.mkdir()
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA user_version = 99")
    before = file.read_bytes()
    with pytest.raises(StoreError, match="written by a newer indexfallback"):
        _ = Hosting().tokens
    assert file.read_bytes() == before


def test_a_place_where_nothing_can_be_made_is_named_with_a_remedy(file: Path) -> None:
    file.parent.write_text("a file where the directory would be")
    with pytest.raises(StoreError, match=r"tokens and yanks.*XDG_STATE_HOME") as raised:
        _ = Hosting().files
    assert str(file) in str(raised.value)


def test_an_event_that_cannot_be_recorded_is_no_failure_and_one_that_cannot_be_read_is(
    file: Path,
) -> None:
    file.mkdir(parents=True)
    with closing(Hosting()) as hosting:
        hosting.events.record("disowned", "demo", "", actor=ANN)
        with pytest.raises(StoreError, match="XDG_STATE_HOME"):
            next(hosting.events.read())
