"""``yank``, ``unyank`` and ``remove``: withdraw a release from a hosted index."""

import sys

import click
from packaging.version import Version

from indexfallback.cli.opening import index_option, open_hosted
from indexfallback.cli.options import (
    Options,
    examples,
    project_name,
    takes_options_but_index,
    version_number,
)
from indexfallback.cli.output import say, tell
from indexfallback.hosted.index import HostedIndex
from indexfallback.page import File
from indexfallback.store.events import local_actor
from indexfallback.words import counted

_project = click.argument("project", type=project_name)
_release = click.argument("version", type=version_number)


@click.command(
    epilog=examples("indexfallback yank PROJECT 1.0 --reason 'forgets passwords; use 1.1'")
)
@_project
@_release
@click.option("--reason", default="", help="Clients that install it show the reason.")
@index_option
@takes_options_but_index
def yank(options: Options, project: str, version: Version, reason: str, index: str | None) -> None:
    """Yank VERSION of PROJECT (PEP 592).

    Clients do not choose it unless it is pinned.
    """
    with open_hosted(options.settings(), index) as hosted:
        files = hosted.yank(project, version, reason, local_actor())
        _end_without(files, hosted, project, version)
    _say_done("Yanked", project, version, files)
    tell(
        f"Clients choose it only for the exact requirement {project}=={version}, and then "
        "print a warning with the reason. Lock files with it still work.",
        "  ",
    )


@click.command(epilog=examples("indexfallback unyank PROJECT 1.0"))
@_project
@_release
@index_option
@takes_options_but_index
def unyank(options: Options, project: str, version: Version, index: str | None) -> None:
    """Undo the yank of VERSION of PROJECT."""
    with open_hosted(options.settings(), index) as hosted:
        files = hosted.yank(project, version, None, local_actor())
        _end_without(files, hosted, project, version)
    _say_done("No longer yanked", project, version, files)
    tell("Clients choose it like any other version.", "  ")


@click.command(epilog=examples("indexfallback remove PROJECT 1.0 --yes"))
@_project
@_release
@click.option("--yes", is_flag=True, help="Do not ask.")
@index_option
@takes_options_but_index
def remove(options: Options, project: str, version: Version, yes: bool, index: str | None) -> None:
    """Delete VERSION of PROJECT permanently.

    Installations that need it fail; `yank` does not break them.
    """
    with open_hosted(options.settings(), index) as hosted:
        files = hosted.files_of(project, version)
        _end_without(files, hosted, project, version)
        if not yes:
            _confirm(hosted, files)
        hosted.remove(project, version, local_actor())
        left = hosted.files(project)
    _say_done("Removed", project, version, files)
    after = (
        f"Lock files and pins with {project}=={version} fail from now on. "
        "A new file with the same name but other content is refused if the old one was served."
    )
    if not left:
        after += (
            f" It was the last version: clients now get {project} from the next index that has "
            "it, if any."
        )
    tell(after, "  ")


def _end_without(files: list[File], hosted: HostedIndex, project: str, version: Version) -> None:
    """End the command if a release has no files."""
    if not files:
        say(hosted.without(project, version))
        sys.exit(1)


def _confirm(hosted: HostedIndex, files: list[File]) -> None:
    say(f"this deletes from {hosted.index.name}: {', '.join(file.filename for file in files)}")
    if not sys.stdin.isatty():
        say("use --yes to delete them")
        sys.exit(1)
    click.confirm("Delete?", abort=True, err=True)


def _say_done(what: str, project: str, version: Version, files: list[File]) -> None:
    tell(f"{what}: {project} {version}, {counted(len(files), 'file')}")
