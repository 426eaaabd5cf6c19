"""A promotion that is killed between two files is finished by the next server, or is told of."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from indexfallback.errors import UploadFailedError
from tests.hosted.houses import LIB, RELEASER, SOURCE, VERSION, House
from tests.serving import ANSWER_SECONDS, clean_environment, serving, wait_until

#: Promotes a release, and ends at its second file.
KILLED = """
import os, sys
from pathlib import Path
from indexfallback.hosted.directory_shelf import DirectoryShelf
from tests.hosted.houses import House
house = House(Path(sys.argv[1])).fill()
place, placed = DirectoryShelf.place, []
def once(*arguments):
    if placed:
        os._exit(9)
    placed.append(place(*arguments))
DirectoryShelf.place = once
house.promote()
"""


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with closing(House(tmp_path)) as made:
        yield made


def test_a_promotion_whose_process_is_killed_between_two_files_is_finished_by_the_next_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", clean_environment(tmp_path)["XDG_STATE_HOME"])
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(tmp_path)], check=False,
        timeout=ANSWER_SECONDS, cwd=Path(__file__).parents[2],
    )  # fmt: skip
    assert done.returncode == 9
    with closing(House(tmp_path)) as house:
        release = sorted([LIB.filename, SOURCE.filename])
        assert [name for name in house.lying() if name in release] != release
        with serving(tmp_path, (tmp_path / "config.toml").read_text(encoding="utf-8")):
            wait_until(lambda: "promoted" in house.actions(), 10.0, "it was not finished")
        house.recover()
        assert house.lying() == release
        assert house.actions() == ["promoted", "uploaded", "uploaded"]
        event = next(house.store.hosting.events.read())
        assert (event.actor, event.detail) == (RELEASER.actor, "from staging")


def begin(house: House) -> None:
    """Leave a promotion as a kill does between its two files."""
    house.fill()
    event = house.prod.event("promoted", "acme-lib", "1.0", RELEASER.actor, "from staging")
    release = {LIB.filename: LIB.sha256, SOURCE.filename: SOURCE.sha256}
    house.put(house.prod, LIB)
    house.store.hosting.events.begin(house.prod.index.key, release, event)


def yanked(house: House) -> None:
    house.staging.yank("acme-lib", VERSION, "broken", RELEASER.actor)


def removed(house: House) -> None:
    house.staging.remove("acme-lib", VERSION, RELEASER.actor)


def more(house: House) -> None:
    house.put(house.staging, replace(LIB, filename="acme_lib-1.0-1-py3-none-any.whl"))


@pytest.mark.parametrize("change", [yanked, removed, more])
def test_what_has_changed_since_the_kill_is_not_promoted_unasked(
    change: Callable[[House], None], house: House, caplog: pytest.LogCaptureFixture
) -> None:
    begin(house)
    change(house)
    house.recover()
    (warning,) = caplog.messages
    assert warning.startswith("prod has only a part of acme-lib 1.0, since its promotion from")
    assert warning.endswith("promote it again, or remove it")
    assert house.lying() == [LIB.filename]
    assert "promoted" not in house.actions()


def test_a_part_that_was_yanked_since_the_kill_is_left_alone(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    begin(house)
    house.prod.yank("acme-lib", VERSION, "broken", RELEASER.actor)
    house.recover()
    assert house.lying() == [LIB.filename]
    assert caplog.messages == []


def test_a_promotion_that_is_repeated_after_a_kill_is_recorded_once(house: House) -> None:
    begin(house)
    assert sorted(house.promote()) == [False, True]
    house.recover()
    assert house.actions().count("promoted") == 1


def test_a_part_that_cannot_be_taken_back_is_told_of(
    house: House, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    house.fill()
    shelf = house.prod._shelf
    place, placed = shelf.place, list[object]()

    def fail(*_: object) -> None:
        raise UploadFailedError("second", "the disk is broken", "Replace it")

    def place_one(*arguments: object) -> None:
        if placed:
            fail()
        placed.append(place(*arguments))  # type: ignore[arg-type]

    monkeypatch.setattr(shelf, "place", place_one)
    monkeypatch.setattr(shelf, "remove", fail)
    with pytest.raises(UploadFailedError):
        house.promote()
    (warning,) = caplog.messages
    assert warning.startswith("prod has only a part of acme-lib 1.0 and lacks acme_lib-1.0")
    assert house.store.hosting.events.begun(house.prod.index.key) == []
