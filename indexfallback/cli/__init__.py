"""The command line: one module for each command group, imported when it is used."""

import importlib
import logging
import os
import sqlite3
import sys
import traceback

import click

from indexfallback import __version__
from indexfallback.cli.options import Options, examples, takes_options
from indexfallback.cli.output import colour
from indexfallback.errors import IndexFallbackError

#: The name of the program.
PROGRAM = "indexfallback"
#: Module of each command. To import all of them takes longer than most commands.
_COMMANDS = {
    "cache": "cache",
    "completion": "completion",
    "config": "config",
    "doctor": "doctor",
    "env": "env",
    "fetch": "fetch",
    "init": "init",
    "mirror": "mirror",
    "offline": "offline",
    "publish": "publish",
    "publish-tree": "publish_tree",
    "refresh": "refresh",
    "remove": "withdraw",
    "run": "run",
    "serve": "serve",
    "service": "service",
    "setup": "setup",
    "status": "status",
    "token": "token",
    "unyank": "withdraw",
    "why": "why",
    "yank": "withdraw",
}
#: The same of commands that other commands start, which no help lists.
_INTERNAL = {"tunnel": "tunnel"}


class _Commands(click.Group):
    """The group of all commands."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Return the names of the commands, in the order of the help."""
        return sorted(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - as above
        """Import and return a command."""
        name = _COMMANDS.get(cmd_name) or _INTERNAL.get(cmd_name)
        if name is None:
            return None
        module = importlib.import_module(f"indexfallback.cli.{name}")
        command: click.Command = getattr(module, cmd_name.replace("-", "_"))
        return command


@click.group(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=examples("indexfallback run -- pip install PROJECT", "indexfallback doctor"),
)
@click.version_option(__version__, prog_name=PROGRAM)
@takes_options
def cli(options: Options) -> None:
    """One local package index in front of all of yours: ordered, cached, always there."""


def main() -> None:
    """Run the command line; an error gives a message and an exit code, but no traceback."""
    try:
        cli(prog_name=PROGRAM, color=colour(os.environ))
    except IndexFallbackError as error:
        _print_error(error)
        sys.exit(error.exit_code)
    except (OSError, sqlite3.Error) as error:  # such as a full disk
        _print_error(error)
        sys.exit(1)


def _print_error(error: Exception) -> None:
    # -vv sets this level.
    if logging.getLogger("indexfallback").isEnabledFor(logging.DEBUG):
        traceback.print_exc()
    click.echo(f"indexfallback: {error}", err=True)
