"""``yank``, ``unyank`` and ``remove``: what is listed of a release that should not be used."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click
from packaging.version import InvalidVersion, Version

from indexfallback.cli.hosted import index_option, open_shelf
from indexfallback.cli.options import Options, examples, project_name, takes_options_but_index
from indexfallback.cli.output import say, wrapped
from indexfallback.hosted.shelf import Shelf
from indexfallback.page import File
from indexfallback.words import counted


def _version(text: str) -> Version:
    try:
        return Version(text)
    except InvalidVersion as error:
        raise click.BadParameter(f'"{text}" is no version') from error


_project = click.argument("project", type=project_name)
_release = click.argument("version", type=_version)


@click.command(
    epilog=examples("indexfallback yank PROJECT 1.0 --reason 'forgets passwords; use 1.1'")
)
@_project
@_release
@click.option("--reason", default="", help="Shown by clients that install it all the same.")
@index_option
@takes_options_but_index
def yank(options: Options, project: str, version: Version, reason: str, index: str | None) -> None:
    """Mark VERSION of PROJECT as not to be chosen, without breaking who has pinned it."""
    with _files(options, index, project, version) as (shelf, files):
        for file in files:
            shelf.yank(project, file, reason)
    _say_done("Yanked", project, version, files)
    click.echo(
        wrapped(
            f"Clients choose it only for a requirement that is exactly {project}=={version}, and "
            "then warn, with the reason; lock files that name it go on working."
        )
    )


@click.command(epilog=examples("indexfallback unyank PROJECT 1.0"))
@_project
@_release
@index_option
@takes_options_but_index
def unyank(options: Options, project: str, version: Version, index: str | None) -> None:
    """List VERSION of PROJECT as any other again."""
    with _files(options, index, project, version) as (shelf, files):
        for file in files:
            shelf.yank(project, file, None)
    _say_done("No longer yanked", project, version, files)
    click.echo(wrapped("Clients choose it as any other version."))


@click.command(epilog=examples("indexfallback remove PROJECT 1.0 --yes"))
@_project
@_release
@click.option("--yes", is_flag=True, help="Do not ask.")
@index_option
@takes_options_but_index
def remove(options: Options, project: str, version: Version, yes: bool, index: str | None) -> None:
    """Delete VERSION of PROJECT for good; `yank` breaks nobody's installs."""
    with _files(options, index, project, version) as (shelf, files):
        if not yes:
            _confirm(shelf, files)
        for file in files:
            shelf.remove(file)
        left = shelf.files(project)
    _say_done("Removed", project, version, files)
    after = (
        f"Lock files and pins of {project}=={version} fail from now on. "
        "A file of the same name with another content is refused where the first was served."
    )
    if not left:
        after += (
            f" It was the last version: clients now get {project} from the next index that has "
            "the name, if there is one."
        )
    click.echo(wrapped(after))


@contextmanager
def _files(
    options: Options, index: str | None, project: str, version: Version
) -> Iterator[tuple[Shelf, list[File]]]:
    """Give the files of a release; ends the command if there are none."""
    with open_shelf(options.settings(), index) as shelf:
        files = shelf.files_of(project, version)
        if not files:
            say(f"{shelf.index.name} has no file of {project} {version}")
            sys.exit(1)
        yield shelf, files


def _confirm(shelf: Shelf, files: list[File]) -> None:
    say(f"this deletes from {shelf.index.name}: {', '.join(file.filename for file in files)}")
    if not sys.stdin.isatty():
        say("give --yes to go on")
        sys.exit(1)
    click.confirm("Delete?", abort=True, err=True)


def _say_done(what: str, project: str, version: Version, files: list[File]) -> None:
    click.echo(f"{what}: {project} {version}, {counted(len(files), 'file')}")
