"""A change of a hosted index that fails says why, and changes nothing by halves."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from packaging.version import Version

from indexfallback.cli.disown import _disown_project
from indexfallback.errors import UploadFailedError
from indexfallback.page import File
from indexfallback.store.hosted_files import HostedFiles
from indexfallback.store.locks import FileLock
from tests.hosted.houses import LIB, RELEASER, VERSION, House


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with closing(House(tmp_path)) as made:
        yield made


def full(*_: object) -> None:
    raise sqlite3.OperationalError("database or disk is full")


def test_an_upload_that_cannot_be_recorded_leaves_nothing(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(HostedFiles, "put", full)
    with pytest.raises(UploadFailedError, match=r"recorded \(database or disk is full\)"):
        house.put(house.prod, LIB)
    assert house.lying() == []
    assert house.actions() == []


def test_a_yank_that_cannot_be_recorded_is_none(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.put(house.prod, LIB)
    monkeypatch.setattr(HostedFiles, "put", full)
    with pytest.raises(UploadFailedError, match="state directory of indexfallback writable"):
        house.prod.yank("acme-lib", VERSION, "broken", RELEASER.actor)
    assert house.prod.files("acme-lib")[0].yanked is False
    assert house.actions() == ["uploaded"]


def test_a_file_that_cannot_be_deleted_is_named_and_stays_in_the_log_as_it_was(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.put(house.prod, LIB)

    def refuse(*_: object, **__: object) -> None:
        raise OSError(30, "Read-only file system")

    with monkeypatch.context() as patched:
        patched.setattr(Path, "unlink", refuse)
        with pytest.raises(UploadFailedError) as raised:
            house.prod.remove("acme-lib", VERSION, RELEASER.actor)
    path = house.directories["prod"] / LIB.filename
    assert f"{path}: it could not be deleted (Read-only file system)" in str(raised.value)
    assert house.actions() == ["uploaded"]


def test_a_directory_that_is_not_there_is_named(house: House) -> None:
    house.directories["prod"].rmdir()
    with pytest.raises(UploadFailedError, match="No such file") as raised:
        house.put(house.prod, LIB)
    assert str(raised.value).startswith(f"{house.directories['prod']}: it could not be written")


def test_a_lock_that_cannot_be_taken_is_named(house: House) -> None:
    lock = house.store.directory / "upload-prod.lock"
    lock.mkdir()
    with pytest.raises(UploadFailedError) as raised:
        house.put(house.prod, LIB)
    assert str(raised.value).startswith(f"{lock}: it could not be written (Is a directory)")
    assert house.lying() == []


def test_a_lock_that_another_process_keeps_is_named_with_the_remedy(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("indexfallback.hosted.directory_shelf._LOCK_SECONDS", 0.05)
    lock = FileLock(house.store.directory / "upload-prod.lock")
    assert lock.acquire()
    with pytest.raises(UploadFailedError, match=rf"{lock.path} was not free.*Try again"):
        house.put(house.prod, LIB)
    lock.release()
    house.put(house.prod, LIB)


def test_the_files_of_an_index_are_listed_twice_for_a_promotion_of_any_number(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.fill()
    asked = list[str]()
    files = house.prod.files

    def counted(project: str) -> tuple[File, ...]:
        asked.append(project)
        return files(project)

    monkeypatch.setattr(house.prod, "files", counted)
    house.promote()
    assert len(asked) == 2  # before the files are copied, and again while others are locked out


def test_a_release_that_is_not_there_is_told_with_those_that_are(house: House) -> None:
    absent = Version("2.0")
    assert house.prod.without("acme-lib", absent) == "prod has no file of acme-lib"
    house.put(house.prod, LIB)
    assert house.prod.without("acme-lib", absent) == (
        "prod has no file of acme-lib 2.0; it has files of 1.0"
    )


def test_a_reason_is_kept_in_one_line_without_what_a_terminal_obeys(house: House) -> None:
    house.put(house.prod, LIB)
    house.prod.yank("acme-lib", Version("1.0.0"), "it\n\x1b[31mburns ", RELEASER.actor)
    assert house.prod.files("acme-lib")[0].yanked == "it [31mburns"
    event = next(house.store.hosting.events.read())
    assert (event.subject, event.detail) == ("1.0", "it [31mburns")


def test_a_name_that_is_given_up_is_recorded_before_it_is(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.prod.own("acme-lib")

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("indexfallback.store.maintenance.disown", interrupt)
    with pytest.raises(KeyboardInterrupt):
        _disown_project(house.prod._settings, house.store, "acme-lib", yes=True, as_json=True)
    assert house.actions() == ["disowned"]
