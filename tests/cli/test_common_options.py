"""What all commands have in common: options, errors and exit codes."""

from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from indexfallback import __version__
from indexfallback.cli import cli as commands
from tests.cli.support import COLUMNS, CommandLine
from tests.serving import index_table


def _commands(group: click.Group, *parents: str) -> Iterator[tuple[str, ...]]:
    """Yield the words of every command below a group."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from _commands(command, *parents, name)
        else:
            yield (*parents, name)


COMMANDS = tuple(_commands(commands))


@pytest.mark.parametrize(
    "command",
    [("cache", "info"), ("config", "check"), ("status",), ("why", "x"), ("serve",), ("run", "x")],
    ids=" ".join,
)
def test_a_wrong_configuration_ends_every_command_with_2(
    cli: CommandLine, command: tuple[str, ...]
) -> None:
    cli.config.write_text('[cache]\nfrash = "1 min"\n', encoding="utf-8")
    done = cli(*command).expect(2)
    assert done.out == ""
    assert done.err.startswith(f"indexfallback: {cli.config}:2: ")
    assert 'did you mean "fresh"?' in done.err


def test_an_error_is_wrapped_on_a_terminal_alone(cli: CommandLine) -> None:
    cli.config.write_text('[cache]\nfrash = "1 min"\n', encoding="utf-8")
    piped, shown = cli("config", "show").expect(2), cli.to_terminal("config", "show").expect(2)
    assert len(piped.err.splitlines()) == 1 < len(shown.err.splitlines())
    assert piped.words == shown.words
    assert all(len(line) <= COLUMNS for line in shown.err.splitlines() if "/" not in line)


def test_with_vv_an_error_comes_with_its_traceback(cli: CommandLine) -> None:
    cli.config.write_text("nonsense", encoding="utf-8")
    done = cli("config", "show", "-vv").expect(2)
    assert done.err.startswith("Traceback")
    assert done.err.splitlines()[-1].startswith(f"indexfallback: {cli.config}")


def test_options_stand_before_or_behind_the_command(cli: CommandLine, tmp_path: Path) -> None:
    option = f"--index=here={tmp_path}"
    for arguments in ((option, "config", "show", "--json"), ("config", "show", "--json", option)):
        indexes = cli(*arguments).expect().json["indexes"]
        assert [index["name"]["value"] for index in indexes] == ["here"]


def test_offline_behind_the_command_is_heard(cli: CommandLine) -> None:
    done = cli("config", "show", "--offline", "--json").expect()
    assert done.json["settings"]["offline"] == {"value": True, "origin": "--offline"}


@pytest.mark.parametrize("arguments", [("nope",), ("cache", "remove"), ("run",)])
def test_wrong_usage_ends_with_2(cli: CommandLine, arguments: tuple[str, ...]) -> None:
    done = cli(*arguments).expect(2)
    assert done.err.startswith("Usage: ")


@pytest.mark.parametrize(
    "arguments",
    [("search", "\udcff"), ("log", "--index", "\udcff")],
    ids=" ".join,
)
def test_a_text_that_is_not_utf8_is_wrong_usage(
    cli: CommandLine, arguments: tuple[str, ...]
) -> None:
    assert "is not UTF-8" in cli.to_terminal(*arguments).expect(2).words


def test_a_wrong_index_ends_with_2(cli: CommandLine) -> None:
    assert cli("why", "x", "--index", "here").expect(2).err.startswith("indexfallback: --index: ")


def test_what_the_system_refuses_is_a_message(cli: CommandLine) -> None:
    cli.configure(index_table("pypi", "https://packages.example.com/simple/"))
    cli.cache.mkdir(mode=0o700)
    (cli.cache / "partial").write_text("a file in the way", encoding="utf-8")
    done = cli("cache", "gc").expect(1)
    assert "the cache cannot be written" in done.words
    assert "the cache cannot be written" in cli("cache", "info").expect().words  # what there is


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_has_help(command: tuple[str, ...]) -> None:
    shown = CliRunner().invoke(commands, [*command, "--help"], terminal_width=COLUMNS)
    assert shown.exit_code == 0
    assert shown.output.startswith("Usage: ")
    assert "--config FILE" in shown.output
    assert "-q, --quiet " in shown.output
    assert "\n  Examples:\n    " in shown.output
    assert max(map(len, shown.output.splitlines())) <= COLUMNS


def _help(*arguments: str, width: int = 100) -> str:
    return CliRunner().invoke(commands, [*arguments, "--help"], terminal_width=width).output


def test_help_lists_every_command_by_purpose() -> None:
    shown = _help()
    assert all(f"\n  {command[0]} " in shown for command in COMMANDS)
    titles = [line for line in shown.splitlines() if line.endswith(":") and line[0] != " "]
    assert titles == [
        "Options:", "Install through the chain:", "Set up:", "See what happens:",
        "Work offline, and mirror:", "Keep an index of your own:",
    ]  # fmt: skip
    assert shown.index("  run ") < shown.index("  init ") < shown.index("  yank ")


@pytest.mark.parametrize("group", ["", "cache", "config", "mirror", "service", "token"])
@pytest.mark.parametrize("width", [50, 80])
def test_help_of_a_group_cuts_no_summary(group: str, width: int) -> None:
    shown = _help(*group.split(), width=width)
    context = click.Context(commands)
    parent = commands.get_command(context, group) if group else commands
    assert isinstance(parent, click.Group)
    words = " ".join(shown.split())
    for name in parent.list_commands(context):
        command = parent.get_command(context, name)
        assert command is not None
        first = " ".join((command.help or "").split("\n\n")[0].split())
        assert f" {name} {first.split('. ')[0]}" in words
    assert max(map(len, shown.splitlines())) <= max(width, 63)  # an option may be wider


def test_help_in_a_pipe_is_not_wrapped(cli: CommandLine) -> None:
    out = cli("fetch", "--help").expect().out
    (line,) = [line for line in out.splitlines() if "--requirement" in line]
    assert line.endswith("(repeatable).")
    assert len(line) > 160
    assert max(map(len, cli.to_terminal("fetch", "--help").expect().out.splitlines())) <= COLUMNS


def test_the_version_is_told(cli: CommandLine) -> None:
    assert cli("--version").expect().out == f"indexfallback, version {__version__}\n"
