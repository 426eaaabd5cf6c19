"""``serve``: runs the shim in the foreground."""

import json
import os
import sys
from functools import partial

import click

from indexfallback import __version__
from indexfallback.cli.chain import is_from_pip, print_chain
from indexfallback.cli.options import Options, examples, takes_options
from indexfallback.cli.output import set_up_logging, tilde, wrapped
from indexfallback.config import Settings
from indexfallback.config.units import format_size
from indexfallback.config.wire import decode_settings
from indexfallback.server.address import (
    AlreadyServedError,
    Port,
    PortRefusedError,
    PortTakenError,
    take_port,
)
from indexfallback.store.secret import Secret, user_secret


@click.command(epilog=examples("indexfallback serve", "indexfallback serve --port 8080 -v"))
@click.option("--port", type=click.IntRange(0, 65535), help="Port; 0 for any free one.")
@click.option("--json", "as_json", is_flag=True, help="Print the address as JSON, on one line.")
@click.option(
    "--stop-at-eof", is_flag=True, help="Stop when standard input ends, as the parent process does."
)
@click.option("--settings-from-stdin", is_flag=True, hidden=True)
@takes_options
def serve(
    options: Options,
    port: int | None,
    as_json: bool,
    stop_at_eof: bool,
    settings_from_stdin: bool,
) -> None:
    """Serve the index until Ctrl-C."""
    from indexfallback.server.process import run_server  # noqa: PLC0415 - the server's library

    if settings_from_stdin:
        settings = decode_settings(sys.stdin.buffer.readline())
        secret = Secret(bytes.fromhex(sys.stdin.buffer.readline().decode()))
    else:
        settings, secret = options.settings(), user_secret()
    try:
        taken = _take_port(settings, settings.port if port is None else port)
    except AlreadyServedError as error:
        _announce_running(error, as_json=as_json)
        return
    # All state changes are logged for a user, only failures for a parent process.
    set_up_logging(options.verbose + (not stop_at_eof))
    try:
        run_server(
            settings,
            taken,
            secret,
            started=partial(_announce, settings, taken, as_json=as_json),
            stop_at_eof=stop_at_eof,
        )
    finally:  # also if it is refused to serve
        taken.release()


def _take_port(settings: Settings, number: int) -> Port:
    take = partial(
        take_port,
        settings.host,
        identity=settings.identity,
        tls=settings.tls_cert is not None,
    )
    try:
        return take(number)
    except (AlreadyServedError, PortTakenError, PortRefusedError):
        if not settings.for_one_command:
            raise
    # Its parent process reads which port it has, and another command's shim may end earlier.
    return take(0)


def _announce_running(error: AlreadyServedError, *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps({"url": error.url, "pid": error.pid, "started": False}))
    else:
        click.echo(f"indexfallback: {error}")


def _announce(settings: Settings, port: Port, *, as_json: bool) -> None:
    url = f"{port.url}/simple/"
    if as_json:
        click.echo(json.dumps({"url": url, "pid": os.getpid(), "started": True}))
        return
    limit = format_size(settings.cache_size)
    click.echo(f"indexfallback {__version__} on {url}")
    click.echo(wrapped(f"cache: {tilde(settings.cache_dir)} (at most {limit})"))
    if settings.private:
        why = settings.origins.get("server.private", "").removeprefix("default: ")
        click.echo(wrapped(f"clients need your token, as `indexfallback setup` writes it ({why})"))
    if is_from_pip(settings):
        click.echo("no configuration yet, using pip's:")
    print_chain(settings)
    click.echo("Point pip at it: `indexfallback setup pip`. Stop: Ctrl-C")
