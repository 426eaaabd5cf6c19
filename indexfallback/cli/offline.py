"""``offline``: whether indexes are asked at all, from now on, in every shim of this user."""

import click

from indexfallback.chain.network import Network, mode_file
from indexfallback.cli.options import Options, examples, takes_options
from indexfallback.cli.output import print_json, wrapped
from indexfallback.clients import files
from indexfallback.errors import StoreError
from indexfallback.mode import Cause, Mode, OfflineState

_MEANINGS = {
    Mode.ON: "no index is asked; pages list what is in the cache",
    Mode.OFF: "every index is asked, and pages list everything, network or not",
    Mode.AUTO: "indexes are asked as long as there is a network",
}


@click.command(
    epilog=examples(
        "indexfallback offline", "indexfallback offline on", "indexfallback why PROJECT"
    )
)
@click.argument("mode", type=click.Choice([mode.value for mode in Mode]), required=False)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@takes_options
def offline(options: Options, mode: str | None, as_json: bool) -> None:
    """Say whether indexes are asked; or set it, for every shim of yours, also those that run.

    It holds until it is set again. --offline and INDEXFALLBACK_OFFLINE=1 are stronger, for one
    process.
    """
    settings = options.settings()
    if mode is not None:
        _set(Mode(mode))
    state = Network(settings).offline_state
    if as_json:
        print_json(_as_data(state))
    else:
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
            f"what you have said cannot be kept ({error.strerror})",
            "make it yours to write, or set INDEXFALLBACK_OFFLINE=1 for a command",
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
    if state.ordered is Cause.OPTION:
        lines.append("Here --offline is on, which is stronger")
    elif state.is_cut:
        lines.append("There is none now: what is in the cache is served")
    return lines
