"""``cache``: shows, verifies and cleans the cache.

Its other commands are in `forget` (remove, accept), `disown`, `cache_export` and `cache_import`.
"""

import sys
from collections import Counter
from itertools import groupby

import click

from indexfallback.cli.cache_export import export
from indexfallback.cli.cache_import import import_
from indexfallback.cli.disown import disown
from indexfallback.cli.forget import accept, remove
from indexfallback.cli.opening import open_store
from indexfallback.cli.options import Options, examples, json_option, project_name, takes_options
from indexfallback.cli.output import clock, print_json, print_table, say, tracked, wrapped
from indexfallback.config import Settings
from indexfallback.store import maintenance
from indexfallback.store.maintenance import HeldFile, HeldPage
from indexfallback.words import counted, size

#: Verdicts of `Blobs.verify` other than "right", and their explanations.
_VERDICTS = {
    "quarantined": "damaged: moved to quarantine, and fetched again when requested",
    "missing": "missing: fetched again when requested",
    "adopted": "valid but without a record: added to the records",
}
#: Shown instead of the project of files whose records were lost.
_NAMELESS = "(no project)"


@click.group(epilog=examples("indexfallback cache info", "indexfallback cache verify"))
def cache() -> None:
    """Show, verify and clean the cache."""


for command in (remove, accept, disown, export, import_):
    cache.add_command(command)


@cache.command(epilog=examples("indexfallback cache info --json"))
@json_option
@takes_options
def info(options: Options, as_json: bool) -> None:
    """Show the directory and the size of the cache."""
    settings = options.settings()
    with open_store(settings, only_read=True) as store:
        report = maintenance.info(store, settings.cache_size)
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
        say("`indexfallback cache gc` empties the quarantine")


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
        files = maintenance.held_files(store, project)
        pages = maintenance.held_pages(store, project)
    if as_json:
        listed = {"files": [f._asdict() for f in files], "pages": [p._asdict() for p in pages]}
        print_json(listed)
    elif not files and not pages:
        say(f"nothing{f' of {project}' if project else ''} is cached in {settings.cache_dir}")
    elif project is not None:
        _print_project(settings, files, pages)
    else:
        _print_projects(files, pages)


def _print_project(settings: Settings, files: list[HeldFile], pages: list[HeldPage]) -> None:
    names = {index.key: index.name for index in settings.indexes}
    rows = [(file.filename or "", size(file.size), clock(file.used)) for file in files]
    if rows:
        print_table(("file", "size", "last used"), rows, right=(1,))
    for page in pages:
        source = names.get(page.source, page.source)
        click.echo(wrapped(f"page of {source}, last confirmed {clock(page.checked)}", ""))


def _print_projects(files: list[HeldFile], pages: list[HeldPage]) -> None:
    held = {
        project or _NAMELESS: list(group) for project, group in groupby(files, lambda f: f.project)
    }
    counts = Counter(page.project for page in pages)
    print_table(
        ("project", "files", "size", "pages", "last used"),
        [_project_row(name, held.get(name, []), counts[name]) for name in sorted({*held, *counts})],
        right=(1, 2, 3),
    )


def _project_row(name: str, files: list[HeldFile], pages: int) -> tuple[str, ...]:
    used = clock(max(file.used for file in files)) if files else ""
    return name, f"{len(files):,}", size(sum(f.size for f in files)), f"{pages:,}", used


@cache.command(epilog=examples("indexfallback cache verify"))
@json_option
@takes_options
def verify(options: Options, as_json: bool) -> None:
    """Check the records, and the hash of every file.

    Moves damaged files to quarantine, and mends the records. Exits with 1 if there was something to
    do, and with 0 the next time.
    """
    from indexfallback.store.examination import problems  # noqa: PLC0415 - for this command only

    records = []
    with open_store(options.settings()) as store:
        for problem in problems(store):
            problem.mend()
            records.append(problem.text)
        verdicts = dict(tracked(store.blobs.verify(), "Hashing", store.blobs.records.count()))
    found: dict[str, list[str]] = {verdict: [] for verdict in _VERDICTS}
    for sha256, verdict in verdicts.items():
        if verdict in found:
            found[verdict].append(sha256)
    right = len(verdicts) - sum(map(len, found.values()))
    if as_json:
        print_json({"right": right, "records": records, **found})
    else:
        click.echo(f"{counted(len(verdicts), 'file')} checked, {right:,} valid")
        for text in records:
            click.echo(wrapped(f"records: {text}", ""))
        for verdict, sha256s in found.items():
            for sha256 in sha256s:
                click.echo(f"{verdict}: {sha256}")
            if sha256s:
                click.echo(wrapped(f"{counted(len(sha256s), 'file')} {_VERDICTS[verdict]}"))
    sys.exit(1 if records or any(found.values()) else 0)


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
    click.echo(wrapped(f"Removed {', '.join(parts)}", ""))
