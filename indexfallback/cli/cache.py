"""``cache``: shows, verifies and cleans the cache.

Its other commands are in `forget` (remove), `accept`, `disown`, `cache_export` and `cache_import`.
"""

import sys
from collections.abc import Iterable, Mapping
from itertools import chain

import click

from indexfallback.cli.accept import accept
from indexfallback.cli.cache_export import export
from indexfallback.cli.cache_import import import_
from indexfallback.cli.disown import disown
from indexfallback.cli.forget import remove
from indexfallback.cli.help import Group
from indexfallback.cli.opening import open_store
from indexfallback.cli.options import Options, examples, json_option, project_name, takes_options
from indexfallback.cli.output import (
    clock,
    note,
    print_json,
    print_json_lists,
    print_table,
    tell,
    tracked,
    wrapped,
)
from indexfallback.cli.shared import share, verify_shared
from indexfallback.config import Settings
from indexfallback.store import Store, inventory, maintenance
from indexfallback.store.inventory import HeldFile, HeldPage, HeldProject
from indexfallback.words import counted, size

#: Verdicts of `Blobs.verify` other than "right", and their explanations.
_VERDICTS = {
    "quarantined": "damaged: moved to quarantine, and fetched again when requested",
    "missing": "missing: fetched again when requested",
    "adopted": "valid but without a record: added to the records",
}
#: Shown instead of the project of files whose records were lost.
_NAMELESS = "(no project)"


@click.group(cls=Group, epilog=examples("indexfallback cache info", "indexfallback cache verify"))
def cache() -> None:
    """Show, verify and clean the cache."""


for command in (remove, accept, disown, export, import_, share):
    cache.add_command(command)


@cache.command(epilog=examples("indexfallback cache info --json"))
@json_option
@takes_options
def info(options: Options, as_json: bool) -> None:
    """Show the directory and the size of the cache."""
    settings = options.settings()
    with open_store(settings, only_read=True) as store:
        report = inventory.info(store, settings.cache_size)
    if as_json:
        print_json(report._asdict())
        return
    rows = [
        ("directory", report.directory),
        ("files", f"{report.files:,}, {size(report.bytes)} of {size(report.limit)}"),
        ("mirrored", f"{report.mirrored:,} of them, {size(report.mirrored_bytes)} in addition"),
        ("partial", f"{counted(report.partials, 'file')}, {size(report.partial_bytes)}"),
        ("pages", f"{report.pages:,}"),
        ("documents", f"{report.documents:,} of PyPI's JSON"),
        ("records", size(report.database)),
        ("quarantine", counted(report.quarantined, "file")),
    ]
    print_table((), rows)
    if report.quarantined:
        note("`indexfallback cache gc` empties the quarantine")


@cache.command(
    "list", epilog=examples("indexfallback cache list", "indexfallback cache list requests")
)
@click.argument("project", type=project_name, required=False)
@json_option
@takes_options
def list_(options: Options, project: str | None, as_json: bool) -> None:
    """List the cached files and pages, of PROJECT or of all projects."""
    settings = options.settings()
    with open_store(settings, only_read=True) as store:
        if as_json:
            files, pages = _files(store, project), _pages(store, project)
            print_json_lists(
                files=(file._asdict() for file in files), pages=(page._asdict() for page in pages)
            )
        elif not (
            _print_project(settings, store, project)
            if project
            else _print_all(inventory.held_projects(store))
        ):
            note(f"nothing{f' of {project}' if project else ''} is cached in {settings.cache_dir}")


def _files(store: Store, project: str | None) -> Iterable[HeldFile]:
    return inventory.held_files(store, project) if project else inventory.all_files(store)


def _pages(store: Store, project: str | None) -> Iterable[HeldPage]:
    return inventory.held_pages(store, project) if project else inventory.all_pages(store)


def _print_project(settings: Settings, store: Store, project: str) -> bool:
    """Print the cached files and pages of a project; return whether there are any."""
    names = {index.key: index.name for index in settings.indexes}
    files, pages = _files(store, project), _pages(store, project)
    rows = [(file.filename or "", size(file.size), clock(file.used)) for file in files]
    if rows:
        print_table(("file", "size", "last used"), rows, right=(1,))
    is_empty = not rows
    for page in pages:
        source = names.get(page.source, page.source)
        click.echo(wrapped(f"page of {source}, last confirmed {clock(page.checked)}", ""))
        is_empty = False
    return not is_empty


def _print_all(projects: Iterable[HeldProject]) -> bool:
    """Print the number and size of cached files of each project; return whether there are any."""
    rest = iter(projects)
    first = next(rest, None)
    if first is None:
        return False
    header = ("project", "files", "size", "pages", "last used")
    print_table(header, map(_row, chain([first], rest)), right=(1, 2, 3))
    return True


def _row(held: HeldProject) -> tuple[str, ...]:
    used = clock(held.used) if held.files else ""
    name = held.project or _NAMELESS
    return name, f"{held.files:,}", size(held.bytes), f"{held.pages:,}", used


@cache.command(epilog=examples("indexfallback cache verify"))
@click.option("--shared", is_flag=True, help="Check the files of the shared bucket instead.")
@click.option(
    "--sample", type=click.IntRange(min=1), metavar="N", help="With --shared: N random files."
)
@json_option
@takes_options
def verify(options: Options, *, shared: bool, sample: int | None, as_json: bool) -> None:
    """Check the records, and the hash of every file.

    Moves damaged files to quarantine, and mends the records; wrong files of the shared bucket are
    removed from it. Exits with 1 if there was something to do, and with 0 the next time.
    """
    if shared:
        verify_shared(options.settings(), sample, as_json=as_json)
    if sample is not None:
        raise click.UsageError("--sample is for --shared")
    from indexfallback.store.examination import problems  # noqa: PLC0415 - for this command only

    records = []
    with open_store(options.settings()) as store:
        for problem in problems(store):
            problem.mend()
            records.append(problem.text)
        right, found = 0, {verdict: list[str]() for verdict in _VERDICTS}
        number = store.blobs.records.count()
        for sha256, verdict in tracked(store.blobs.verify(), "Hashing", number):
            if verdict in found:
                found[verdict].append(sha256)
            else:
                right += 1
    if as_json:
        print_json({"right": right, "records": records, **found})
    else:
        _print_verified(right, records, found)
    sys.exit(1 if records or any(found.values()) else 0)


def _print_verified(right: int, records: list[str], found: Mapping[str, list[str]]) -> None:
    checked = right + sum(map(len, found.values()))
    tell(f"{counted(checked, 'file')} checked, {right:,} valid")
    for text in records:
        click.echo(wrapped(f"records: {text}", ""))
    for verdict, sha256s in found.items():
        for sha256 in sha256s:
            click.echo(f"{verdict}: {sha256}")
        if sha256s:
            click.echo(wrapped(f"{counted(len(sha256s), 'file')} {_VERDICTS[verdict]}"))


@cache.command(epilog=examples("indexfallback cache gc"))
@json_option
@takes_options
def gc(options: Options, as_json: bool) -> None:
    """Clean the cache.

    Evicts files down to the size limit; removes abandoned partial files and the quarantine.
    """
    with open_store(options.settings()) as store:
        cleaned = maintenance.clean(store)
    if as_json:
        print_json(cleaned._asdict())
        return
    parts = [
        f"{counted(cleaned.evicted, 'least recently used file')} ({size(cleaned.bytes)})",
        counted(cleaned.partials, "abandoned partial file"),
        f"{counted(cleaned.quarantined, 'file')} from quarantine",
    ]
    tell(f"Removed {', '.join(parts)}")
