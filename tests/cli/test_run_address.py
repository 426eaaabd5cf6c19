"""``run --address``: the configured port if it is free, and the files that hold the address."""

import contextlib
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.support import COMMAND_SECONDS, CommandLine, Done
from tests.clients.setup.support import free_port
from tests.in_process import ROOT
from tests.serving import wait_until

pytestmark = pytest.mark.usefixtures("chain")

_PRINT = "import os; print(os.environ['PIP_INDEX_URL'])"
_WRITE = """\
import os, pathlib, sys
for name in sys.argv[1:]:
    path = pathlib.Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f'url = "{os.environ["PIP_INDEX_URL"]}foo/"')
"""
_WAIT = "import pathlib, sys, time; pathlib.Path(sys.argv[1]).touch(); time.sleep(60)"


@pytest.fixture
def port(cli: CommandLine) -> int:
    """Configure a port that is free, and work in the user's directory."""
    number = free_port()
    cli.environ["INDEXFALLBACK_PORT"] = str(number)
    cli.cwd = cli.directory
    return number


def run(cli: CommandLine, code: str, *arguments: str) -> Done:
    return cli("run", "--address", "--", sys.executable, "-c", code, *arguments)


def address_of(port: int) -> str:
    return f"http://127.0.0.1:{port}/simple/"


def test_the_configured_port_is_taken_if_it_is_free(cli: CommandLine, port: int) -> None:
    assert run(cli, _PRINT).expect().out.strip() == address_of(port)


def test_another_port_is_taken_if_a_program_has_the_configured_one(
    cli: CommandLine, port: int
) -> None:
    with socket.create_server(("127.0.0.1", port)):
        url = run(cli, _PRINT).expect().out.strip()
    assert url.startswith("http://127.0.0.1:")
    assert url != address_of(port)


@contextlib.contextmanager
def waiting(cli: CommandLine) -> Iterator[None]:
    """Have another command run."""
    started = cli.directory / "started"
    process = subprocess.Popen(
        cli.arguments("run", "--address", "--", sys.executable, "-c", _WAIT, str(started)),
        cwd=ROOT, env=cli.environment(), stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        wait_until(started.exists, COMMAND_SECONDS, "the command was not started")
        yield
    finally:
        process.terminate()
        process.wait(COMMAND_SECONDS)


@pytest.mark.skipif(sys.platform == "win32", reason="SIGTERM does not reach the command there")
def test_the_shim_of_another_command_is_not_used_since_it_may_end_earlier(
    cli: CommandLine, port: int
) -> None:
    with waiting(cli):
        done = run(cli, _PRINT).expect()
        taken = cli("serve").expect(1)
    assert done.out.strip() not in ("", address_of(port))
    assert f"127.0.0.1:{port} is taken by the shim of a command (process " in taken.words


def test_files_that_the_command_wrote_the_address_into_are_named(
    cli: CommandLine, port: int
) -> None:
    done = run(cli, _WRITE, "uv.lock", "tools/pyproject.toml").expect()
    expected = f"the local index's address is now in {Path('tools', 'pyproject.toml')}, uv.lock;"
    assert expected in done.words
    assert "`indexfallback doctor --mend` puts the indexes' own addresses back" in done.words


def test_of_many_files_ten_are_named(cli: CommandLine, port: int) -> None:
    names = [f"lock-{number:02}" for number in range(12)]
    done = run(cli, _WRITE, *names).expect()
    assert "lock-09 and 2 more; it works only on this machine." in done.words
    assert "lock-10" not in done.words


@pytest.mark.parametrize(
    "name",
    [
        ".git/config",
        ".venv/lib/RECORD",
        "node_modules/a",
        "lib/site-packages/direct_url.json",
        ".ruff_cache/a",
        ".cache/a",
    ],
)
def test_files_of_other_programs_are_not_named(cli: CommandLine, port: int, name: str) -> None:
    environment = cli.directory / ".venv"
    environment.mkdir()
    (environment / "pyvenv.cfg").touch()
    assert "is now in" not in run(cli, _WRITE, name).expect().words


def test_a_file_from_before_is_not_named(cli: CommandLine, port: int) -> None:
    lock = cli.directory / "uv.lock"
    lock.write_text(f'url = "{address_of(port)}"', "utf-8")
    os.utime(lock, (1, 1))
    assert "is now in" not in run(cli, _PRINT).expect().words


def test_a_file_with_the_address_of_another_port_is_not_named(cli: CommandLine, port: int) -> None:
    other = f"pathlib.Path('uv.lock').write_text('http://127.0.0.1:{port}0/simple/')"
    assert "is now in" not in run(cli, f"import pathlib; {other}").expect().words
