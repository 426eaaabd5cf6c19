"""``publish-tree``: writes an index, or the cache, as static pages and files."""

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from indexfallback.cli.destination import DestinationType, publish_index
from indexfallback.cli.options import Options, examples, json_option, takes_options
from indexfallback.cli.output import print_json
from indexfallback.config import Index, Settings
from indexfallback.config.bucket_url import BucketUrl
from indexfallback.errors import TreeError

if TYPE_CHECKING:
    pass

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
@json_option
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
    published = publish_index(settings, index, dest)
    if as_json:
        print_json(published.as_data())
    else:
        published.show()


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
