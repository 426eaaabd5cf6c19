"""A process is killed during a write: no recorded file is lost."""

import hashlib
import subprocess
import sys
from pathlib import Path

import pytest

from indexfallback.store import Store

#: Keeps files, pages and pins, says what it has recorded, and is killed at a chosen step.
_WRITER = """
import os, signal, sqlite3, sys
from pathlib import Path
from indexfallback.page import ProjectPage
from indexfallback.store import PageFacts, Store, Validators, blobs
from indexfallback.store.spool import Spool
import hashlib

store = Store(Path(sys.argv[1]), 10**7)
step = sys.argv[2]

def die(*args, **kwargs):
    os.kill(os.getpid(), signal.SIGKILL)

def keep(number):
    data = b"%d" % number * 5000
    sha256 = hashlib.sha256(data).hexdigest()
    spool = Spool(store.blobs)
    spool.write(data[:100])
    if number == 3 and step == "half written":
        die()
    spool.write(data[100:])
    if number == 3 and step == "before fsync":
        os.fsync = die
    if number == 3 and step == "before rename":
        Path.replace = die
    if number == 3 and step == "before the directory's fsync":
        blobs.sync_directory = die
    if number == 3 and step == "before the record":
        store.blobs.record = die
    if number == 3 and step == "in the record's transaction":
        connection = sqlite3.connect(store.database.path, isolation_level=None)
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("INSERT INTO blob VALUES (?, 1, 1, 1)", (sha256,))
        die()
    spool.commit(sha256)
    store.pins.record("demo", f"demo-{number}.zip", sha256, "source")
    store.pages.put("source", ProjectPage(name=f"demo-{number}"),
                    PageFacts(Validators(), "digest", 1.0))
    print(sha256, flush=True)

for number in range(10):
    keep(number)
"""
STEPS = [
    "half written",
    "before fsync",
    "before rename",
    "before the directory's fsync",
    "before the record",
    "in the record's transaction",
    "after all",
]


@pytest.mark.fault(49)
@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is POSIX's")
@pytest.mark.parametrize("step", STEPS)
def test_a_kill_loses_nothing_that_was_recorded(tmp_path: Path, step: str) -> None:
    directory = tmp_path / "cache"
    writer = subprocess.run(
        [sys.executable, "-c", _WRITER, str(directory), step],
        cwd=Path(__file__).parents[2], capture_output=True, check=False,
    )  # fmt: skip
    kept = writer.stdout.decode().split()
    assert (len(kept), writer.returncode) == ((10, 0) if step == "after all" else (3, -9))
    store = Store(directory, 10**7)
    assert not store.is_temporary
    assert all(store.blobs.find(sha256) for sha256 in kept)
    assert sorted(pin.sha256 for pin in store.pins) == sorted(kept)
    assert store.pages.count() == len(kept)
    verdicts = dict(store.blobs.verify())
    assert {verdicts.pop(sha256) for sha256 in kept} == {"right"}
    # Renamed and not recorded: whole, so it is taken in.
    assert set(verdicts.values()) <= {"adopted"}
    for path in (directory / "blobs").rglob("*"):
        assert path.is_dir() or hashlib.sha256(path.read_bytes()).hexdigest() == path.name
    store.close()
