"""``publish-tree``: writes an index, or the cache, as static pages and files."""

import os
from contextlib import closing
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from indexfallback.cli.destination import DestinationType, opened
from indexfallback.cli.options import Options, examples, takes_options
from indexfallback.cli.output import print_json, say, say_more, tell, tilde, tracked
from indexfallback.config import Index, Settings
from indexfallback.config.bucket_url import BucketUrl
from indexfallback.errors import TreeError
from indexfallback.words import counted

if TYPE_CHECKING:
    from indexfallback.tree.destination import Written
    from indexfallback.tree.sources import Source

#: The most left-out files that are printed; the rest is counted.
_NAMES = 10
#: The index name of the directory on the command line.
_DIRECTORY = "directory"


@click.command(
    "publish-tree",
    epilog=examples(
        "indexfallback publish-tree /srv/index --directory ./wheels",
        "indexfallback publish-tree s3://bucket/site --index local",
    ),
)
@click.argument("dest", type=DestinationType())
@click.option("--cached", is_flag=True, help="Publish what is cached, of the whole chain.")
@click.option(
    "--directory",
    metavar="DIR",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Publish the distributions in this directory.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@takes_options
def publish_tree(
    options: Options, dest: Path | BucketUrl, cached: bool, directory: Path | None, as_json: bool
) -> None:
    """Write an index into DEST, for any web server, an object store or file://.

    DEST is a directory, or s3://bucket/prefix. The index is --index NAME, by default the only
    directory of the chain. Only changes are written to DEST, and files that are not of the index
    any more are removed.
    """
    names = [text for text in options.indexes if "=" not in text]
    if len(names) + cached + (directory is not None) > 1:
        raise click.UsageError("--index NAME, --cached and --directory exclude one another")
    chain = tuple(text for text in options.indexes if "=" in text) or _chain_of_parent()
    if directory is not None:
        chain, names = (f"{_DIRECTORY}={directory.absolute()}",), [_DIRECTORY]
    settings = replace(options, indexes=chain).settings()
    if cached:
        settings, index = replace(settings, offline=True), None
    else:
        index = _index(settings, names)
        if isinstance(dest, Path):
            _check_apart(index, dest)
    written, skipped = _publish(settings, index, dest)
    if as_json:
        where = str(dest.absolute() if isinstance(dest, Path) else dest)
        print_json({"directory": where, **asdict(written), "skipped": skipped})
    else:
        _print(dest, written, skipped)


def _chain_of_parent() -> tuple[str, ...]:
    """Return the chain before the command's name; --index after it names the index to publish."""
    parent = click.get_current_context().parent
    before = parent.find_object(Options) if parent is not None else None
    return before.indexes if before is not None else ()


def _index(settings: Settings, names: list[str]) -> Index:
    """Return the index to publish; raises UsageError."""
    if names:
        index = settings.index(names[0])
        if index is None:
            known = ", ".join(each.name for each in settings.indexes) or "none"
            raise click.UsageError(f"--index {names[0]} names no index; there are: {known}")
        if not index.is_private and not index.is_directory:
            raise click.UsageError(
                f"{index.name} is a {index.role} index, too large to publish; "
                "--cached publishes what is cached of it"
            )
        return index
    directories = [index for index in settings.indexes if index.is_directory]
    if len(directories) != 1:
        found = ", ".join(index.name for index in directories) or "none"
        raise click.UsageError(
            "say what to publish: --index NAME, --cached or --directory DIR "
            f"(directories in the chain: {found})"
        )
    return directories[0]


def _check_apart(index: Index, dest: Path) -> None:
    """Refuse a tree that contains its source directory, or lies in it."""
    from indexfallback.upstream.roots import path_of  # noqa: PLC0415 - slow to import

    if not index.is_directory:
        return
    source, tree = (Path(os.path.realpath(path)) for path in (path_of(index.url), dest))
    if source.is_relative_to(tree) or tree.is_relative_to(source):
        problem = f"lies in the same place as {index.name} ({source})"
        raise TreeError(str(dest), problem, "name a directory beside it")


def _publish(
    settings: Settings, index: Index | None, dest: Path | BucketUrl
) -> "tuple[Written, list[str]]":
    from indexfallback.shim import Shim  # noqa: PLC0415 - slow to import
    from indexfallback.tree.publish import publish  # noqa: PLC0415 - as above
    from indexfallback.tree.sources import ChainSource, DirectorySource  # noqa: PLC0415 - as above

    with closing(Shim(settings)) as shim:
        member = shim.members[index.name] if index is not None else None
        if member is not None and member.index.is_directory:
            source: Source = DirectorySource(member, settings.page_size)
        else:
            source = ChainSource(shim, member)
        show = partial(tracked, description="Publishing")
        return publish(source, opened(dest, settings), show)


def _print(dest: Path | BucketUrl, written: "Written", skipped: list[str]) -> None:
    changes = [
        f"{counted(written.new_files, 'new file')} ({written.linked:,} linked)",
        f"{counted(written.pages, 'page')} written",
        f"{counted(written.removed, 'file')} removed",
    ]
    have = f"{counted(written.projects, 'project')} and {counted(written.files, 'file')}"
    tell(f"{tilde(dest) if isinstance(dest, Path) else dest} has {have}: {', '.join(changes)}")
    for line in skipped[:_NAMES]:
        say(f"left out: {line}")
    if len(skipped) > _NAMES:
        say_more(f"and {len(skipped) - _NAMES:,} more")
