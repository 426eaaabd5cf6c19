"""The database of hosted indexes: outside of the cache, with a warning if it is damaged."""

import logging
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import platformdirs
import pytest

from indexfallback.errors import StoreError
from indexfallback.store.hosting import Hosting


@pytest.fixture
def file() -> Path:
    return platformdirs.user_state_path("indexfallback") / "hosting.sqlite3"


@pytest.fixture
def token(file: Path) -> Iterator[str]:
    """Give a token that was made before."""
    with closing(Hosting()) as hosting:
        yield hosting.tokens.create()
    assert file.exists()


def test_nothing_is_made_before_it_is_needed(file: Path) -> None:
    Hosting().close()
    assert not file.exists()


def test_a_token_is_found_by_the_next_one_that_opens_it(token: str) -> None:
    with closing(Hosting()) as hosting:
        found = hosting.tokens.find(token)
    assert found is not None
    assert found.uploads


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
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert "its tokens and yanks are lost; restore the file from a backup" in record.message


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
