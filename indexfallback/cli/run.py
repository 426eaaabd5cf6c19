"""``run``: runs a command with a shim, and reports what the shim did for it."""

import os
import shutil
import sys
import time

import click

from indexfallback.cli.chain import is_from_pip, print_chain
from indexfallback.cli.child import NOT_FOUND, run_child
from indexfallback.cli.options import Options, examples, takes_options
from indexfallback.cli.output import say
from indexfallback.cli.run_report import report_activity, report_written
from indexfallback.clients.environment import client_environment
from indexfallback.clients.shim_process import shim_for


@click.command(
    context_settings={"allow_interspersed_args": False},
    epilog=examples(
        "indexfallback run -- pip install PROJECT",
        "indexfallback --offline run -- uv sync",
        "indexfallback run --address -- pip download PROJECT",
    ),
)
@click.option("-q", "--quiet", is_flag=True, help="Print only errors.")
@click.option(
    "--address", is_flag=True,
    help="Set variables with the local index's address, for programs that heed no proxy.",
)  # fmt: skip
@takes_options
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
def run(options: Options, command: tuple[str, ...], address: bool, quiet: bool) -> None:
    """Run COMMAND; all package clients in it use the chain."""
    settings = options.settings()
    if shutil.which(command[0]) is None:
        say(f"{command[0]}: no such command")
        sys.exit(NOT_FOUND)
    if not quiet and is_from_pip(settings):
        say("no configuration yet, using pip's")
        print_chain(settings, err=True)
    began = time.time()
    with shim_for(settings, verbose=options.verbose, on_own_port=address) as url:
        code = run_child(command, client_environment(os.environ, url))
        report_activity(url, began, failed=code != 0, quiet=quiet)
        if address:
            report_written(url, began)
    sys.exit(code)
