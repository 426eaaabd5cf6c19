"""``--quiet``: only errors, and the data asked for."""

import logging
from pathlib import Path

import pytest

from indexfallback.cli.fetch_progress import fetch_progress
from indexfallback.cli.logs import set_up_logging
from indexfallback.cli.options import Options
from indexfallback.process.child import log_options
from tests.cli.support import CommandLine
from tests.cli.test_background import free_port
from tests.fakes import wheel
from tests.serving import index_table


@pytest.fixture(autouse=True)
def _port(cli: CommandLine) -> None:
    """Use a port that no shim of another test has."""
    cli.environ["INDEXFALLBACK_PORT"] = str(free_port())


@pytest.mark.parametrize(
    "command",
    [
        ("cache", "gc"), ("cache", "verify"), ("cache", "list"), ("offline", "on"),
        ("config", "init", "--force"), ("refresh",), ("serve", "--stop"), ("token", "list"),
    ],
    ids=" ".join,
)  # fmt: skip
def test_what_was_done_is_not_told(cli: CommandLine, command: tuple[str, ...]) -> None:
    loud, quiet = cli(*command).expect(), cli(*command, "--quiet").expect()
    assert loud.out + loud.err
    assert quiet.out + quiet.err == ""


@pytest.mark.parametrize(
    "command",
    [("cache", "info"), ("config", "show"), ("config", "path"), ("offline",), ("env",)],
    ids=" ".join,
)
def test_the_data_asked_for_is_printed(cli: CommandLine, command: tuple[str, ...]) -> None:
    quiet = cli("-q", *command).expect()
    assert quiet.out == cli(*command).expect().out != ""


def test_a_path_comes_without_a_note_that_there_is_no_file(cli: CommandLine) -> None:
    assert "does not exist" in cli("config", "path").expect().err
    assert cli("config", "path", "-q").expect().err == ""


def test_a_token_comes_alone(cli: CommandLine) -> None:
    done = cli("token", "create", "-q").expect()
    assert len(done.out.split()) == 1
    assert done.err == ""


def test_files_are_published_without_a_word_and_errors_told(
    cli: CommandLine, tmp_path: Path
) -> None:
    cli.configure(index_table("local", tmp_path.as_uri(), role="private", upload=True))
    good, broken = wheel("acme-app"), tmp_path / "acme_app-2-py3-none-any.whl"
    (tmp_path / "dist").mkdir()
    path = tmp_path / "dist" / good.filename
    path.write_bytes(good.data)
    done = cli("publish", "-q", str(path)).expect()
    assert done.out + done.err == ""
    broken.write_bytes(b"no archive")
    done = cli("publish", "-q", str(broken)).expect(1)
    assert (done.out, broken.name in done.err) == ("", True)


def test_quiet_and_verbose_exclude_one_another(cli: CommandLine) -> None:
    for arguments in (("-q", "cache", "info", "-v"), ("cache", "info", "-q", "-v")):
        assert "--quiet and --verbose exclude" in cli(*arguments).expect(2).err


def test_only_errors_are_logged() -> None:
    set_up_logging(Options(verbose=-1).verbose)
    assert logging.getLogger("indexfallback").level == logging.ERROR


def test_processes_of_a_command_are_as_quiet_as_it() -> None:
    assert [log_options(verbose) for verbose in (-1, 0, 2)] == [["-q"], [], ["-v", "-v"]]


def test_a_fetch_shows_no_progress(capsys: pytest.CaptureFixture[str]) -> None:
    with fetch_progress(-1) as progress:
        progress.step("Resolving")
        progress.expect(1, 1)
        progress.finish("file")
    captured = capsys.readouterr()
    assert captured.out + captured.err == ""
