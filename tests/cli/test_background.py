"""``serve`` in the background: it starts, is found, and ends."""

import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.cli.support import CommandLine, Done
from tests.fakes import FakeIndex
from tests.serving import index_table, wait_until

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def has_ended(pid: int) -> bool:
    """Tell whether a process has ended, be it that nothing has taken note of it."""
    try:
        return bool(psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


class Background:
    """A shim of a user, and the commands for it."""

    def __init__(self, cli: CommandLine) -> None:
        self.cli = cli
        self.port = free_port()
        cli.environ["INDEXFALLBACK_PORT"] = str(self.port)

    def serve(self, *options: str) -> Done:
        # In a process of its own, which ends before the shim.
        return self.cli.by_process("serve", *options)

    def file(self, ending: str) -> Path:
        state = Path(self.cli.environment()["XDG_STATE_HOME"])
        return state / "indexfallback" / f"serve-{self.port}.{ending}"


@pytest.fixture
def background(cli: CommandLine, chain: str) -> Iterator[Background]:
    made = Background(cli)
    yield made
    made.serve("--stop").expect()


def test_it_answers_when_the_command_returns_and_a_restart_takes_its_place(
    background: Background,
) -> None:
    done = background.serve("--background").expect()
    assert f" on http://127.0.0.1:{background.port}/simple/, in the background" in done.words
    assert str(background.file("log")) in done.words
    first = background.cli("status", "--json").expect().json
    assert background.file("pid").read_text("ascii") == f"{first['pid']}\n"
    assert background.serve("--background", "--json").expect().json["started"] is False
    again = background.serve("--restart", "--json").expect().json
    assert again["started"] is True
    assert again["pid"] != first["pid"]
    wait_until(lambda: has_ended(first["pid"]), 10, "the first one still runs")
    done = background.serve("--stop").expect()
    assert f"stopped (process {again['pid']})" in done.words
    assert not background.file("pid").exists()
    background.cli("status").expect(1)


def test_its_log_is_in_the_state_directory(background: Background, private: FakeIndex) -> None:
    private.stop_listening()
    background.serve("--background").expect()
    background.cli("why", "acme-app").expect(1)
    log = background.file("log").read_text("utf-8")
    assert " WARNING private: " in log
    assert "connection refused" in log


def test_nothing_to_stop_is_said_and_no_failure(background: Background) -> None:
    assert f"no shim runs on 127.0.0.1:{background.port}" in background.serve("--stop").words


def test_a_start_that_fails_says_why(background: Background, public: FakeIndex) -> None:
    background.cli.configure(
        index_table("pypi", public.url), server={"host": "0.0.0.0", "port": background.port}
    )
    done = background.serve("--background").expect(1)
    assert "the shim did not start: indexfallback: " in done.words
    assert "there is no token to read with" in done.words


def test_the_port_of_another_program_is_left_alone(background: Background) -> None:
    with socket.create_server(("127.0.0.1", background.port)):
        assert "another program" in background.serve("--background").expect(1).words
        assert "another program uses the port" in background.serve("--stop").expect(1).words


def test_a_port_of_its_own_is_needed(background: Background) -> None:
    assert "a port that is known" in background.serve("--background", "--port", "0").expect(2).words
