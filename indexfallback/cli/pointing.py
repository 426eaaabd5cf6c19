"""Points clients at the shim in their per-user files, and undoes that."""

import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import click

from indexfallback.cli import running
from indexfallback.cli.chain import is_from_pip
from indexfallback.cli.options import Options
from indexfallback.cli.output import is_quiet, say, say_more, tell, tilde
from indexfallback.clients import change, files, machine, record, takeover
from indexfallback.clients.catalogue import CLIENTS, Client
from indexfallback.clients.change import Change, Edit
from indexfallback.clients.environment import without_activation
from indexfallback.config import Index, Settings, without_credentials
from indexfallback.config.address import is_at
from indexfallback.config.load import config_path, pip_chain
from indexfallback.errors import LocatedError
from indexfallback.server.asking import Kind


class PortHeldError(LocatedError):
    """Another program has the port of the shim; ``where`` is its address."""


@dataclass(frozen=True)
class Takeover:
    """The change to our configuration file that adds pip's indexes."""

    file: Path
    before: str
    after: str
    #: The indexes that are added.
    indexes: tuple[Index, ...]

    @property
    def is_needed(self) -> bool:
        """Whether the file would change."""
        return self.before != self.after


def installed() -> list[str]:
    """Return the clients that are installed."""
    return [
        client.name for client in CLIENTS.values() if any(map(shutil.which, client.executables))
    ]


def set_up(
    options: Options, names: Sequence[str], *, dry_run: bool = False
) -> list[dict[str, Any]]:
    """Set clients up, except those with obstacles; return the result of each.

    Raises `PortHeldError`, before anything is written, if another program has the port.
    """
    settings = permanent_settings(options)
    there = running.found(settings)
    if there is not None and there.kind is not Kind.OWN and not dry_run:
        file = tilde(config_path(options.config))
        raise PortHeldError(
            running.root(settings),
            f"{there.kind.value} has the port, so that clients would not find the local index",
            f"`indexfallback init` proposes a free one; or set [server] port in {file}",
        )
    here = machine.this_machine()
    url = running.client_address(settings)
    is_shim = partial(is_at, host=settings.host, port=settings.port)
    taken = _takeover(options, settings) if "pip" in names else None
    known = {index.url for index in (*settings.indexes, *(taken.indexes if taken else ()))}
    results = []
    for name in names:
        client = CLIENTS[name]
        try:
            planned = change.planned(client, here, url, is_shim, known)
            ours = taken if name == "pip" else None
            results.append(_carry_out(planned, ours, dry_run=dry_run))
        except machine.ClientFileError as error:  # the other clients are still set up
            results.append({**_nothing(client), "refused": [str(error)]})
    if results and there is None:
        results[-1]["notes"].append(_not_running(running.address(settings)))
    return results


def permanent_settings(options: Options) -> Settings:
    """Return the settings; refuse ``--index``, which would not apply to the clients later."""
    if options.indexes:
        raise click.UsageError(
            "--index is for one command only; write the index into the configuration file"
        )
    return options.settings()


def _carry_out(planned: Change, taken: Takeover | None, *, dry_run: bool) -> dict[str, Any]:
    note = planned.client.note
    result = {
        **_result(planned.client, planned),
        "refused": [str(obstacle) for obstacle in planned.obstacles],
        "notes": [note] if note and not planned.obstacles else [],
    }
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


def pointed_clients(settings: Settings) -> list[str]:
    """Return the clients whose file has the address of the shim."""
    here = machine.this_machine()
    is_shim = partial(is_at, host=settings.host, port=settings.port)
    return [
        client.name
        for client in CLIENTS.values()
        if any(is_shim(index.url) for index in client.indexes(machine.read(client.file(here))))
    ]


def undo_set_up(options: Options, name: str, *, dry_run: bool = False) -> dict[str, Any]:
    """Restore a client's file as it was before its set-up; return the result."""
    client = CLIENTS[name]
    planned = change.planned_undo(name)
    if planned is None:
        note = f"{name} was not set up by this command: there is nothing to undo."
        return {**_nothing(client), "notes": [note]}
    result = {**_result(client, planned), "notes": []}
    if not dry_run:
        change.apply_undo(planned)
        result["changed"] = planned.is_needed
        result["removed"] = planned.is_needed and not planned.file.exists()
    own = config_path(options.config)
    if name == "pip" and planned.is_needed and own.exists():
        note = f"The chain stays in {tilde(own)}, which replaces pip's indexes."
        result["notes"].append(note)
    return result


def _result(client: Client, edit: Edit) -> dict[str, Any]:
    return {
        **_nothing(client),
        "file": str(edit.file),
        "diff": edit.diff,
        "left": list(edit.left),
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
    """Print the result of each client."""
    for result in results:
        if result["refused"]:
            say(f"{result['client']} is not set up:")
            for reason in result["refused"]:
                say_more(reason)
            continue
        if dry_run or not is_quiet():
            click.echo(_outcome(result, dry_run=dry_run))
        if result["configuration"] and not dry_run:
            tell(f"{result['client']}: its indexes are now in {tilde(result['configuration'])}")
        if result["backup"] and not is_quiet():
            say_more(f"The original file is saved as {tilde(result['backup'])}.")
        for label in result["left"]:
            say_more(f"{label} was changed since then: it is not restored.")
        for remark in () if is_quiet() else result["notes"]:
            say_more(remark)


def _outcome(result: dict[str, Any], *, dry_run: bool) -> str:
    client, file = result["client"], tilde(result["file"])
    if dry_run and result["diff"]:
        return str(result["diff"])
    if not result["changed"]:
        return f"{client}: nothing to do in {file}"
    return f"{client}: removed {file}" if result["removed"] else f"{client}: wrote {file}"


def _takeover(options: Options, settings: Settings) -> Takeover:
    """Return the change that adds pip's indexes to the chain, since pip will ask only the shim."""
    file = config_path(options.config)
    before = machine.read(file)
    kept = record.load("pip")
    found = pip_chain(without_activation(os.environ), host=settings.host, port=settings.port)
    indexes = tuple(
        index
        for index in found.indexes
        # The previous address of the shim is no index.
        if kept is None or index.url != without_credentials(kept.url)
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


def _not_running(url: str) -> str:
    return (
        f"No local index runs at {url} now, so pip waits 7.5 s for each project and does not find "
        "it. Start it: `indexfallback serve`; at each login: `indexfallback service install`."
    )
