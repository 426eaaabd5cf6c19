"""``cache export`` and ``cache import``: what is cached, carried to another machine."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from indexfallback.cli.adopt import adopt_directory, export_wheelhouse
from indexfallback.cli.forget import open_store
from indexfallback.cli.options import Options, examples, takes_options
from indexfallback.cli.output import print_json, say, say_more, tilde, tracked, wrapped
from indexfallback.config import Settings
from indexfallback.config.keys import patterns as read_patterns
from indexfallback.config.units import InvalidValueError
from indexfallback.store import Store
from indexfallback.words import counted, size

if TYPE_CHECKING:
    from indexfallback.carry.imports import Imported
    from indexfallback.carry.manifest import CarriedIndex, Manifest

#: Behind an archive's name, the name of its manifest.
_MANIFEST = ".manifest.json"
#: Names that a message has room for: the rest is counted.
_NAMES = 10

_as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON; bytes as numbers.")


@click.command(
    epilog=examples(
        "indexfallback cache export packages.tar",
        "indexfallback cache export more.tar --since packages.tar",
        "indexfallback cache export some.tar --projects 'acme-*' -r requirements.txt",
    )
)
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--projects",
    "patterns",
    multiple=True,
    metavar="PATTERN",
    help="Export these projects and what they require: a name, or a pattern with * and ? "
    "(repeatable).",
)
@click.option(
    "-r",
    "--requirement",
    "files",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    multiple=True,
    metavar="FILE",
    help="Export the projects of this requirements, project or lock file (repeatable).",
)
@click.option("--no-deps", is_flag=True, help="Leave out what the chosen projects require.")
@click.option(
    "--format",
    "form",
    type=click.Choice(("archive", "wheelhouse")),
    default="archive",
    show_default=True,
    help="A wheelhouse is a directory for machines that have nothing but pip.",
)
@click.option(
    "--since",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="MANIFEST",
    help="Leave out what an earlier export has brought: its manifest, or the archive itself.",
)
@click.option(
    "--manifest",
    type=click.Path(dir_okay=False, path_type=Path),
    help=f"Where to write the manifest for a later --since; default: FILE{_MANIFEST}.",
)
@_as_json
@takes_options
def export(
    options: Options,
    file: Path,
    *,
    patterns: tuple[str, ...],
    files: tuple[Path, ...],
    no_deps: bool,
    form: str,
    since: Path | None,
    manifest: Path | None,
    as_json: bool,
) -> None:
    """Write what is cached into one archive, FILE, for `cache import` on another machine.

    Pages, files, and who owns which name, of the indexes of the chain. With --format wheelhouse,
    FILE is a directory for `pip install --no-index --find-links`.
    """
    from indexfallback.carry.selection import select  # noqa: PLC0415 - few need it

    settings = options.settings()
    chosen = _patterns((*patterns, *_projects_of(files)))
    choose = partial(select, patterns=chosen, dependencies=not no_deps)
    if form == "wheelhouse":
        if since is not None or manifest is not None:
            raise click.UsageError("a wheelhouse has no manifest: leave out --since and --manifest")
        export_wheelhouse(settings, choose, file, as_json=as_json)
        return
    if file.is_dir():
        raise click.UsageError(f"{file} is a directory: name a file, or use --format wheelhouse")
    if not file.absolute().parent.is_dir():
        raise click.UsageError(f"{file.parent} is no directory")
    beside = manifest or file.with_name(file.name + _MANIFEST)
    written = _export(settings, choose, file, since, beside)
    if not written.projects:
        say(f"nothing is cached of {', '.join(chosen)}: the archive is empty")
    report = _exported(written, file, beside)
    if as_json:
        print_json(report)
        return
    have = (
        counted(len(written.projects), "project"),
        f"{counted(report['files'], 'file')} ({size(report['bytes'])})",
        counted(report["pages"], "page"),
    )
    click.echo(wrapped(f"{tilde(file)} has {have[0]}: {have[1]}, {have[2]}", ""))
    if since is not None:
        say(f"{counted(report['earlier'], 'file')} not in it, since an earlier export had them")


def _export(
    settings: Settings,
    choose: Callable[[Store], frozenset[str]],
    file: Path,
    since: Path | None,
    beside: Path,
) -> "Manifest":
    """Write the archive, and its manifest beside it."""
    from indexfallback.carry.archive import manifest_of  # noqa: PLC0415 - few need it
    from indexfallback.carry.export import export as write  # noqa: PLC0415 - as above
    from indexfallback.carry.manifest import known, write_manifest  # noqa: PLC0415 - as above
    from indexfallback.carry.replacing import remove_left, replacing  # noqa: PLC0415 - as above

    before = known(manifest_of(since)) if since is not None else known(None)
    with open_store(settings) as store:
        written = write(store, settings.indexes, choose(store), file, known=before, track=tracked)
    remove_left(beside.absolute().parent, [beside.name])
    with replacing(beside) as copy:
        copy.write(write_manifest(written))
    return written


def _exported(written: "Manifest", file: Path, beside: Path) -> dict[str, Any]:
    here = [each for each in written.files if each.here]
    return {
        "archive": str(file.absolute()),
        "manifest": str(beside.absolute()),
        "projects": sorted(written.projects),
        "files": len(here),
        "bytes": sum(each.size for each in here),
        "earlier": len(written.files) - len(here),
        "pages": sum(page.here for page in written.pages),
    }


def _projects_of(files: Iterable[Path]) -> Iterator[str]:
    from indexfallback.wanted.reading import read_file  # noqa: PLC0415 - slow to import

    for file in files:
        projects = read_file(file).projects
        if not projects:  # which must not mean all of them
            raise click.BadParameter(f"{file} names no project", param_hint="-r")
        yield from sorted(projects)


def _patterns(texts: Sequence[str]) -> tuple[str, ...]:
    try:
        return read_patterns(list(texts) or ["*"], Path())
    except InvalidValueError as error:
        raise click.BadParameter(f"--projects {error}") from error


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
    help="Take an archive's index for one of this chain, by their names (repeatable); "
    "without it, indexes are the same if their addresses are.",
)
@click.option(
    "--as",
    "as_index",
    metavar="INDEX",
    help="Take the pages of a bandersnatch tree for those of this index.",
)
@_as_json
@takes_options
def import_(
    options: Options, path: Path, *, mapping: tuple[str, ...], as_index: str | None, as_json: bool
) -> None:
    """Check an archive that `cache export` wrote, and add what it has to the cache.

    PATH may be a directory, too: a wheelhouse, the cache of pip or uv, or a tree of bandersnatch.
    Of these each file is taken that the chain's own page of its project lists with its sha256.
    """
    if path.is_dir():
        if mapping:
            raise click.UsageError("--map is for archives")
        adopt_directory(options.settings(), path, as_index, as_json=as_json)
        return
    if as_index is not None:
        raise click.UsageError("--as is for trees of bandersnatch")
    from indexfallback.carry.archive import manifest_of  # noqa: PLC0415 - few need it
    from indexfallback.carry.imports import take_in  # noqa: PLC0415 - as above

    settings = options.settings()
    manifest = manifest_of(path)
    keys = _keys(settings, manifest, mapping)
    with open_store(settings) as store:
        imported = take_in(store, path, keys, settings.cache_size, tracked)
    strangers = [index for index in manifest.indexes if not _here(settings, keys, index.url)]
    if as_json:
        names = [index.name for index in strangers]
        print_json({**imported._asdict(), "not_in_chain": names})
        return
    _print_imported(path, imported)
    for index in _unprotected(settings, keys, manifest.indexes):
        say(f"{index.name} is private in the archive, and no private index here:")
        say_more('another index may answer for its names; set role = "private".')
    for index in strangers:
        pages = sum(page.source == index.url for page in manifest.pages)
        if pages or index.names:
            _say_stranger(index, pages)


def _keys(settings: Settings, manifest: "Manifest", mapping: Sequence[str]) -> dict[str, str]:
    """Return address in the archive to address here; raises UsageError."""
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
            raise click.UsageError(f"--map {pair}: no index {own!r} here; there are {known}")
        if theirs[name].role == "private" and not index.is_private:
            raise click.UsageError(
                f"--map {pair}: {name} is private, and {own} is {index.role}: "
                "anybody could put a project of that name there"
            )
        keys[theirs[name].url] = index.key
    return keys


def _here(settings: Settings, keys: dict[str, str], url: str) -> bool:
    return any(index.key == keys.get(url, url) for index in settings.indexes)


def _unprotected(
    settings: Settings, keys: dict[str, str], indexes: Sequence["CarriedIndex"]
) -> list["CarriedIndex"]:
    """Return the private indexes of an archive that have another role here."""
    public = {index.key for index in settings.indexes if not index.is_private}
    return [
        index
        for index in indexes
        if index.role == "private" and keys.get(index.url, index.url) in public
    ]


def _say_stranger(index: "CarriedIndex", pages: int) -> None:
    say(
        f"{index.name} ({index.url}) is no index of this chain: its {counted(pages, 'page')} "
        f"will be served once it is one; add it, or run again with --map {index.name}=NAME"
    )
    if index.role == "private":
        say_more("It is private: until then another index may answer for its names.")


def _print_imported(path: Path, imported: "Imported") -> None:
    click.echo(
        wrapped(
            f"{tilde(path)} had {counted(imported.projects, 'project')}: "
            f"{counted(imported.files, 'file')} taken ({size(imported.bytes)}), "
            f"{imported.held:,} were here; {counted(imported.pages, 'page')} taken, "
            f"{imported.kept:,} not newer than here",
            "",
        )
    )
    for filename in imported.changed[:_NAMES]:
        say(f"{filename} is another one than was first seen here, and is withheld")
    if len(imported.changed) > _NAMES:
        say_more(f"and {len(imported.changed) - _NAMES:,} more")
