"""``env``: the statements that point the shell in use at the shim, and those that undo it."""

import os
import sys

import click

from indexfallback.cli.options import Options, examples, takes_options
from indexfallback.cli.output import say, say_more
from indexfallback.cli.running import address, health
from indexfallback.clients.environment import activation, deactivation
from indexfallback.clients.shells import EVALUATED, shell_of, statements


@click.command(
    epilog=examples(
        'eval "$(indexfallback env)"',
        'eval "$(indexfallback env --undo)"',
        "indexfallback env --shell fish | source",
        "indexfallback env --shell powershell | Out-String | Invoke-Expression",
    )
)
@click.option("--shell", type=click.Choice(sorted(EVALUATED)), help="Default: the one in SHELL.")
@click.option("--undo", is_flag=True, help="Print what restores the variables as they were.")
@takes_options
def env(options: Options, shell: str | None, undo: bool) -> None:
    """Print what points this shell at the shim.

    It is for the shell to do, and holds for all clients that are started there. With --undo, what
    was set before comes back.
    """
    shell = shell or shell_of(os.environ)
    if undo:
        changes = deactivation(os.environ)
        if not changes:
            say("this shell is not pointed at a shim: there is nothing to undo")
    else:
        settings = options.settings()
        changes = activation(os.environ, address(settings))
        if health(settings) is None:
            say(f"no shim runs on {settings.host}:{settings.port}: `indexfallback serve` starts it")
    click.echo(statements(shell, changes), nl=False)
    if sys.stdout.isatty():
        command = f"indexfallback env --shell {shell}{' --undo' if undo else ''}"
        say("nothing has changed yet; the shell does it with")
        say_more(EVALUATED[shell].format(command=command))
