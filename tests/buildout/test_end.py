"""The shim ends with its buildout, even if the buildout is killed."""

import signal
import socket
import sys
from pathlib import Path

import psutil
import pytest

from tests.buildout.recipes import recipe
from tests.buildout.support import Project, Running, ports
from tests.fakes import FakeIndex
from tests.serving import all_ended, wait_until

#: A shim ends within a second; one in a transfer is killed after three.
_END_SECONDS = 30.0
unix = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")


@pytest.fixture
def waiting(project: Project, public: FakeIndex) -> Path:
    """A buildout whose only part waits; the file tells that it does."""
    public.add(recipe())
    started = project.directory / "started"
    code = f"import pathlib, time; pathlib.Path('{started}').touch(); time.sleep(600)"
    project.write(f"public = {public.url}", py={"recipe": "acme.recipe", "command": f'-c "{code}"'})
    return started


def _is_closed(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) != 0


def _shim_of(running: Running, started: Path) -> tuple[list[psutil.Process], int]:
    """Return the processes of a buildout that waits, and the port of its shim."""
    running.wait_for(started)
    family = running.family()
    (port,) = ports(family)
    return family, port


@unix
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_after_a_signal_no_process_and_no_port_is_left(
    number: int, project: Project, waiting: Path
) -> None:
    with project.running() as running:
        family, port = _shim_of(running, waiting)
        running.send(number)
        wait_until(lambda: all_ended(family), _END_SECONDS, "a process is left")
        assert _is_closed(port)


@unix
def test_ctrl_c_shows_no_traceback_of_ours(project: Project, waiting: Path) -> None:
    with project.running() as running:
        _shim_of(running, waiting)
        running.send(signal.SIGINT)
        assert "buildout_ext" not in running.output
        assert "indexfallback/" not in running.output


@unix
def test_after_a_kill_no_shim_and_no_port_is_left(project: Project, waiting: Path) -> None:
    with project.running() as running:
        family, port = _shim_of(running, waiting)
        shims = [each for each in family if "time.sleep" not in " ".join(each.cmdline())]
        assert shims
        # The part's own command lives on, and must not hold the shim.
        running.process.kill()
        wait_until(lambda: all_ended(shims), _END_SECONDS, "a shim is left")
        assert _is_closed(port)
        assert not all_ended(family)


def test_after_a_failure_no_process_is_left(project: Project, public: FakeIndex) -> None:
    project.write(f"public = {public.url}", py={"eggs": "nobody-has-it"})
    project.run().expect(1)
    assert project.processes() == []


def test_after_a_success_no_process_is_left(project: Project, public: FakeIndex) -> None:
    project.write(f"public = {public.url}", py={"eggs": "acme-lib"})
    project.run().expect()
    assert project.processes() == []
