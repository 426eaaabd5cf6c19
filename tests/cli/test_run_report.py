"""What `run` says of commands that went past the local index."""

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexfallback.cli.run_report import covered, report_tunnel
from indexfallback.clients.installed import installed_since
from indexfallback.clients.tunnel_process import Tunnel, tunnel_process
from indexfallback.tunnel.report import Refusal, Report

ORIGIN = "https://packages.example.com"


class Ended(Tunnel):
    """A tunnel with a report that is known."""

    def __init__(self, report: Report) -> None:
        self._report = report

    def report(self) -> Report:
        return self._report


def said(
    capsys: pytest.CaptureFixture[str],
    report: Report,
    *command: str,
    quiet: bool = False,
    began: float | None = None,
) -> str:
    report_tunnel(Ended(report), command, time.time() if began is None else began, quiet=quiet)
    return " ".join(capsys.readouterr().err.split())


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in a directory with an environment that has one project."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("VIRTUAL_ENV", raising=False)
    (tmp_path / ".venv/lib/python3.11/site-packages/foo-1.0.dist-info").mkdir(parents=True)
    return tmp_path


def test_a_program_that_refused_the_certificate_is_named_with_what_became_of_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    report = Report(connections=2, refusals=(Refusal(ORIGIN, "curl/8.1", 1), Refusal(ORIGIN, "")))
    words = said(capsys, report, "make", quiet=True)
    assert f"curl/8.1 does not trust the certificate of this run; its connections to {ORIGIN}" in (
        words
    )
    assert "A program does not trust the certificate of this run, and did not try" in words
    assert "What you can do: let it trust the certificates that SSL_CERT_FILE names" in words


@pytest.mark.usefixtures("project")
def test_a_command_that_installed_without_a_connection_is_told_of_the_address(
    capsys: pytest.CaptureFixture[str],
) -> None:
    words = said(capsys, Report(), "make", "install")
    assert "make did not connect to the local index, but installed 1 project" in words
    assert "`indexfallback run --address`" in words


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize(
    "command",
    [("uv", "sync"), ("/usr/bin/pip3.11", "install"), ("python3", "-m", "pip"), ("poetry.exe",)],
)
def test_a_client_that_heeds_the_proxy_has_a_cache_of_its_own_and_is_told_nothing(
    capsys: pytest.CaptureFixture[str], command: Sequence[str]
) -> None:
    assert said(capsys, Report(), *command) == ""


@pytest.mark.usefixtures("project")
def test_a_command_that_connected_is_told_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert said(capsys, Report(connections=1), "make") == ""
    assert said(capsys, Report(), "make", quiet=True) == ""


@pytest.mark.usefixtures("project")
def test_a_command_that_installed_nothing_is_told_nothing(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert said(capsys, Report(), "make", began=time.time() + 60) == ""


def test_projects_are_found_in_the_active_environment_and_beside_the_program(
    tmp_path: Path,
) -> None:
    (tmp_path / "active/lib/python3.12/site-packages/foo-1.0.dist-info").mkdir(parents=True)
    own = tmp_path / "own/lib/python3.12/site-packages"
    (own / "bar-2.0.dist-info").mkdir(parents=True)
    program = tmp_path / "own/bin/tool"
    program.parent.mkdir()
    program.symlink_to(sys.executable)
    environ = {"VIRTUAL_ENV": str(tmp_path / "active")}
    assert installed_since(tmp_path, environ, str(program), time.time()) == [
        "bar-2.0.dist-info", "foo-1.0.dist-info",
    ]  # fmt: skip
    assert installed_since(tmp_path, environ, str(program), time.time() + 60) == []


@contextmanager
def tunnel() -> Iterator[Tunnel]:
    """Open a tunnel to a shim that nothing asks."""
    with tunnel_process() as process:
        opened = process.open("http://127.0.0.1:9/simple/", [ORIGIN])
        yield opened


def test_a_tunnel_that_has_ended_is_told_of(capsys: pytest.CaptureFixture[str]) -> None:
    with tunnel() as opened:
        pass
    report_tunnel(opened, ("make",), time.time(), quiet=False)
    assert "the tunnel has ended" in capsys.readouterr().err


def test_waiting_is_what_the_clock_shows_and_not_the_sum() -> None:
    assert covered([]) == 0.0
    assert covered([(0.0, 2.0), (1.0, 3.0), (1.5, 1.6), (5.0, 6.0)]) == 4.0


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)).map(sorted).map(tuple)))
def test_each_second_of_waiting_counts_once(spans: list[tuple[int, int]]) -> None:
    seconds = {second for begin, end in spans for second in range(begin, end)}
    assert covered(spans) == len(seconds)
