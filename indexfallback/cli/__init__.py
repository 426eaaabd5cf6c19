"""The command line: one module for each command group, imported when it is used."""

import importlib
import logging
import os
import sqlite3
import sys
import traceback
from collections.abc import Mapping, Sequence

import click

from indexfallback import __version__
from indexfallback.cli.help import Group, help_width
from indexfallback.cli.options import Options, examples, takes_options
from indexfallback.cli.output import colour, say
from indexfallback.errors import IndexFallbackError

#: The name of the program.
PROGRAM = "indexfallback"
#: Module of each command, by purpose in the order of the help. To import all of them takes longer
#: than most commands.
_SECTIONS = {
    "Install through the chain": {"run": "run", "env": "env", "serve": "serve"},
    "Set up": {
        "init": "init",
        "setup": "setup",
        "service": "service",
        "config": "config",
        "completion": "completion",
    },
    "See what happens": {
        "status": "status",
        "why": "why",
        "search": "search",
        "doctor": "doctor",
        "refresh": "refresh",
    },
    "Work offline, and mirror": {
        "fetch": "fetch",
        "offline": "offline",
        "cache": "cache",
        "mirror": "mirror",
    },
    "Keep an index of your own": {
        "publish": "publish",
        "yank": "withdraw",
        "unyank": "withdraw",
        "remove": "withdraw",
        "promote": "promote",
        "log": "log",
        "token": "token",
        "publish-tree": "publish_tree",
    },
}
_COMMANDS = {name: module for names in _SECTIONS.values() for name, module in names.items()}
#: The modules of commands that only other commands start; no help lists them.
_INTERNAL = {"tunnel": "tunnel"}


class _Commands(Group):
    """The group of all commands."""

    def sections(self, ctx: click.Context) -> Mapping[str, Sequence[str]]:  # noqa: ARG002 - click's signature
        """Return the names of the commands, by purpose."""
        return {title: list(names) for title, names in _SECTIONS.items()}

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - as above
        """Return the names of the commands, in the order of the help."""
        return list(_COMMANDS)

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
        cli(prog_name=PROGRAM, color=colour(os.environ), terminal_width=help_width())
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
    say(str(error))
