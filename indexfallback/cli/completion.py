"""``completion``: the script that lets a shell complete our commands and options."""

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
    """Print a script that completes commands in SHELL."""
    root = click.get_current_context().find_root()
    script = get_completion_class(shell)
    name = root.info_name or ""
    if script is not None:  # click supports all of them
        click.echo(script(root.command, {}, name, f"_{name.upper()}_COMPLETE").source())
