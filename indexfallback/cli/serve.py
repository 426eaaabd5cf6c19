"""``serve``: runs the shim, in the foreground or in the background."""

import os
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

import click

from indexfallback import __version__
from indexfallback.cli import background
from indexfallback.cli.chain import is_from_pip, print_chain
from indexfallback.cli.logs import log_to_file, set_up_logging
from indexfallback.cli.options import Options, examples, takes_options
from indexfallback.cli.output import is_quiet, note, print_json, tell, tilde
from indexfallback.cli.running import address, no_shim
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
@click.option(
    "--background", "way", flag_value="background",
    help="Start it as a process of its own, and return when it answers.",
)  # fmt: skip
@click.option("--stop", "way", flag_value="stop", help="End the shim that runs on the port.")
@click.option("--restart", "way", flag_value="restart", help="The same, and start it again.")
@click.option("--settings-from-stdin", is_flag=True, hidden=True)
@click.option("--log-file", type=click.Path(path_type=Path), hidden=True)
@takes_options
def serve(
    options: Options,
    *,
    port: int | None,
    as_json: bool,
    stop_at_eof: bool,
    way: str | None,
    settings_from_stdin: bool,
    log_file: Path | None,
) -> None:
    """Serve the index until Ctrl-C, or in the background until --stop."""
    if way is not None:
        _beside(options, way, port, as_json=as_json)
        return
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
    verbose = options.verbose + (not stop_at_eof and not options.quiet)
    if log_file is not None:
        log_to_file(log_file, verbose)
    else:
        set_up_logging(verbose)
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


def _beside(options: Options, way: str, port: int | None, *, as_json: bool) -> None:
    """Start, stop or restart a shim in the background."""
    if port == 0:
        raise click.UsageError("a shim in the background needs a port that is known")
    settings = options.settings()
    if port is not None:
        settings = replace(settings, port=port)
    if way != "background":
        ended = background.stop(settings)
        said = no_shim(settings, None) if ended is None else f"stopped (process {ended})"
        if way == "stop":
            if as_json:
                print_json({"stopped": ended is not None, "pid": ended})
            else:
                note(said)
            return
    try:
        pid = background.start(
            [*options.as_arguments(), "serve", "--port", str(settings.port)], settings
        )
    except AlreadyServedError as error:
        _announce_running(error, as_json=as_json)
        return
    url, log = address(settings), background.log_file(settings.port)
    if as_json:
        print_json({"url": url, "pid": pid, "started": True, "log": str(log)}, one_line=True)
        return
    tell(f"indexfallback {__version__} on {url}, in the background (process {pid})")
    tell(f"log: {tilde(log)}")
    tell("Point pip at it: `indexfallback setup pip`. Stop: `indexfallback serve --stop`")


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
        print_json({"url": error.url, "pid": error.pid, "started": False}, one_line=True)
    else:
        tell(f"indexfallback: {error}")


def _announce(settings: Settings, port: Port, *, as_json: bool) -> None:
    url = f"{port.url}/simple/"
    if as_json:
        print_json({"url": url, "pid": os.getpid(), "started": True}, one_line=True)
        return
    if is_quiet():
        return
    limit = format_size(settings.cache_size)
    tell(f"indexfallback {__version__} on {url}")
    tell(f"cache: {tilde(settings.cache_dir)} (at most {limit})", "  ")
    if settings.private:
        why = settings.origins.get("server.private", "").removeprefix("default: ")
        tell(f"clients need your token, as `indexfallback setup` writes it ({why})", "  ")
    if is_from_pip(settings):
        tell("no configuration yet, using pip's:")
    print_chain(settings)
    tell("Point pip at it: `indexfallback setup pip`. Stop: Ctrl-C")
