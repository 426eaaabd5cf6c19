"""The lines of the log."""

import logging
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from indexfallback.cli.logs import REPEAT_SECONDS, Repeats, log_to_file

log = logging.getLogger("indexfallback")


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def logger() -> Iterator[None]:
    """Close what the log writes to."""
    yield
    for handler in log.handlers:
        handler.close()


def record(message: str, *args: object, repeats: str = "") -> logging.LogRecord:
    made = logging.LogRecord("indexfallback", logging.WARNING, "", 0, message, args, None)
    made.repeats = repeats
    return made


def test_a_message_is_logged_once_a_minute_and_then_says_how_often_it_came() -> None:
    clock = Clock()
    repeats = Repeats(clock)
    assert repeats.filter(record("%s is down", "corp"))
    for _ in range(6):
        clock.now += 1
        assert not repeats.filter(record("%s is down", "corp"))
    assert repeats.filter(record("%s is down", "other"))
    clock.now += REPEAT_SECONDS
    last = record("%s is down", "corp")
    assert repeats.filter(last)
    assert last.getMessage() == "corp is down (the same 6 times since)"


def test_messages_of_one_outage_are_repeats_of_each_other() -> None:
    repeats = Repeats(Clock())
    assert repeats.filter(record("idna: corp is down", repeats="corp"))
    assert not repeats.filter(record("flask: corp is down", repeats="corp"))


@pytest.mark.usefixtures("logger")
def test_a_line_of_a_file_has_date_time_and_level(tmp_path: Path) -> None:
    file = tmp_path / "serve.log"
    log_to_file(file, 0)
    log.warning("corp is down")
    log.info("not shown")
    date, time, level, *words = file.read_text("utf-8").split()
    assert (len(date), len(time), level, words) == (10, 8, "WARNING", ["corp", "is", "down"])
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


@pytest.mark.usefixtures("logger")
def test_a_file_does_not_grow_for_ever(tmp_path: Path) -> None:
    file = tmp_path / "serve.log"
    log_to_file(file, 0)
    for number in range(50):
        log.warning("%d %s", number, "x" * 100_000)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "serve.log", "serve.log.1", "serve.log.2",
    ]  # fmt: skip
    assert max(path.stat().st_size for path in tmp_path.iterdir()) < 1_200_000
