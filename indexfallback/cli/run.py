"""``run``: runs a command with a shim, and reports what the shim did for it."""

import os
import shutil
import sys
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager

import click

from indexfallback.cli.chain import is_from_pip, print_chain
from indexfallback.cli.child import NOT_FOUND, run_child
from indexfallback.cli.options import Options, examples, takes_options
from indexfallback.cli.output import say
from indexfallback.cli.run_report import report_activity, report_tunnel, report_written
from indexfallback.clients.environment import client_environment, without_activation
from indexfallback.clients.outer_run import is_inside_run
from indexfallback.clients.pointed import is_pointed_at
from indexfallback.clients.shim_process import origins_of, shim_for
from indexfallback.clients.tunnel_process import TunnelProcess, tunnel_process
from indexfallback.config import Settings

#: pip's own look for a newer pip is no part of the command: if it fails, nobody wants to know.
_QUIET_PIP = {"PIP_DISABLE_PIP_VERSION_CHECK": "1"}


@click.command(
    context_settings={"allow_interspersed_args": False},
    epilog=examples(
        "indexfallback run -- pip install PROJECT",
        "indexfallback --offline run -- uv sync",
        "indexfallback run --address -- ./script-with-its-own-certificates",
    ),
)
@click.option(
    "--address", is_flag=True,
    help="Set variables with the local index's address, for programs that heed no proxy or trust "
    "no certificate but their own. Lock files then hold that address.",
)  # fmt: skip
@takes_options
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
def run(options: Options, command: tuple[str, ...], address: bool) -> None:
    """Run COMMAND; its package clients use the chain, and no file has another address."""
    is_inside = not address and not options.choose_chain and is_inside_run(os.environ)
    settings = None if is_inside else options.settings()
    if shutil.which(command[0]) is None:
        say(f"{command[0]}: no such command")
        sys.exit(NOT_FOUND)
    if settings is None:
        sys.exit(run_child(command, dict(os.environ)))  # the outer one reports
    if not options.quiet and is_from_pip(settings):
        say("no configuration yet, using pip's")
        print_chain(settings, err=True)
    began = time.time()
    own_port = address or is_pointed_at(settings, without_activation(os.environ))
    shim = shim_for(settings, verbose=options.verbose, on_own_port=own_port)
    if address:
        code = _by_address(settings, command, shim, began, quiet=options.quiet)
    else:
        # Its libraries are loaded while the shim starts.
        process = tunnel_process(verbose=options.verbose)
        code = _by_tunnel(settings, command, process, shim, began, quiet=options.quiet)
    sys.exit(code)


def _by_tunnel(
    settings: Settings,
    command: Sequence[str],
    starting: AbstractContextManager[TunnelProcess],
    shim: AbstractContextManager[str],
    began: float,
    *,
    quiet: bool,
) -> int:
    """Run a command that keeps its indexes' addresses; return its exit code."""
    environ = {**_QUIET_PIP, **without_activation(os.environ)}
    with starting as process, shim as url:
        tunnel = process.open(url, origins_of(url))
        code = run_child(command, tunnel.environment(environ))
        report_activity(settings, url, began, failed=code != 0, quiet=quiet)
        report_tunnel(tunnel, command, began, quiet=quiet)
    return code


def _by_address(
    settings: Settings,
    command: Sequence[str],
    shim: AbstractContextManager[str],
    began: float,
    *,
    quiet: bool,
) -> int:
    """Run a command whose clients are given the shim's address; return its exit code."""
    with shim as url:
        code = run_child(command, client_environment({**_QUIET_PIP, **os.environ}, url))
        report_activity(settings, url, began, failed=code != 0, quiet=quiet)
        report_written(url, began)
    return code
