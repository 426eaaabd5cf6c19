"""``cache disown``: forgets the owner of one project, or all that one index owns."""

import sys
from pathlib import Path

import click

from indexfallback.chain.explain import claim
from indexfallback.cli.forget import confirm, explain_owners, owners_of, record_disowned
from indexfallback.cli.opening import open_store
from indexfallback.cli.options import Options, examples, json_option, project_name, takes_options
from indexfallback.cli.output import clock, print_json, say, say_more, tell
from indexfallback.config import Settings
from indexfallback.config.address import parse_address
from indexfallback.config.units import InvalidValueError
from indexfallback.store import Store, maintenance
from indexfallback.store.events import local_actor
from indexfallback.store.ownership import OwnedName
from indexfallback.words import counted, shortened

#: Names of an index that a preview shows.
_SHOWN = 10


@click.command(
    epilog=examples("indexfallback cache disown PROJECT", "indexfallback cache disown --all INDEX")
)
@click.argument("project", type=project_name, required=False)
@click.option(
    "--all",
    "index",
    metavar="INDEX",
    help="Everything that this index owns; an index that is not configured is named by its URL.",
)
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
@takes_options
def disown(
    options: Options, project: str | None, index: str | None, yes: bool, as_json: bool
) -> None:
    """Forget the owner of PROJECT. Another index can then own it.

    With --all, forgets names and pages of an index that was set up wrongly.
    """
    if (project is None) == (index is None):
        raise click.UsageError("name a project, or give --all INDEX")
    settings = options.settings()
    with open_store(settings, shares=True) as store:
        if project is not None:
            done = _disown_project(settings, store, project, yes=yes, as_json=as_json)
        else:
            done = _disown_index(settings, store, str(index), yes=yes, as_json=as_json)
    sys.exit(0 if done else 1)


def _disown_project(
    settings: Settings, store: Store, project: str, *, yes: bool, as_json: bool
) -> bool:
    private = [index for index in settings.indexes if index.is_private]
    owners = owners_of(settings, store, project)
    if owners and not as_json:
        explain_owners(settings, project, owners)
    if owners and not yes:
        confirm("Let another index own it?", f"{project} has an owner", as_json=as_json)
    if owners:
        record_disowned(settings, store, project, owners)
    disowned = maintenance.disown(store, project, [index.key for index in private])
    claiming = {index.name: claim(index, project) for index in private if index.claims(project)}
    if as_json:
        print_json({"project": project, **disowned._asdict(), "claimed_by": list(claiming)})
    elif any(disowned):
        removed = f"{counted(disowned.owners, 'owner')}, {counted(disowned.pages, 'page')}"
        tell(f"Removed of {project}: {removed}")
    else:
        say(f"no private index is known to own {project}")
    for name, setting in claiming.items():
        say(f"{name} still claims {project}: remove it from {setting} of {name}")
    return any(disowned)


def _disown_index(
    settings: Settings, store: Store, index: str, *, yes: bool, as_json: bool
) -> bool:
    source = _source(settings, index)
    # An address that was typed may contain a password.
    index = next((each.name for each in settings.indexes if each.key == source), source)
    if store.shared is not None:
        store.shared.learn()
    names = store.ledger.owned(source)
    if names and not as_json:
        _preview(index, names)
    if names and not yes:
        confirm(
            "Let other indexes own them?",
            f"{index} owns {counted(len(names), 'name')}",
            as_json=as_json,
        )
    if names:  # recorded first, as by `record_disowned`
        store.hosting.events.record(
            "disowned", "", "", index=index, actor=local_actor(), detail=counted(len(names), "name")
        )
    disowned = maintenance.disown_all(store, source)
    if as_json:
        first = [seen.project for seen in names[:_SHOWN]]
        report = {"index": index, "address": source, "first": first, "since": _since(names)}
        print_json({**report, **disowned._asdict()})
    elif any(disowned):
        removed = f"{counted(disowned.names, 'name')}, {counted(disowned.pages, 'page')}"
        tell(f"Removed of {index}: {removed}")
    else:
        say(f"{index} is known to own nothing")
    return any(disowned)


def _source(settings: Settings, index: str) -> str:
    """Return the address that an index's records are under."""
    configured = settings.index(index)
    if configured is not None:
        return configured.key
    if "://" not in index:
        names = ", ".join(each.name for each in settings.indexes if each.is_private) or "none"
        raise click.BadParameter(
            f'no index is named "{index}"; private indexes: {names}. Of an index that is not '
            "configured any more, give the address",
            param_hint="--all",
        )
    try:
        return parse_address(index, Path()).url
    except InvalidValueError as error:
        raise click.BadParameter(f"it {error}", param_hint="--all") from error


def _since(names: list[OwnedName]) -> float | None:
    """Return when the first of the names was known."""
    times = [when for seen in names for when in (seen.listed, seen.served) if when is not None]
    return min(times, default=None)


def _preview(index: str, names: list[OwnedName]) -> None:
    """Print what an index owns, and the consequence of forgetting it."""
    shown = shortened([seen.project for seen in names], _SHOWN)
    since = _since(names)
    known = f" (known since {clock(since)})" if since is not None else ""
    say(f"{index} owns {counted(len(names), 'name')}{known}: {shown}.")
    say_more(
        "Without these records, a public index may serve projects of these names, "
        f"until {index} lists or serves them again. Correct its configuration first, or remove it: "
        "only, defer_copies and role decide what it may own."
    )
