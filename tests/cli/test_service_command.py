"""The command ``service``, where it can be with a systemd of its own."""

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.support import CommandLine
from tests.fakes import FakeIndex
from tests.in_process import ROOT
from tests.serving import index_table, wait_until

#: A systemd for users, where none was booted: in a namespace that nobody else sees.
_SYSTEMD = """
mkdir -p /run/systemd && mount -t tmpfs tmpfs /run/systemd && mkdir /run/systemd/system &&
mount -t tmpfs tmpfs /sys/fs/cgroup && mkdir /sys/fs/cgroup/systemd &&
mount -t cgroup -o none,name=systemd cgroup /sys/fs/cgroup/systemd &&
exec /usr/lib/systemd/systemd --user --log-target=console
"""


@pytest.fixture
def systemd(cli: CommandLine) -> Iterator[None]:
    """Run a systemd of the command line's own user."""
    if shutil.which("systemctl") is None or shutil.which("unshare") is None:
        pytest.skip("no systemd")
    environ = cli.environment()
    process = subprocess.Popen(
        ["unshare", "--mount", "--propagation", "private", "sh", "-c", _SYSTEMD],
        env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        wait_until(
            lambda: process.poll() is not None or _control(environ, "show-environment") == 0,
            30.0, "systemd does not answer",
        )  # fmt: skip
        if process.poll() is not None:
            pytest.skip("no systemd can be run here")
        yield
    finally:
        process.terminate()
        process.wait(30)


def _control(environ: dict[str, str], *arguments: str) -> int:
    command = ["systemctl", "--user", *arguments]
    return subprocess.run(command, env=environ, check=False, capture_output=True).returncode


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


@pytest.mark.usefixtures("systemd", "chain")
def test_a_systemd_starts_it_again_and_ends_it_for_good(cli: CommandLine) -> None:
    port = _free_port()
    cli.environ |= {"INDEXFALLBACK_PORT": str(port), "PYTHONPATH": str(ROOT)}
    done = cli("service", "install").expect()
    assert done.out.splitlines()[-1] == f"Runs on http://127.0.0.1:{port}/simple/"
    status = cli("service", "status", "--json").expect().json
    assert (status["state"], status["answers"]) == ("active", True)
    _control(cli.environment(), "kill", "--signal=KILL", "indexfallback.service")
    wait_until(lambda: cli("service", "status").code == 1, 30.0, "it does not end")
    wait_until(lambda: cli("service", "status").code == 0, 60.0, "it is not started again")
    assert "Removed" in cli("service", "uninstall").expect().out
    status = cli("service", "status", "--json").expect(1).json
    assert (status["installed"], status["answers"]) == (False, False)


@pytest.mark.usefixtures("systemd", "chain")
def test_init_installs_it_where_systemd_works_and_its_undo_removes_it(cli: CommandLine) -> None:
    # Without a client, the test install is an HTTP request.
    programs = cli.directory / "programs"
    programs.mkdir()
    (programs / "systemctl").symlink_to(shutil.which("systemctl") or "")
    cli.environ |= {"INDEXFALLBACK_PORT": str(_free_port()), "PYTHONPATH": str(ROOT)}
    done = cli("init", "--yes", PATH=str(programs)).expect()
    assert "at each login, as systemd user unit" in done.words
    cli("service", "status").expect()
    assert "Stopped the local index" in cli("init", "--undo", PATH=str(programs)).expect().words
    status = cli("service", "status", "--json").expect(1).json
    assert (status["installed"], status["answers"]) == (False, False)


@pytest.mark.skipif(sys.platform != "linux", reason="systemd's")
class TestUnit:
    """What is printed by ``--dry-run``, which asks no systemd."""

    def test_it_has_the_options_of_the_command(self, cli: CommandLine, chain: str) -> None:
        text = cli("service", "install", "--dry-run", "--offline").expect().out
        command = f'"{sys.executable}" "-m" "indexfallback" "--config" "{cli.config}" "--offline"'
        assert f'ExecStart={command} "serve"' in text

    def test_it_has_the_environment_as_it_was_before_env(self, cli: CommandLine) -> None:
        pointed = {"INDEXFALLBACK_ENV": "http://127.0.0.1:5503/simple/",
                   "PIP_INDEX_URL": "http://127.0.0.1:5503/simple/"}  # fmt: skip
        text = cli("service", "install", "--dry-run", **pointed).expect().out
        assert "PIP_INDEX_URL" not in text

    def test_a_directory_is_named_whole(self, cli: CommandLine) -> None:
        cli.cwd, cli.environ["PYTHONPATH"] = cli.directory, str(ROOT)
        wheels = cli.directory / "wheels"
        wheels.mkdir()
        given = ("--index", "wheels=./wheels", "--index", "pypi=pypi")
        text = cli(*given, "service", "install", "--dry-run").expect().out
        assert f'"--index" "wheels={wheels.as_uri()}/" "--index" "pypi=pypi" "serve"' in text

    def test_nothing_is_written(self, cli: CommandLine) -> None:
        cli("service", "install", "--dry-run").expect()
        assert not Path(cli.directory, "home", ".config").exists()


@pytest.mark.skipif(os.name != "posix", reason="its stand-in is a script")
def test_a_password_in_a_variable_is_told_of(cli: CommandLine, public: FakeIndex) -> None:
    cli.configure(index_table("pypi", public.url, username="ci", password_env="SECRET_OF_PYPI"))
    done = cli("service", "install", SECRET_OF_PYPI="hunter2", PATH="/nowhere").expect(1)
    assert "the password of pypi is in SECRET_OF_PYPI, which is not set for a service" in done.words
    assert "systemctl cannot be run" in done.words
    assert "hunter2" not in done.words


def test_where_nothing_is_installed_there_is_nothing_to_remove(cli: CommandLine) -> None:
    assert "nothing to remove" in cli("service", "uninstall").expect().words
    assert "not installed" in cli("service", "status", INDEXFALLBACK_PORT="1").expect(1).out
