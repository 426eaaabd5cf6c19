"""``completion``: what makes a shell complete our commands and options."""

import click
from click.shell_completion import get_completion_class

from indexfallback.cli.options import Options, examples, takes_options

_SHELLS = ("bash", "zsh", "fish")


@click.command(
    epilog=examples(
        'eval "$(indexfallback completion bash)"',
        'eval "$(indexfallback completion zsh)"',
        "indexfallback completion fish | source",
    )
)
@click.argument("shell", type=click.Choice(_SHELLS))
@takes_options
def completion(options: Options, shell: str) -> None:  # noqa: ARG001 - every command takes them
    """Print what makes SHELL complete commands and options."""
    root = click.get_current_context().find_root()
    made = get_completion_class(shell)
    name = root.info_name or ""
    if made is not None:  # each of them has one
        click.echo(made(root.command, {}, name, f"_{name.upper()}_COMPLETE").source())
