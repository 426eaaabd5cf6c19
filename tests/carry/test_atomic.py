"""The next export removes the incomplete files of a killed one."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from indexfallback.carry import wheelhouse
from indexfallback.carry.atomic import remove_abandoned, replacing
from indexfallback.store import Store
from tests.carry.support import APP, NEW, write
from tests.in_process import ROOT

#: Is killed when it has written this.
_WRITER = """
import os, signal, sys
from pathlib import Path
from indexfallback.carry.atomic import replacing

with replacing(Path(sys.argv[1])) as file:
    file.write(sys.argv[2].encode())
    file.flush()
    os.kill(os.getpid(), signal.SIGKILL)
"""

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no such locks on Windows")


def write_and_die(path: Path, text: str = "half") -> Path:
    """Return what a writer of ``path`` leaves that is killed."""
    before = set(path.parent.iterdir())
    command = [sys.executable, "-c", _WRITER, str(path), text]
    done = subprocess.run(command, cwd=ROOT, check=False, timeout=60)
    assert done.returncode == -signal.SIGKILL
    (left,) = set(path.parent.iterdir()) - before
    return left


@pytest.mark.parametrize("text", ["half of it", ""])
def test_an_export_removes_what_an_earlier_one_has_left(
    full: Store, tmp_path: Path, text: str
) -> None:
    place = tmp_path / "stick"
    place.mkdir()
    write_and_die(place / "packages.tar", text)
    write(full, place / "packages.tar")
    assert [path.name for path in place.iterdir()] == ["packages.tar"]


def test_so_does_a_wheelhouse(full: Store, tmp_path: Path) -> None:
    house = tmp_path / "house"
    house.mkdir()
    for name in (NEW.filename, wheelhouse.REQUIREMENTS):
        write_and_die(house / name)
    wheelhouse.write(full, wheelhouse.chosen(full, ["acme-app", "idna"]), house)
    names = {path.name for path in house.iterdir()}
    assert names == {APP.filename, NEW.filename, wheelhouse.REQUIREMENTS}


def test_what_is_being_written_stays(tmp_path: Path) -> None:
    path = tmp_path / "packages.tar"
    with replacing(path) as file:
        file.write(b"whole")
        remove_abandoned(tmp_path, [path.name])
    assert path.read_bytes() == b"whole"


def test_what_is_called_otherwise_stays(tmp_path: Path) -> None:
    left = write_and_die(tmp_path / "other.tar")
    (tmp_path / ".packages.tar.mine").touch()
    remove_abandoned(tmp_path, ["packages.tar"])
    assert {path.name for path in tmp_path.iterdir()} == {left.name, ".packages.tar.mine"}
