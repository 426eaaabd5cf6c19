"""``indexfallback setup``: point a client at the shim in its own file, and take that back."""

import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from indexfallback.cli import running
from indexfallback.cli.chain import is_from_pip
from indexfallback.cli.options import Options, examples, takes_options
from indexfallback.cli.output import print_json, say, say_more, tilde
from indexfallback.clients import change, files, machine, record, takeover
from indexfallback.clients.catalogue import CLIENTS, INSTALLERS, NAMES, Client
from indexfallback.clients.change import Change
from indexfallback.clients.environment import without_activation
from indexfallback.config import Index, Settings
from indexfallback.config.address import is_at
from indexfallback.config.load import config_path, pip_chain


@dataclass(frozen=True)
class Takeover:
    """What pip's indexes make of our own configuration file."""

    file: Path
    before: str
    after: str
    #: Those that come into it.
    indexes: tuple[Index, ...]

    @property
    def is_needed(self) -> bool:
        """Whether the file would be another one."""
        return self.before != self.after


@click.command(
    epilog=examples("indexfallback setup pip --dry-run", "indexfallback setup --all --undo")
)
@click.argument("clients", nargs=-1, metavar="[CLIENT]...", type=click.Choice(NAMES))
@click.option("--all", "every", is_flag=True, help="Every client that is installed.")
@click.option("--dry-run", is_flag=True, help="Print what would be changed; change nothing.")
@click.option("--undo", is_flag=True, help="Put back what was there before.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
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
    """Point clients at the local index, each in its per-user file, or take that back.

    Clients: pip, uv, poetry, pdm, pipenv, hatch, buildout.
    """
    if bool(clients) == every:
        raise click.UsageError("name the clients, or give --all")
    names = _set_up_before() if every and undo else installed() if every else _expanded(clients)
    if undo:
        results = [_undo(options, name, dry_run=dry_run) for name in names]
    else:
        results = set_up(options, names, dry_run=dry_run)
    if as_json:
        print_json({"clients": results})
    else:
        print_results(results, dry_run=dry_run)
    if any(result["refused"] or result["left"] for result in results):
        raise SystemExit(1)


def installed() -> list[str]:
    """Return the clients that are installed."""
    return [
        client.name for client in CLIENTS.values() if any(map(shutil.which, client.executables))
    ]


def set_up(
    options: Options, names: Sequence[str], *, dry_run: bool = False
) -> list[dict[str, Any]]:
    """Set clients up, each unless something is in the way; return what became of each."""
    settings = own_settings(options)
    here = machine.this_machine()
    url = running.address(settings)
    taken = _takeover(options, settings) if "pip" in names else None
    known = {index.url for index in (*settings.indexes, *(taken.indexes if taken else ()))}
    results = []
    for name in names:
        client = CLIENTS[name]
        try:
            planned = change.planned(client, here, url, _own(settings), known)
            ours = taken if name == "pip" else None
            results.append(_carry_out(planned, ours, dry_run=dry_run))
        except machine.ClientFileError as error:  # no reason not to set up the others
            results.append({**_nothing(client), "refused": [str(error)]})
    if results and running.health(settings) is None:
        results[-1]["notes"].append(_not_running(url))
    return results


def own_settings(options: Options) -> Settings:
    """Return the settings for good: ``--index`` is for one call, and no client could follow it."""
    if options.indexes:
        raise click.UsageError("--index is for one call; `indexfallback config path` is for good")
    return options.settings()


def _carry_out(planned: Change, taken: Takeover | None, *, dry_run: bool) -> dict[str, Any]:
    result = _result(planned)
    if planned.obstacles:
        return result
    if taken is not None and taken.is_needed:
        result["configuration"] = str(taken.file)
        ours = change.diff_of(taken.file, taken.before, taken.after)
        result["diff"] = "\n".join(filter(None, (ours, result["diff"])))
    if dry_run:
        return result
    if taken is not None and taken.is_needed:
        files.write_configuration(taken.file, taken.after)
    if planned.is_needed:
        change.apply(planned)
        result["changed"] = True
        if planned.record.existed:
            result["backup"] = str(record.backup_path(planned.client.name))
    return result


def _undo(options: Options, name: str, *, dry_run: bool) -> dict[str, Any]:
    client = CLIENTS[name]
    planned = change.planned_undo(client, machine.this_machine())
    if planned is None:
        note = f"{name} was not set up from here: there is nothing to undo."
        return {**_nothing(client), "notes": [note]}
    result = {**_result(planned), "notes": []}
    if not dry_run:
        change.apply_undo(planned)
        result["changed"] = planned.is_needed
        result["removed"] = planned.is_needed and not planned.file.exists()
    own = config_path(options.config)
    if name == "pip" and planned.is_needed and own.exists():
        note = f"The chain stays in {tilde(own)}: while it is there, pip's indexes are not read."
        result["notes"].append(note)
    return result


def _result(planned: Change) -> dict[str, Any]:
    note = planned.client.note
    return {
        **_nothing(planned.client),
        "file": str(planned.file),
        "diff": planned.diff,
        "refused": [str(obstacle) for obstacle in planned.obstacles],
        "left": list(planned.left),
        "notes": [note] if note and not planned.obstacles else [],
    }


def _nothing(client: Client) -> dict[str, Any]:
    return {
        "client": client.name,
        "file": str(client.file(machine.this_machine())),
        "diff": "",
        "changed": False,
        "removed": False,
        "refused": [],
        "left": [],
        "backup": None,
        "configuration": None,
        "notes": [],
    }


def print_results(results: Sequence[dict[str, Any]], *, dry_run: bool) -> None:
    """Print what became of each client, for people."""
    for result in results:
        if result["refused"]:
            say(f"{result['client']} is not set up:")
            for reason in result["refused"]:
                say_more(reason)
            continue
        click.echo(_outcome(result, dry_run=dry_run))
        if result["configuration"] and not dry_run:
            file = tilde(result["configuration"])
            click.echo(f"{result['client']}: its indexes are now in {file}")
        if result["backup"]:
            say_more(f"The file as it was is kept in {tilde(result['backup'])}.")
        for label in result["left"]:
            say_more(f"{label} was changed since: it is left as it is.")
        for note in result["notes"]:
            say_more(note)


def _outcome(result: dict[str, Any], *, dry_run: bool) -> str:
    client, file = result["client"], tilde(result["file"])
    if dry_run and result["diff"]:
        return str(result["diff"])
    if not result["changed"]:
        return f"{client}: nothing to do in {file}"
    return f"{client}: removed {file}" if result["removed"] else f"{client}: wrote {file}"


def _takeover(options: Options, settings: Settings) -> Takeover:
    """Return what pip's indexes, which pip will not ask itself any more, make of our file."""
    file = config_path(options.config)
    before = machine.read(file)
    kept = record.load("pip")
    found = pip_chain(without_activation(os.environ), host=settings.host, port=settings.port)
    indexes = tuple(
        index
        for index in found.indexes
        if kept is None or index.url != kept.url  # the shim's own address until now
    )
    if not is_from_pip(settings):
        new = takeover.missing(indexes, settings.indexes)
        after = takeover.with_credentials(before, indexes, settings.indexes)
        after = takeover.with_indexes(after, takeover.renamed(new, settings.indexes))
        return Takeover(file, before, after, tuple(new))
    if {found.origins[f"index.{index.name}.url"] for index in indexes} <= {"pip: default"}:
        return Takeover(file, before, before, ())
    after = takeover.with_indexes(before, takeover.renamed(indexes, ()))
    return Takeover(file, before, after, indexes)


def _own(settings: Settings) -> Any:
    return lambda url: is_at(url, settings.host, settings.port)


def _expanded(clients: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(each for name in clients for each in INSTALLERS.get(name, (name,))))


def _set_up_before() -> list[str]:
    return [name for name in CLIENTS if record.load(name) is not None]


def _not_running(url: str) -> str:
    return (
        f"No local index answers at {url} now. Until it does, pip waits 7.5 s for each project and "
        "then finds none. Start it: `indexfallback serve`; at each login: "
        "`indexfallback service install`."
    )
