"""``cache import``: adds an archive, or the files of another tool, to the cache."""

import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from indexfallback.cli.import_changes import as_data, print_changes, print_left, say_and_ask
from indexfallback.cli.import_directory import import_directory
from indexfallback.cli.opening import open_store
from indexfallback.cli.options import Options, examples, json_option, takes_options
from indexfallback.cli.output import print_json, say, say_more, tell, tilde, tracked
from indexfallback.config import Settings
from indexfallback.words import counted, size

if TYPE_CHECKING:
    from indexfallback.carry.imports import Imported
    from indexfallback.carry.manifest import CarriedIndex, Manifest

#: The most names in a message; the rest is counted.
_NAMES = 10


@click.command(
    "import",
    epilog=examples(
        "indexfallback cache import packages.tar --dry-run",
        "indexfallback cache import packages.tar",
        "indexfallback cache import packages.tar --map mirror=pypi",
        'indexfallback cache import "$(pip cache dir)"',
        "indexfallback cache import /srv/bandersnatch --as pypi",
    ),
)
@click.argument("path", metavar="PATH", type=click.Path(exists=True, path_type=Path))
@click.option(
    "--map",
    "mapping",
    multiple=True,
    metavar="THEIR=OUR",
    help="Import the pages of an index in the archive as those of an index here (repeatable); "
    "without it, indexes with the same address are the same.",
)
@click.option(
    "--as",
    "as_index",
    metavar="INDEX",
    help="Import the pages of a bandersnatch tree as those of this index.",
)
@click.option(
    "--yes",
    is_flag=True,
    help="Also make the changes of owners, pins and pages that are here, without asking.",
)
@click.option(
    "--dry-run", is_flag=True, help="Check the archive, and show what it would add and change."
)
@json_option
@takes_options
def import_(
    options: Options,
    path: Path,
    *,
    mapping: tuple[str, ...],
    as_index: str | None,
    yes: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Check an archive that `cache export` wrote, and add its content to the cache.

    Take an archive only from someone whose packages you would install: what is new in it is added.
    What it would change of owners, pins and pages here is shown, and is changed only after you
    agree, or with --yes. Indexes have the roles that are configured here.

    PATH can also be a directory: a wheelhouse, the cache of pip or uv, or a bandersnatch tree. A
    file in it is taken if the chain's page of its project lists its sha256.
    """
    if path.is_dir():
        for option, given in (("--map", mapping), ("--yes", yes), ("--dry-run", dry_run)):
            if given:
                raise click.UsageError(f"{option} is for archives")
        import_directory(options.settings(), path, as_index, as_json=as_json)
        return
    if as_index is not None:
        raise click.UsageError("--as is for bandersnatch trees")
    done = _import_archive(
        options.settings(), path, mapping, yes=yes, dry_run=dry_run, as_json=as_json
    )
    sys.exit(0 if done else 1)


def _import_archive(
    settings: Settings,
    path: Path,
    mapping: Sequence[str],
    *,
    yes: bool,
    dry_run: bool,
    as_json: bool,
) -> bool:
    """Import an archive and report it; return whether nothing that it would change was left out."""
    from indexfallback.carry.archive import manifest_of  # noqa: PLC0415 - few need it
    from indexfallback.carry.changes import all_changes, no_changes  # noqa: PLC0415 - as above
    from indexfallback.carry.imports import import_archive  # noqa: PLC0415 - as above

    manifest = manifest_of(path)
    keys = _keys(settings, manifest, mapping)
    asks = not (yes or dry_run or as_json) and sys.stdin.isatty()
    consent = all_changes if yes else partial(say_and_ask, path) if asks else no_changes
    with open_store(settings) as store:
        imported = import_archive(
            store,
            path,
            settings.indexes,
            keys,
            settings.cache_size,
            consent=consent,
            dry_run=dry_run,
            progress=tracked,
        )
    if as_json:
        foreign = [index.name for index in _not_in_chain(settings, keys, manifest)]
        print_json({**as_data(imported), "dry_run": dry_run, "not_in_chain": foreign})
    else:
        if imported.changes and not asks:
            print_changes(path, imported.changes)
        _print_imported(path, imported, dry_run=dry_run)
        _say_roles(settings, keys, manifest)
        print_left(imported.left, dry_run=dry_run)
    return dry_run or not imported.left


def _say_roles(settings: Settings, keys: dict[str, str], manifest: "Manifest") -> None:
    """Say which indexes of the archive are not the same here."""
    for index in _unprotected(settings, keys, manifest.indexes):
        say(f"{index.name} is private in the archive, but not here: its names are not protected.")
        say_more('If it is yours, set role = "private" and import again.')
    for index in _not_in_chain(settings, keys, manifest):
        pages = sum(page.source == index.url for page in manifest.pages)
        if pages or index.names:
            _say_not_in_chain(index, pages)


def _not_in_chain(
    settings: Settings, keys: dict[str, str], manifest: "Manifest"
) -> list["CarriedIndex"]:
    ours = {index.key for index in settings.indexes}
    return [index for index in manifest.indexes if keys.get(index.url, index.url) not in ours]


def _keys(settings: Settings, manifest: "Manifest", mapping: Sequence[str]) -> dict[str, str]:
    """Return the mapped addresses, archive to here; raises UsageError."""
    theirs = {index.name: index for index in manifest.indexes}
    keys = {}
    for pair in mapping:
        name, _, own = pair.partition("=")
        index = settings.index(own)
        if name not in theirs:
            raise click.UsageError(
                f"--map {pair}: the archive has no index {name!r}; it has {', '.join(theirs)}"
            )
        if index is None:
            known = ", ".join(each.name for each in settings.indexes)
            raise click.UsageError(f"--map {pair}: there is no index {own!r} here, only {known}")
        if theirs[name].role == "private" and not index.is_private:
            raise click.UsageError(
                f"--map {pair}: {name} is private, and {own} is {index.role}: "
                "anybody could publish a project of the same name there"
            )
        keys[theirs[name].url] = index.key
    return keys


def _unprotected(
    settings: Settings, keys: dict[str, str], indexes: Sequence["CarriedIndex"]
) -> list["CarriedIndex"]:
    """Return the private indexes of an archive that are not private here."""
    public = {index.key for index in settings.indexes if not index.is_private}
    return [
        index
        for index in indexes
        if index.role == "private" and keys.get(index.url, index.url) in public
    ]


def _say_not_in_chain(index: "CarriedIndex", pages: int) -> None:
    say(
        f"{index.name} ({index.url}) is not an index of this chain: its {counted(pages, 'page')} "
        f"are served after you add it; or run again with --map {index.name}=NAME"
    )
    if index.role == "private":
        say_more("It is private: until then another index may answer for its names.")


def _print_imported(path: Path, imported: "Imported", *, dry_run: bool) -> None:
    has, is_imported = ("has", "would be imported") if dry_run else ("had", "imported")
    tell(
        f"{tilde(path)} {has} {counted(imported.projects, 'project')}: "
        f"{counted(imported.files, 'file')} {is_imported} ({size(imported.bytes)}), "
        f"{imported.held:,} cached before; {counted(imported.pages, 'page')} {is_imported}, "
        f"{imported.kept:,} not newer than the cached ones"
    )
    for filename in imported.withheld[:_NAMES]:
        say(f"{filename} differs from the file that was first seen here, and is withheld")
    if len(imported.withheld) > _NAMES:
        say_more(f"and {len(imported.withheld) - _NAMES:,} more")
