"""``env``: shell statements that point the current shell at the shim, and those that undo it."""

import os
import sys

import click

from indexfallback.cli.options import Options, examples, takes_options
from indexfallback.cli.output import note, say
from indexfallback.cli.running import client_address, found, no_shim
from indexfallback.clients.environment import activation, deactivation
from indexfallback.clients.shells import EVALUATED, shell_of, statements
from indexfallback.server.asking import Kind


@click.command(
    epilog=examples(
        'eval "$(indexfallback env)"',
        'eval "$(indexfallback env --undo)"',
        "indexfallback env --shell fish | source",
        "indexfallback env --shell powershell | Out-String | Invoke-Expression",
    )
)
@click.option("--shell", type=click.Choice(sorted(EVALUATED)), help="Default: that in SHELL.")
@click.option("--undo", is_flag=True, help="Print the statements that restore the variables.")
@takes_options
def env(options: Options, shell: str | None, undo: bool) -> None:
    """Print the statements that point this shell at the shim.

    The shell has to evaluate them; all clients that it starts then use the shim. With --undo, the
    statements restore the previous values.
    """
    shell = shell or shell_of(os.environ)
    if undo:
        changes = deactivation(os.environ)
        if not changes:
            note("this shell does not use a shim: there is nothing to undo")
    else:
        settings = options.settings()
        changes = activation(os.environ, client_address(settings))
        there = found(settings)
        if there is None:
            say(f"{no_shim(settings, there)}: `indexfallback serve` starts it")
        elif there.kind is not Kind.OWN:
            say(f"{no_shim(settings, there)}; set server.port to another one")
    click.echo(statements(shell, changes), nl=False)
    if sys.stdout.isatty():
        command = f"indexfallback env --shell {shell}{' --undo' if undo else ''}"
        note(
            "nothing has changed yet: evaluate the statements with",
            EVALUATED[shell].format(command=command),
        )
