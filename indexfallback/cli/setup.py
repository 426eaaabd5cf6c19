"""``setup``: points clients at the shim in their per-user files, and undoes that."""

from collections.abc import Sequence

import click

from indexfallback.cli.options import Options, examples, json_option, takes_options
from indexfallback.cli.output import print_json
from indexfallback.cli.pointing import installed, print_results, set_up, undo_set_up
from indexfallback.clients import record
from indexfallback.clients.catalogue import CLIENTS, INSTALLERS, NAMES


@click.command(
    epilog=examples("indexfallback setup pip --dry-run", "indexfallback setup --all --undo")
)
@click.argument("clients", nargs=-1, metavar="[CLIENT]...", type=click.Choice(NAMES))
@click.option("--all", "every", is_flag=True, help="Every client that is installed.")
@click.option("--dry-run", is_flag=True, help="Print the changes without making them.")
@click.option("--undo", is_flag=True, help="Restore the previous settings.")
@json_option
@takes_options
def setup(
    options: Options,
    *,
    clients: tuple[str, ...],
    every: bool,
    dry_run: bool,
    undo: bool,
    as_json: bool,
) -> None:
    """Point clients at the local index, or undo that.

    Changes their per-user files. Clients: pip, uv, poetry, pdm, pipenv, hatch, buildout.
    """
    if bool(clients) == every:
        raise click.UsageError("name the clients, or give --all")
    names = _set_up_before() if every and undo else installed() if every else _expanded(clients)
    if undo:
        results = [undo_set_up(options, name, dry_run=dry_run) for name in names]
    else:
        results = set_up(options, names, dry_run=dry_run)
    if as_json:
        print_json({"clients": results})
    else:
        print_results(results, dry_run=dry_run)
    if any(result["refused"] or result["left"] for result in results):
        raise SystemExit(1)


def _expanded(clients: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(each for name in clients for each in INSTALLERS.get(name, (name,))))


def _set_up_before() -> list[str]:
    return [name for name in CLIENTS if record.load(name) is not None]
