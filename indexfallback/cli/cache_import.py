"""``cache import``: adds an archive, or the files of another tool, to the cache."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from indexfallback.cli.import_directory import import_directory
from indexfallback.cli.opening import open_store
from indexfallback.cli.options import Options, examples, takes_options
from indexfallback.cli.output import print_json, say, say_more, tilde, tracked, wrapped
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
@click.option("--json", "as_json", is_flag=True, help="Print JSON; bytes as numbers.")
@takes_options
def import_(
    options: Options, path: Path, *, mapping: tuple[str, ...], as_index: str | None, as_json: bool
) -> None:
    """Check an archive that `cache export` wrote, and add its content to the cache.

    PATH can also be a directory: a wheelhouse, the cache of pip or uv, or a bandersnatch tree. A
    file in it is taken if the chain's page of its project lists its sha256.
    """
    if path.is_dir():
        if mapping:
            raise click.UsageError("--map is for archives")
        import_directory(options.settings(), path, as_index, as_json=as_json)
        return
    if as_index is not None:
        raise click.UsageError("--as is for bandersnatch trees")
    from indexfallback.carry.archive import manifest_of  # noqa: PLC0415 - few need it
    from indexfallback.carry.imports import import_archive  # noqa: PLC0415 - as above

    settings = options.settings()
    manifest = manifest_of(path)
    keys = _keys(settings, manifest, mapping)
    with open_store(settings) as store:
        imported = import_archive(store, path, keys, settings.cache_size, tracked)
    foreign = [index for index in manifest.indexes if not _here(settings, keys, index.url)]
    if as_json:
        names = [index.name for index in foreign]
        print_json({**imported._asdict(), "not_in_chain": names})
        return
    _print_imported(path, imported)
    for index in _unprotected(settings, keys, manifest.indexes):
        say(f"{index.name} is private in the archive, but not here:")
        say_more('another index may answer for its names; set role = "private".')
    for index in foreign:
        pages = sum(page.source == index.url for page in manifest.pages)
        if pages or index.names:
            _say_not_in_chain(index, pages)


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


def _here(settings: Settings, keys: dict[str, str], url: str) -> bool:
    return any(index.key == keys.get(url, url) for index in settings.indexes)


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


def _print_imported(path: Path, imported: "Imported") -> None:
    click.echo(
        wrapped(
            f"{tilde(path)} had {counted(imported.projects, 'project')}: "
            f"{counted(imported.files, 'file')} imported ({size(imported.bytes)}), "
            f"{imported.held:,} cached before; {counted(imported.pages, 'page')} imported, "
            f"{imported.kept:,} not newer than the cached ones",
            "",
        )
    )
    for filename in imported.changed[:_NAMES]:
        say(f"{filename} differs from the file that was first seen here, and is withheld")
    if len(imported.changed) > _NAMES:
        say_more(f"and {len(imported.changed) - _NAMES:,} more")
