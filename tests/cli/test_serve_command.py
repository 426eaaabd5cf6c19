"""What ``serve`` prints, and how it ends."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import pytest

from tests.cli.support import COMMAND_SECONDS, CommandLine, Done
from tests.conftest import Serve
from tests.fakes import FakeIndex, flat_directory, wheel
from tests.in_process import ROOT
from tests.serving import index_table, json_at, wait_until

LAST_LINE = "Point pip at it: `indexfallback setup pip`. Stop: Ctrl-C\n"
unix = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")


class Aloud(NamedTuple):
    """A shim in the foreground that answers, and its banner."""

    process: "subprocess.Popen[str]"
    banner: str

    def stop(self, number: int) -> Done:
        """Send a signal as a terminal does, to all of it, and wait for the end."""
        os.killpg(self.process.pid, number)
        out, err = self.process.communicate(timeout=COMMAND_SECONDS)
        return Done(self.process.returncode, out, err)


@contextlib.contextmanager
def aloud(cli: CommandLine, **environ: str) -> Iterator[Aloud]:
    with subprocess.Popen(
        cli.arguments("serve", "--port", "0"), cwd=ROOT, env=cli.environment(**environ),
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        start_new_session=True,
    ) as process:  # fmt: skip
        try:
            assert process.stdout is not None
            lines = list(iter(process.stdout.readline, LAST_LINE))
            port = urlsplit(lines[0].split()[-1]).port or 0
            wait_until(lambda: _answers(port), 30, "the shim does not answer")
            yield Aloud(process, "".join(lines))
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGTERM)


def _answers(port: int) -> bool:
    try:
        return bool(json_at(f"http://127.0.0.1:{port}", "/-/health"))
    except OSError:
        return False


@unix
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_banner_says_what_is_behind_it_and_a_signal_ends_it_without_a_word(
    cli: CommandLine, chain: str, private: FakeIndex, number: signal.Signals
) -> None:
    cli.config.write_text(chain.replace("private = false", "private = true"), encoding="utf-8")
    with aloud(cli) as shim:
        words = " ".join(shim.banner.split())
        assert words.startswith("indexfallback ")
        assert " on http://127.0.0.1:" in words
        assert f"cache: {cli.cache} (at most 20 GB)" in words
        assert f"`indexfallback setup` writes it ({cli.config}:2)" in words
        assert f"  1 private  private  {private.url}\n" in shim.banner
        assert "  2 pypi     public   http://127.0.0.1:" in shim.banner
        assert shim.stop(number) == Done(0, "", "")


@unix
def test_without_a_configuration_the_banner_shows_the_chain_of_pip(
    cli: CommandLine, tmp_path: Path
) -> None:
    directory = flat_directory(tmp_path / "wheels", [wheel("acme-app")])
    with aloud(cli, PIP_EXTRA_INDEX_URL=directory.as_uri()) as shim:
        words = " ".join(shim.banner.split())
        assert "no configuration yet, using pip's: 1 wheels file://" in words
        assert "2 pypi PyPI (pip: default)" in words


def test_a_second_one_with_the_same_configuration_is_no_error(
    cli: CommandLine, served: Serve, chain: str
) -> None:
    shim = served(chain, directory=cli.directory)
    cli.use(shim)
    done = cli("serve").expect()
    assert "already served on" in done.words
    assert cli("serve", "--json").expect().json["started"] is False
    assert shim.get("/-/health").status == 200


def test_a_second_one_with_another_configuration_fails(
    cli: CommandLine, served: Serve, chain: str, public: FakeIndex
) -> None:
    shim = served(index_table("pypi", public.url), directory=cli.directory)
    cli.configure(chain)
    cli.use(shim)
    done = cli("serve").expect(1)
    assert "is taken by a shim with another configuration (process " in done.words
    assert "choose another port with --port or INDEXFALLBACK_PORT" in done.words


@pytest.mark.usefixtures("chain")
def test_another_programs_port_fails(cli: CommandLine) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        done = cli("serve", "--port", str(other.getsockname()[1])).expect(1)
    assert "is taken by another program; stop it, or choose another port" in done.words


def test_an_address_that_others_reach_is_refused(cli: CommandLine, public: FakeIndex) -> None:
    cli.configure(index_table("pypi", public.url), server={"host": "0.0.0.0"})
    done = cli.by_process("serve", "--port", "0").expect(2)
    assert "can be reached by others" in done.words


def test_a_change_of_state_is_one_line(
    cli: CommandLine, served: Serve, chain: str, private: FakeIndex
) -> None:
    shim = served(chain, directory=cli.directory)
    private.drop(reset=True)
    for project in "abcdef":
        shim.get(f"/simple/{project}/")
    lines = [line for line in shim.log.splitlines() if "skipped for" in line]
    assert len(lines) == 1
    assert " WARNING private: unavailable (" in lines[0]
