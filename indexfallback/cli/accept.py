"""``cache accept``: accepts a release whose cooldown is not over, or a changed file."""

import sys

import click
from packaging.version import InvalidVersion, Version

from indexfallback.cli.forget import accept_file
from indexfallback.cli.options import Options, examples, json_option, project_name, takes_options
from indexfallback.cli.output import clock, print_json, print_table, say, tell
from indexfallback.names import is_distribution
from indexfallback.store.acceptances import Acceptance
from indexfallback.store.events import local_actor
from indexfallback.store.hosting import Hosting


@click.command(
    epilog=examples(
        "indexfallback cache accept PROJECT 1.0",
        "indexfallback cache accept PROJECT 1.0 --undo",
        "indexfallback cache accept PROJECT PROJECT-1.0-py3-none-any.whl",
        "indexfallback cache accept --list",
    )
)
@click.argument("project", type=project_name, required=False)
@click.argument("what", metavar="VERSION|FILENAME", required=False)
@click.option("--undo", is_flag=True, help="Withhold VERSION again until its cooldown is over.")
@click.option("--list", "lists", is_flag=True, help="Show the accepted releases.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
@takes_options
def accept(  # noqa: PLR0917 - click passes them by name
    options: Options,
    project: str | None,
    what: str | None,
    undo: bool,
    lists: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Offer VERSION of PROJECT before its cooldown is over.

    With FILENAME, accepts a file whose content has changed: its pins are removed.
    """
    if lists:
        _list(project, as_json=as_json)
        return
    if project is None or what is None:
        raise click.UsageError("name a project and a version or file, or use --list")
    if is_distribution(what.removesuffix(".metadata")):
        if undo:
            raise click.UsageError("--undo is for a version; the next download pins a file")
        accept_file(options.settings(), project, what, yes=yes, as_json=as_json)
        return
    try:
        version = str(Version(what))
    except InvalidVersion:
        raise click.UsageError(
            f'"{what}" is neither a version nor the name of a distribution'
        ) from None
    hosting = Hosting()
    try:
        if undo:
            _undo(hosting, project, version, as_json=as_json)
        else:
            _accept(hosting, project, version, as_json=as_json)
    finally:
        hosting.close()


def _accept(hosting: Hosting, project: str, version: str, *, as_json: bool) -> None:
    accepted = hosting.acceptances.accept(project, version, local_actor())
    if as_json:
        print_json({"accepted": accepted._asdict()})
        return
    tell(f"{project} {version} is accepted: no cooldown withholds it")


def _undo(hosting: Hosting, project: str, version: str, *, as_json: bool) -> None:
    done = hosting.acceptances.undo(project, version, local_actor())
    if as_json:
        print_json({"project": project, "version": version, "removed": done})
    elif done:
        tell(
            f"{project} {version} is withheld again until its cooldown is over, "
            "except what was served of it"
        )
    else:
        say(f"{project} {version} was not accepted")
    sys.exit(0 if done else 1)


def _list(project: str | None, *, as_json: bool) -> None:
    hosting = Hosting()
    try:
        known = hosting.acceptances.all(project)
    finally:
        hosting.close()
    if as_json:
        print_json({"releases": [each._asdict() for each in known]})
    elif known:
        print_table(("project", "version", "accepted", "by"), [_row(each) for each in known])
    else:
        say("no release is accepted")


def _row(accepted: Acceptance) -> tuple[str, ...]:
    return accepted.project, accepted.version, clock(accepted.accepted), accepted.by
