"""Each change of a hosted index is recorded once, even if its process is killed during it."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from indexfallback.errors import UploadFailedError
from indexfallback.hosted import change_log
from indexfallback.hosted.change_log import is_made
from indexfallback.page import File
from indexfallback.store.events import Action, Actor, Begun, Event
from tests.hosted.houses import LIB, RELEASER, SOURCE, VERSION, House
from tests.serving import ANSWER_SECONDS

#: Uploads a file, and ends when the file has its name and the event is not recorded.
KILLED = """
import os, sys
from pathlib import Path
from indexfallback.store.events import Events
from tests.hosted.houses import LIB, House
house = House(Path(sys.argv[1]))
Events.end = lambda *_, **__: os._exit(9)
house.put(house.prod, LIB)
"""


class KilledError(BaseException):
    """In place of a kill: no handler of errors sees it."""


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with closing(House(tmp_path)) as made:
        yield made


def test_an_upload_whose_process_is_killed_is_recorded_by_the_next_server(
    tmp_path: Path, house: House
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(tmp_path)], check=False,
        timeout=ANSWER_SECONDS, cwd=Path(__file__).parents[2],
    )  # fmt: skip
    assert done.returncode == 9
    assert house.lying() == [LIB.filename]
    assert house.actions() == []
    for _ in range(2):
        house.recover()
        (event,) = house.store.hosting.events.read()
        assert event[1:6] == ("uploaded", "acme-lib", LIB.filename, "prod", RELEASER.actor)


def kill(house: House, monkeypatch: pytest.MonkeyPatch, change: Callable[[], object]) -> None:
    """End a change before its event is recorded."""

    def end(*_: object, **__: object) -> None:
        raise KilledError

    with monkeypatch.context() as patched:
        patched.setattr("indexfallback.store.events.Events.end", end)
        with pytest.raises(KilledError):
            change()


def test_every_kind_of_change_is_completed(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house.fill()
    actor = RELEASER.actor
    changes: list[Callable[[], object]] = [
        house.promote,
        lambda: house.prod.yank("acme-lib", VERSION, "broken", actor),
        lambda: house.prod.yank("acme-lib", VERSION, None, actor),
        lambda: house.prod.remove("acme-lib", VERSION, actor),
    ]
    for change, action in zip(changes, ("promoted", "yanked", "unyanked", "removed"), strict=True):
        kill(house, monkeypatch, change)
        assert action not in house.actions()
        house.recover()
        assert house.actions()[0] == action
    assert len(house.actions()) == 2 + len(changes)


def test_what_was_noted_and_never_made_is_not_recorded_and_its_repetition_is_once(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    def place(*_: object) -> None:
        raise KilledError

    with monkeypatch.context() as patched:
        patched.setattr(house.prod._shelf, "place", place)
        with pytest.raises(KilledError):
            house.put(house.prod, LIB)
    house.recover()
    assert house.actions() == []
    house.put(house.prod, LIB)
    house.recover()
    assert house.actions() == ["uploaded"]
    assert house.store.hosting.events.begun(house.prod.index.key) == []


def test_an_old_note_is_completed_by_the_next_change_of_the_index(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(change_log, "_UNUSUAL", 0.0)
    house.put(house.prod, SOURCE)
    kill(house, monkeypatch, lambda: house.prod.remove("acme-lib", VERSION, RELEASER.actor))
    house.put(house.prod, LIB)
    assert house.actions() == ["uploaded", "removed", "uploaded"]


def test_a_note_of_what_is_not_made_within_a_day_is_forgotten(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    events = house.store.hosting.events
    event = house.prod.event("uploaded", "acme-lib", LIB.filename, RELEASER.actor)
    key = house.prod.index.key
    events.begin(key, {LIB.filename: LIB.sha256}, event)
    house.recover()
    assert len(events.begun(key)) == 1
    monkeypatch.setattr(change_log, "_FORGOTTEN", 0.0)
    house.recover()
    assert events.begun(key) == []
    assert house.actions() == []


def test_a_failure_is_recorded_as_far_as_something_was_made(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.fill()
    removed: list[File] = []
    remove = house.staging._shelf.remove

    def failing(project: str, file: File) -> None:
        if removed:
            raise OSError(5, "Input/output error")
        removed.append(file)
        remove(project, file)

    with monkeypatch.context() as patched:
        patched.setattr(house.staging._shelf, "remove", failing)
        with pytest.raises(OSError, match="Input/output error"):
            house.staging.remove("acme-lib", VERSION, RELEASER.actor)
    assert house.actions()[0] == "removed"

    def refused(*_: object) -> None:
        raise UploadFailedError("file", "the disk is full", "Free space")

    monkeypatch.setattr(house.prod._shelf, "place", refused)
    with pytest.raises(UploadFailedError):
        house.put(house.prod, LIB)
    assert house.actions().count("uploaded") == 2
    assert house.store.hosting.events.begun(house.prod.index.key) == []


FILE = File(filename="a-1.tar.gz", url="", hashes={"sha256": "a" * 64})
YANKED = File(filename="a-1.tar.gz", url="", hashes={"sha256": "a" * 64}, yanked="broken")


@pytest.mark.parametrize(
    ("action", "sha256", "files", "made"),
    [
        ("uploaded", "a" * 64, [FILE], True),
        ("uploaded", "b" * 64, [FILE], False),
        ("uploaded", "a" * 64, [], False),
        ("yanked", "", [YANKED], True),
        ("yanked", "", [FILE], False),
        ("unyanked", "", [FILE], True),
        ("unyanked", "", [], False),
        ("removed", "", [], True),
        ("removed", "", [FILE], False),
    ],
)
def test_the_files_of_a_project_tell_whether_a_change_was_made(
    action: Action, sha256: str, files: list[File], made: bool
) -> None:
    event = Event(1.0, action, "a", "1", "prod", Actor("ann"), "")
    assert is_made(Begun("1", event, {FILE.filename: sha256}), files) is made
