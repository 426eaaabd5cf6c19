"""``cache remove``, ``accept`` and ``disown``: what is forgotten by hand, and what that means."""

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import click

from indexfallback.cli.options import Options, examples, project_name, takes_options
from indexfallback.cli.output import clock, print_json, say, say_more, wrapped
from indexfallback.config import Settings
from indexfallback.errors import StoreError
from indexfallback.names import METADATA_ENDING
from indexfallback.store import Store, maintenance
from indexfallback.store.ledger import Ownership
from indexfallback.store.pins import Pin
from indexfallback.words import counted, size

_as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON; bytes as numbers.")


@contextmanager
def open_store(settings: Settings) -> Iterator[Store]:
    """Give the store itself; raises `StoreError` where only a temporary one can be had."""
    store = Store(settings.cache_dir, settings.cache_size)
    try:
        if store.is_temporary:
            raise StoreError(
                str(settings.cache_dir),
                "the cache cannot be written",
                "make it yours to write, or set INDEXFALLBACK_CACHE_DIR to another directory",
            )
        yield store
    finally:
        store.close()


@click.command(
    epilog=examples(
        "indexfallback cache remove PROJECT", "indexfallback cache remove PROJECT --yes"
    )
)
@click.argument("project", type=project_name)
@click.option("--yes", is_flag=True, help="Do not ask, also if a private index owns the name.")
@_as_json
@takes_options
def remove(options: Options, project: str, yes: bool, as_json: bool) -> None:
    """Remove what is kept of PROJECT: pages, files, pins and who owns it."""
    settings = options.settings()
    with open_store(settings) as store:
        owners = store.ledger.owners(project)
        if owners and not yes:
            _say_what_forgetting_means(settings, project, owners)
            _confirm("Forget it?", f"{project} belongs to a private index", as_json=as_json)
        forgotten = maintenance.forget(store, project)
    if as_json:
        print_json({"project": project, **forgotten._asdict()})
    elif any(forgotten):
        click.echo(_forgotten(project, forgotten))
    else:
        say(f"nothing was kept of {project}")
    sys.exit(0 if any(forgotten) else 1)


@click.command(epilog=examples("indexfallback cache accept PROJECT PROJECT-1.0-py3-none-any.whl"))
@click.argument("project", type=project_name)
@click.argument("filename")
@click.option("--yes", is_flag=True, help="Do not ask.")
@_as_json
@takes_options
def accept(options: Options, project: str, filename: str, yes: bool, as_json: bool) -> None:
    """Take a changed file as right: forget what FILENAME of PROJECT was when first seen."""
    settings = options.settings()
    filename = filename.removesuffix(METADATA_ENDING)
    with open_store(settings) as store:
        pin = store.pins.find(project, filename)
        if pin is None:
            say(f"{filename} of {project} was never served from here: there is nothing to forget")
            sys.exit(1)
        offers = [
            o for o in maintenance.offered(store, project, filename) if o.sha256 != pin.sha256
        ]
        if not as_json:
            _say_both(settings, pin, offers)
        if not yes:
            _confirm("Take what is offered now as right?", "it may be an attack", as_json=as_json)
        maintenance.accept(store, project, filename)
    if as_json:
        first = {"sha256": pin.sha256, "source": pin.source, "seen": pin.seen}
        offered = [offer._asdict() for offer in offers]
        print_json({"project": project, "filename": filename, "first": first, "offered": offered})
        return
    click.echo(wrapped(f"Forgot what {filename} was; the next one fetched is taken as right", ""))


def _say_both(settings: Settings, pin: Pin, offers: list[maintenance.Offered]) -> None:
    """Say what a file was when first seen and what it is now, and where each came from."""
    names = _names(settings)
    say(f"{pin.filename} was first seen {clock(pin.seen)} from {names.get(pin.source, pin.source)}")
    say_more(f"sha256 {pin.sha256}")
    for offer in offers:
        name = names.get(offer.source, offer.source)
        say_more(f"and is offered by {name} (page of {clock(offer.checked)})")
        say_more(f"sha256 {offer.sha256}")
    if not offers:
        say_more("and no page that is kept offers it with another sha256.")
    say_more("Only its maintainer can tell which one is right. Who has the first one keeps it.")


@click.command(epilog=examples("indexfallback cache disown PROJECT"))
@click.argument("project", type=project_name)
@click.option("--yes", is_flag=True, help="Do not ask.")
@_as_json
@takes_options
def disown(options: Options, project: str, yes: bool, as_json: bool) -> None:
    """Forget who owns PROJECT, when it moves to another index on purpose."""
    settings = options.settings()
    private = [index for index in settings.indexes if index.is_private]
    with open_store(settings) as store:
        owners = store.ledger.owners(project)
        if owners and not as_json:
            _say_what_forgetting_means(settings, project, owners)
        if owners and not yes:
            _confirm("Let another index own it?", f"{project} has an owner", as_json=as_json)
        disowned = maintenance.disown(store, project, [index.key for index in private])
    claiming = [index.name for index in private if index.claims(project)]
    if as_json:
        print_json({"project": project, **disowned._asdict(), "claimed_by": claiming})
    elif any(disowned):
        removed = f"{counted(disowned.owners, 'owner')}, {counted(disowned.pages, 'page')}"
        click.echo(wrapped(f"Forgotten of {project}: {removed}", ""))
    else:
        say(f"no private index is known to own {project}")
    for name in claiming:
        say(f"{name} still claims {project}: take it out of projects there")
    sys.exit(0 if any(disowned) else 1)


def _say_what_forgetting_means(
    settings: Settings, project: str, owners: Mapping[str, Ownership]
) -> None:
    names = _names(settings)
    for source, ownership in owners.items():
        how = "is in its list of names" if ownership.listed else "was served by it"
        name = names.get(source, source)
        say(f"{project} belongs to {name}: it {how} (seen {clock(ownership.seen)}).")
        say_more(
            "Once forgotten, another index may own the name: it may be taken from a public index "
            f"whenever {name} is away. {name} is asked first, and remembered again when it answers."
        )


def _confirm(question: str, reason: str, *, as_json: bool) -> None:
    """Ask; without a terminal, say to use --yes."""
    if as_json or not sys.stdin.isatty():
        raise click.UsageError(f"{reason}; --yes does it all the same")
    click.confirm(question, abort=True, err=True)


def _names(settings: Settings) -> dict[str, str]:
    """Return the names of the configured indexes by their addresses."""
    return {index.key: index.name for index in settings.indexes}


def _forgotten(project: str, forgotten: maintenance.Forgotten) -> str:
    shared = f" ({forgotten.shared:,} more kept for other projects)" if forgotten.shared else ""
    parts = [
        f"{counted(forgotten.files, 'file')} of {size(forgotten.bytes)}{shared}",
        counted(forgotten.pages, "page"),
        counted(forgotten.pins, "pin"),
    ]
    if forgotten.owners:
        parts.append(f"its {counted(forgotten.owners, 'owner')}")
    return wrapped(f"Removed of {project}: {', '.join(parts)}", "")
