"""The store as a whole: permitted directories, and directories that cannot be written."""

import logging
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from indexfallback.errors import StoreError
from indexfallback.store import Store, best_effort
from tests.serving import fill

posix_only = pytest.mark.skipif(os.name != "posix", reason="modes and owners are POSIX's")


def test_a_new_directory_is_made_with_its_parents(tmp_path: Path) -> None:
    store = Store(tmp_path / "a" / "b", 10**6)
    assert store.directory == tmp_path / "a" / "b"
    assert not store.is_temporary
    store.close()


@pytest.mark.fault(63)
@posix_only
@pytest.mark.parametrize("mode", [0o777, 0o770, 0o1777])
def test_a_directory_that_others_can_write_to_is_refused(tmp_path: Path, mode: int) -> None:
    directory = tmp_path / "cache"
    directory.mkdir()
    directory.chmod(mode)
    with pytest.raises(StoreError) as caught:
        Store(directory, 10**6)
    assert (
        str(caught.value)
        == f"{directory}: other users can write to it; run: chmod go-w {directory}"
    )
    assert list(directory.iterdir()) == []


@pytest.mark.fault(63)
@posix_only
@pytest.mark.skipif(os.name == "posix" and os.geteuid() != 0, reason="only root gives files away")
def test_a_directory_of_another_user_is_refused(tmp_path: Path) -> None:
    directory = tmp_path / "cache"
    directory.mkdir(mode=0o700)
    os.chown(directory, 12345, -1)
    with pytest.raises(StoreError, match="belongs to another user; set INDEXFALLBACK_CACHE_DIR"):
        Store(directory, 10**6)


def assert_temporary(directory: Path, caplog: pytest.LogCaptureFixture) -> None:
    store = Store(directory, 10**6)
    blob = store.blobs.add(b"content")
    assert store.is_temporary
    assert store.blobs.find(blob.sha256) == blob
    assert not blob.path.is_relative_to(directory)
    place = store.directory
    store.close()
    assert not place.exists()
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert str(directory) in record.message
    assert "a temporary one is used for what is new" in record.message


def test_a_directory_that_cannot_be_made_gives_way_to_a_temporary_one(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").touch()
    assert_temporary(tmp_path / "file" / "cache", caplog)


@pytest.mark.fault(53)
def test_a_read_only_directory_gives_way_to_a_temporary_one(
    mount: Callable[..., Path], caplog: pytest.LogCaptureFixture
) -> None:
    assert_temporary(mount("ro"), caplog)


@pytest.mark.fault(53)
def test_a_store_that_became_read_only_gives_way_to_a_temporary_one(
    mount: Callable[..., Path], caplog: pytest.LogCaptureFixture
) -> None:
    directory = mount()
    Store(directory, 10**6).close()
    subprocess.run(["mount", "-o", "remount,ro", str(directory)], check=True)
    assert_temporary(directory, caplog)


@pytest.mark.fault(51)
def test_a_full_disk_at_the_start_gives_way_to_a_temporary_directory(
    mount: Callable[..., Path], caplog: pytest.LogCaptureFixture
) -> None:
    directory = mount()
    fill(directory)
    assert_temporary(directory, caplog)


@pytest.mark.fault(51)
def test_reads_continue_when_the_disk_becomes_full(
    mount: Callable[..., Path], caplog: pytest.LogCaptureFixture
) -> None:
    directory = mount()
    store = Store(directory, 10**6)
    blob = store.blobs.add(b"content")
    fill(directory)
    store.blobs.records._flushed = float("-inf")  # uses are due to be written down
    assert store.blobs.find(blob.sha256) == blob
    source = "x" * 100_000
    assert store.pins.record("demo", "demo-0.9.zip", "0" * 64, source) == "0" * 64
    assert store.pins.record("demo", "demo-0.9.zip", "2" * 64, source) == "0" * 64
    assert "they are in memory, and written as soon as possible" in caplog.text
    (directory / "full").unlink()
    assert store.pins.record("demo", "demo-1.0.zip", "1" * 64, "x") == "1" * 64
    store.pins.flush()
    again = Store(directory, 10**6)
    assert [pin.sha256 for pin in again.pins] == ["0" * 64, "1" * 64]
    again.close()
    assert dict(store.blobs.verify()) == {blob.sha256: "right"}
    store.close()


def test_best_effort_continues_when_the_disk_fails_and_warns_once(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(best_effort, "_logged", float("-inf"))
    for _ in range(3):
        with best_effort("store a page"):
            raise OSError(28, "No space left on device")
    (record,) = caplog.records
    assert record.message == (
        "cannot store a page ([Errno 28] No space left on device); continuing without it: check "
        "the disk's space and health"
    )


def test_best_effort_does_not_hide_a_programming_error() -> None:
    with pytest.raises(KeyError), best_effort("store a page"):
        raise KeyError("x")


def run_python(code: str, *arguments: str) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        cwd=Path(__file__).parents[2],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


_WRITER = """
import sys
from pathlib import Path
from indexfallback.store import Store
print("ready", flush=True)
sys.stdin.readline()
store = Store(Path(sys.argv[1]), 10**7)
assert not store.is_temporary
for number in range(40):
    store.blobs.add(b"%d" % number * 1000)
    store.blobs.add(sys.argv[2].encode() + b"%d" % number)
    store.pins.record("demo", f"demo-{number}.zip", f"{number:064x}", sys.argv[2])
    store.ledger.record_page("https://packages.example.com/simple/", f"{sys.argv[2]}-{number}")
store.close()
"""


@pytest.mark.fault(58)
@pytest.mark.fault("incident: pip #12361")
@pytest.mark.parametrize("before", ["nothing", "garbage"])
def test_processes_that_write_at_once_to_one_new_directory_lose_nothing(
    tmp_path: Path, before: str
) -> None:
    directory = tmp_path / "cache"
    if before == "garbage":
        directory.mkdir(mode=0o700)
        (directory / "index.sqlite3").write_bytes(b"garbage " * 1000)
    writers = [run_python(_WRITER, str(directory), f"writer{number}") for number in range(4)]
    for writer in writers:
        assert writer.stdout is not None
        assert writer.stdout.readline() == b"ready\n"
    for writer in writers:
        assert writer.stdin is not None
        writer.stdin.write(b"go\n")
        writer.stdin.flush()
    for writer in writers:
        _, errors = writer.communicate(timeout=300)
        assert writer.returncode == 0, errors.decode()
        assert before == "garbage" or not errors
    store = Store(directory, 10**7)
    verdicts = [verdict for _, verdict in store.blobs.verify()]
    assert verdicts == ["right"] * (40 + 4 * 40)
    assert len(store.pins.of_project("demo")) == 40
    assert len({pin.sha256 for pin in store.pins}) == 40
    names = [(f"writer{number}-{n}") for number in range(4) for n in range(40)]
    source = "https://packages.example.com/simple/"
    assert all(store.ledger.ownership(source, name) for name in names)
    store.close()


def test_owners_and_pins_are_known_if_the_directory_cannot_be_written(
    mount: Callable[..., Path],
) -> None:
    directory = mount()
    before = Store(directory, 10**6)
    before.ledger.record_page("private", "acme-app")
    before.ledger.record_list("private", ["acme-lib"])
    before.pins.record("acme-app", "acme_app-1.0.whl", "0" * 64, "private")
    before.close()
    subprocess.run(["mount", "-o", "remount,ro", str(directory)], check=True)
    store = Store(directory, 10**6)
    assert store.is_temporary
    assert store.ledger.names("private") == ["acme-app", "acme-lib"]
    assert store.ledger.name_list("private") is not None
    assert store.pins.get("acme-app", "acme_app-1.0.whl") == "0" * 64
    store.close()


def test_it_holds_while_another_process_has_written_to_the_log_alone(
    mount: Callable[..., Path],
) -> None:
    directory = mount()
    other = Store(directory, 10**6)
    other.ledger.record_page("private", "acme-app")
    fill(directory)
    store = Store(directory, 10**6)
    assert store.ledger.names("private") == ["acme-app"]
    store.close()
    other.close()
