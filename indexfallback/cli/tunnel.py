"""``tunnel``: the process of a tunnel, which ``run`` starts; not for users."""

import sys

import click

from indexfallback.cli.logs import set_up_logging
from indexfallback.cli.options import Options, takes_options


@click.command(hidden=True)
@takes_options
def tunnel(options: Options) -> None:
    """Serve a tunnel as standard input says, until it ends."""
    from indexfallback.tunnel.process import run_tunnel  # noqa: PLC0415 - `cryptography` is slow

    set_up_logging(options.verbose)
    run_tunnel(sys.stdin.buffer, sys.stdout.buffer)
