"""``cache accept``: accepts a release whose cooldown is not over, or a changed file."""

import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

import click
from packaging.version import InvalidVersion, Version

from indexfallback.cli.forget import accept_file
from indexfallback.cli.opening import open_store
from indexfallback.cli.options import Options, examples, json_option, project_name, takes_options
from indexfallback.cli.output import clock, print_json, print_table, say, say_more, tell
from indexfallback.config import Settings
from indexfallback.names import is_distribution
from indexfallback.store.acceptances import Acceptance
from indexfallback.store.events import local_actor
from indexfallback.store.hosting import Hosting

if TYPE_CHECKING:
    from indexfallback.store.seam import Shared


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

    With cache.shared, all shims on the bucket offer it within a minute.

    With FILENAME, accepts a file whose content has changed: its pins are removed.
    """
    if lists:
        _list(options.settings(), project, as_json=as_json)
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
    settings = options.settings()
    with _records(settings) as (hosting, shared):
        if undo:
            _undo(hosting, shared, project, version, as_json=as_json)
        else:
            _accept(settings, hosting, shared, project, version, as_json=as_json)


@contextmanager
def _records(
    settings: Settings, *, only_read: bool = False
) -> Iterator[tuple[Hosting, "Shared | None"]]:
    """Yield the records of this user, and the bucket that several shims share, if there is one."""
    if settings.shared is None:
        with closing(Hosting()) as hosting:
            yield hosting, None
        return
    with open_store(settings, only_read=only_read, shares=True) as store:
        yield store.hosting, store.shared


def _accept(
    settings: Settings,
    hosting: Hosting,
    shared: "Shared | None",
    project: str,
    version: str,
    *,
    as_json: bool,
) -> None:
    cause, actor = "", local_actor()
    only_reads = settings.shared_mode == "read"
    if shared is None or only_reads:
        accepted = hosting.acceptances.accept(project, version, actor)
    else:
        release = Acceptance(project, version, time.time(), actor.name)
        accepted, cause = shared.accept(release)
        hosting.events.record("accepted", project, version, actor=actor)
    if as_json:
        is_shared = None if shared is None else not (only_reads or cause)
        print_json({"accepted": accepted._asdict(), "shared": is_shared})
        return
    tell(f"{project} {version} is accepted: no cooldown withholds it")
    if shared is None:
        return
    if only_reads:
        say(f"Only here: this shim does not write to {settings.shared} (cache.shared_mode).")
    elif cause:
        say(f"Only here until {settings.shared} can be written ({cause}).")
        say_more("A shim on this cache writes it then, or run the command again.")
    else:
        say(f"The other shims on {settings.shared} offer it within a minute.")


def _undo(
    hosting: Hosting, shared: "Shared | None", project: str, version: str, *, as_json: bool
) -> None:
    actor = local_actor()
    # The bucket first: if it cannot be written, the command fails, and is run again.
    was_shared = shared is not None and shared.withdraw(project, version)
    done = hosting.acceptances.undo(project, version, actor)
    if was_shared and not done:
        hosting.events.record("unaccepted", project, version, actor=actor)
        done = True
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


def _list(settings: Settings, project: str | None, *, as_json: bool) -> None:
    """Show the releases that are accepted here, and those of the bucket."""
    known: list[tuple[Acceptance, bool]] = []
    with _records(settings, only_read=True) as (hosting, shared):
        if shared is not None:
            known, cause = shared.releases(project)
            if cause:
                say(f"{settings.shared} cannot be read now ({cause}): this is what it had before.")
        known += [(each, False) for each in hosting.acceptances.all(project)]
    if as_json:
        print_json({"releases": [{**each._asdict(), "shared": there} for each, there in known]})
    elif known and settings.shared is None:
        print_table(("project", "version", "accepted", "by"), [_row(each) for each, _ in known])
    elif known:
        rows = [(*_row(each), "all shims" if there else "here") for each, there in known]
        print_table(("project", "version", "accepted", "by", "where"), rows)
    else:
        say("no release is accepted")


def _row(accepted: Acceptance) -> tuple[str, ...]:
    return accepted.project, accepted.version, clock(accepted.accepted), accepted.by
