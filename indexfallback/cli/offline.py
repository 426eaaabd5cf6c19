"""``offline``: shows and sets the offline mode of all shims of this user."""

import click

from indexfallback.chain.network import Network, mode_file
from indexfallback.cli.options import Options, examples, json_option, takes_options
from indexfallback.cli.output import print_json, wrapped
from indexfallback.clients import files
from indexfallback.errors import StoreError
from indexfallback.mode import Cause, Mode, OfflineState

_MEANINGS = {
    Mode.ON: "no index is asked; pages list only cached files",
    Mode.OFF: "indexes are asked, even without a network",
    Mode.AUTO: "indexes are asked if there is a network",
}


@click.command(
    epilog=examples(
        "indexfallback offline", "indexfallback offline on", "indexfallback why PROJECT"
    )
)
@click.argument("mode", type=click.Choice([mode.value for mode in Mode]), required=False)
@json_option
@takes_options
def offline(options: Options, mode: str | None, as_json: bool) -> None:
    """Show or set the offline mode.

    The mode applies to all your shims, including running ones, until it is set again. --offline
    and INDEXFALLBACK_OFFLINE=1 override it for one process.
    """
    settings = options.settings()
    if mode is not None:
        _set(Mode(mode))
    state = Network(settings).offline_state
    if as_json:
        print_json(_as_data(state))
    elif mode is None or not options.quiet:
        for line in _lines(state):
            click.echo(wrapped(line, ""))


def _set(mode: Mode) -> None:
    file = mode_file()
    try:
        if mode is Mode.AUTO:
            file.unlink(missing_ok=True)
        else:
            files.write(file, f"{mode.value}\n", mode=0o600)
    except OSError as error:
        raise StoreError(
            str(file),
            f"the offline mode cannot be saved ({error.strerror})",
            "make it a file that you can write, or set INDEXFALLBACK_OFFLINE=1 for a command",
        ) from error


def _as_data(state: OfflineState) -> dict[str, object]:
    cause = state.presumed
    return {
        "offline_mode": state.mode.value,
        "offline": cause is not None,
        "offline_by": cause.value if cause is not None else None,
        "file": str(mode_file()),
    }


def _lines(state: OfflineState) -> list[str]:
    lines = [f"{state.mode.value}: {_MEANINGS[state.mode]}"]
    if state.requested is Cause.OPTION:
        lines.append("The option --offline overrides it here")
    elif state.has_no_route:
        lines.append("There is no network now: only cached files are served")
    return lines
