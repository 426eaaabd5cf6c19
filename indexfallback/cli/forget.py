"""``cache remove``, and ``accept`` of a changed file: remove files and records of one project."""

import sys
from collections.abc import Mapping

import click

from indexfallback.cli.opening import open_store
from indexfallback.cli.options import Options, examples, json_option, project_name, takes_options
from indexfallback.cli.output import clock, print_json, say, say_more, tell
from indexfallback.config import Settings
from indexfallback.names import METADATA_ENDING
from indexfallback.store import Store, inventory, maintenance
from indexfallback.store.events import local_actor
from indexfallback.store.ownership import Ownership
from indexfallback.store.pins import Pin
from indexfallback.words import counted, size


@click.command(
    epilog=examples(
        "indexfallback cache remove PROJECT", "indexfallback cache remove PROJECT --yes"
    )
)
@click.argument("project", type=project_name)
@click.option("--yes", is_flag=True, help="Do not ask, even if a private index owns the project.")
@json_option
@takes_options
def remove(options: Options, project: str, yes: bool, as_json: bool) -> None:
    """Remove PROJECT from the cache.

    Removes its pages, files, pins and the record of its owner.
    """
    settings = options.settings()
    with open_store(settings, shares=True) as store:
        owners = owners_of(settings, store, project)
        if owners and not yes:
            explain_owners(settings, project, owners)
            confirm("Remove it?", f"{project} belongs to a private index", as_json=as_json)
        if owners:
            record_disowned(settings, store, project, owners)
        forgotten = maintenance.forget(store, project)
    if as_json:
        print_json({"project": project, **forgotten._asdict()})
    elif any(forgotten):
        tell(_forgotten(project, forgotten))
    else:
        say(f"nothing of {project} is cached")
    sys.exit(0 if any(forgotten) else 1)


def accept_file(
    settings: Settings, project: str, filename: str, *, yes: bool, as_json: bool
) -> None:
    """Accept a changed file: remove its pins, so that the next download sets a new one."""
    filename = filename.removesuffix(METADATA_ENDING)
    with open_store(settings, shares=True) as store:
        store.pins.bring(project, filename, "")
        # A content may be pinned at two addresses.
        oldest = {pin.sha256: pin for pin in reversed(store.pins.of_name(project, filename))}
        pins = sorted(oldest.values(), key=lambda pin: pin.seen)
        if not pins:
            say(f"{filename} of {project} was never served from here: it has no pin")
            sys.exit(1)
        offers = [
            o for o in inventory.listed_files(store, project, filename) if o.sha256 not in oldest
        ]
        if not as_json:
            _say_both(settings, pins, offers)
        if not yes:
            confirm("Accept the new file?", "it may be an attack", as_json=as_json)
        known = " and ".join(oldest)
        # First, as in `record_disowned`.
        store.hosting.events.record(
            "accepted", project, filename, actor=local_actor(), detail=f"instead of sha256 {known}"
        )
        maintenance.accept(store, project, filename)
    if as_json:
        first = {"sha256": pins[0].sha256, "source": pins[0].source, "seen": pins[0].seen}
        offered = [offer._asdict() for offer in offers]
        print_json({"project": project, "filename": filename, "first": first, "offered": offered})
        return
    tell(f"Removed the pin of {filename}; the next download sets a new one")


def _say_both(settings: Settings, pins: list[Pin], offers: list[inventory.ListedFile]) -> None:
    """Print the hash and the source of a file when it was first seen, and those offered now."""
    names = names_of(settings)
    for pin in pins:
        name = names.get(pin.source, pin.source)
        say(f"{pin.filename} was first seen {clock(pin.seen)} from {name}")
        say_more(f"sha256 {pin.sha256}")
    for offer in offers:
        name = names.get(offer.source, offer.source)
        say_more(f"and is offered by {name} (page of {clock(offer.checked)})")
        say_more(f"sha256 {offer.sha256}")
    if not offers:
        say_more("and no cached page offers it with another sha256.")
    say_more("Only its maintainer can tell which one is right.")


def owners_of(settings: Settings, store: Store, project: str) -> Mapping[str, Ownership]:
    """Return the owners of a project that this shim knows, or another one on its bucket."""
    if store.shared is not None:
        store.shared.learn()
    private = [index.key for index in settings.indexes if index.is_private]
    return store.ledger.owners_anywhere(project, private)


def explain_owners(settings: Settings, project: str, owners: Mapping[str, Ownership]) -> None:
    """Print which indexes own a project, and the consequence of forgetting it."""
    names = names_of(settings)
    for source, ownership in owners.items():
        if ownership.since is None:  # a mere copy of the public index's
            continue
        how = "is in its list of names" if ownership.listed else "was served by it"
        name = names.get(source, source)
        say(f"{project} belongs to {name}: it {how} (known since {clock(ownership.since)}).")
        say_more(
            f"Without this record, a public index may serve the project while {name} is "
            f"unavailable. {name} is still asked first, and owns the project again once it answers."
        )


def record_disowned(
    settings: Settings, store: Store, project: str, owners: Mapping[str, Ownership]
) -> None:
    """Record that the owners of a project are forgotten; first, so that a kill does not hide it."""
    names = names_of(settings)
    indexes = ", ".join(names.get(source, source) for source in owners)
    store.hosting.events.record(
        "disowned", project, "", actor=local_actor(), detail=f"owned by {indexes}"
    )


def confirm(question: str, reason: str, *, as_json: bool) -> None:
    """Ask the user; without a terminal, fail and name --yes."""
    if as_json or not sys.stdin.isatty():
        raise click.UsageError(f"{reason}; use --yes to do it anyway")
    click.confirm(question, abort=True, err=True)


def names_of(settings: Settings) -> dict[str, str]:
    """Return the names of the indexes by their keys."""
    return {index.key: index.name for index in settings.indexes}


def _forgotten(project: str, forgotten: maintenance.Forgotten) -> str:
    shared = f" ({forgotten.shared:,} more are of other projects too)" if forgotten.shared else ""
    parts = [
        f"{counted(forgotten.files, 'file')} of {size(forgotten.bytes)}{shared}",
        counted(forgotten.pages, "page"),
        counted(forgotten.pins, "pin"),
    ]
    if forgotten.owners:
        parts.append(f"its {counted(forgotten.owners, 'owner')}")
    return f"Removed of {project}: {', '.join(parts)}"
