"""A process that is killed at any step of writing, and the order that a power cut demands."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from indexfallback.store import Store, blobs
from indexfallback.store.spool import Spool

#: Forks a process for each step of filling a store: the n-th is killed before its n-th step.
#: Steps are the calls that change the disk, and all of SQLite's statements. After each the store
#: is opened and must be clean, and hold all that was recorded.
_LOOP = """
import hashlib, logging, os, signal, sqlite3, sys
from pathlib import Path
from indexfallback.page import ProjectPage
from indexfallback.store import PageFacts, Store, Validators
from indexfallback.store import connections, database_file
from indexfallback.store.spool import Spool

logging.disable()
base = Path(sys.argv[1])
DATA = [b"%d" % number * 5000 for number in range(2)]
NAMES = [hashlib.sha256(data).hexdigest() for data in DATA]
pid = os.getpid()
real_write = os.write
steps = left = 0

def step(*args):
    global steps
    steps += 1
    if os.getpid() != pid and steps == left:
        os.kill(os.getpid(), signal.SIGKILL)

def stepping(module, name):
    real = getattr(module, name)
    def call(*args, **kwargs):
        step()
        return real(*args, **kwargs)
    setattr(module, name, call)

for name in ("open", "write", "fsync", "mkdir", "replace", "rename", "unlink", "utime"):
    stepping(os, name)
for name in ("open", "mkdir", "replace", "unlink"):
    stepping(Path, name)
connect = connections.connect
def connected(*arguments):
    connection = connect(*arguments)
    connection.set_trace_callback(step)
    return connection
connections.connect = database_file.connect = connected

def fill(directory, say):
    store = Store(directory, 10**7)
    for number, data in enumerate(DATA):
        spool = Spool(store.blobs, NAMES[number])
        for start in range(spool.size, len(data), 2000):
            spool.write(data[start : start + 2000])
        spool.commit(NAMES[number])
        say(b"f%d" % number)
        store.pins.record("demo", f"demo-{number}.zip", NAMES[number], "source")
        say(b"p%d" % number)
        store.pages.put("source", ProjectPage(name=f"demo-{number}"),
                        PageFacts(Validators(), "digest", 1.0))
        say(b"g%d" % number)
        store.ledger.record_page("source", f"demo-{number}")
        say(b"l%d" % number)
    store.close()

def check(directory, said):
    store = Store(directory, 10**7)
    assert not store.is_temporary
    verdicts = dict(store.blobs.verify())
    assert set(verdicts.values()) <= {"right", "adopted"}, verdicts
    for number, name in enumerate(NAMES):
        if f"f{number}" in said:
            assert verdicts[name] == "right" and store.blobs.find(name)
        assert f"p{number}" not in said or store.pins.get("demo", f"demo-{number}.zip") == name
        assert f"g{number}" not in said or store.pages.load("source", f"demo-{number}")
        assert f"l{number}" not in said or store.ledger.ownership("source", f"demo-{number}")
    store.close()

fill(base / "whole", lambda word: None)
total = steps
for left in range(1, total + 1):
    directory = base / str(left)
    reading, writing = os.pipe()
    steps = 0
    child = os.fork()
    if not child:
        fill(directory, lambda word: real_write(writing, word))
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        said = pipe.read()
    _, status = os.waitpid(child, 0)
    assert os.WTERMSIG(status) == signal.SIGKILL, (left, total, status)
    check(directory, said)
    fill(directory, lambda word: None)  # and it can go on
    check(directory, "f0p0g0l0f1p1g1l1")
print(total)
"""


@pytest.mark.fault(49)
@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks a process for each step")
def test_a_kill_at_any_write_step_leaves_a_clean_store_that_lost_nothing(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _LOOP, str(tmp_path)],
        cwd=Path(__file__).parents[2], capture_output=True, check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr.decode()
    assert int(done.stdout) > 50


@pytest.mark.fault(50)
@pytest.mark.skipif(os.name != "posix", reason="Windows has no way to make a directory durable")
def test_a_file_is_durable_before_it_has_its_name_and_has_its_name_before_it_is_recorded(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.blobs.path("0" * 64).parent.mkdir(parents=True, exist_ok=True)
    spool = Spool(store.blobs, "0" * 64)
    spool.write(b"content")
    steps: list[str] = []

    def note(target: Any, name: str, step: str) -> None:
        real: Callable[..., Any] = getattr(target, name)

        def call(*args: Any, **values: Any) -> Any:
            steps.append(step)
            return real(*args, **values)

        monkeypatch.setattr(target, name, call)

    note(Path, "replace", "rename")
    note(os, "fsync", "fsync")
    note(blobs, "sync_directory", "of the directory:")
    note(store.blobs, "record", "record")
    spool.commit("0" * 64)
    expected = ["fsync", "rename", "of the directory:", "fsync", "record"]
    assert steps == expected
