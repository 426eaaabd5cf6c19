"""``init``: sets up a shim for the indexes in use, and points clients at it."""

import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import click

from indexfallback.cli.init_steps import (
    Answering,
    Listing,
    Pointing,
    Starting,
    Step,
    Stopping,
    Trying,
    Writing,
    carry_out,
)
from indexfallback.cli.init_undo import undo_init
from indexfallback.cli.keeping import Background, Way, best_way, way_of
from indexfallback.cli.options import Options, examples, takes_options
from indexfallback.cli.output import is_quiet, say, say_more, tell, tilde
from indexfallback.cli.pointing import installed, permanent_settings, set_up
from indexfallback.cli.proposal import Proposal, examined, proposed, show
from indexfallback.cli.running import address, found
from indexfallback.config import Settings
from indexfallback.server.address import PortTakenError, free_port
from indexfallback.server.asking import Found, Kind
from indexfallback.words import joined

#: Asks a question that is answered by yes or no; yes is the answer of an empty line.
Ask = Callable[[str], bool]


@dataclass(frozen=True, kw_only=True)
class Situation:
    """The present state, and what is to be done."""

    settings: Settings
    proposal: Proposal
    #: The server that answers at the port, and is not stopped.
    there: Found | None
    #: The clients that are not set up yet.
    clients: tuple[str, ...]

    @property
    def port(self) -> int:
        """The port of the shim."""
        return self.proposal.port or self.settings.port

    @property
    def starts(self) -> bool:
        """Whether no shim with the proposed configuration runs."""
        runs = self.there is not None and self.there.has(self.settings.identity)
        return self.proposal.is_needed or not runs

    @property
    def is_done(self) -> bool:
        """Whether there is nothing to do."""
        return not self.starts and not self.clients


@click.command(
    epilog=examples("indexfallback init", "indexfallback init --yes", "indexfallback init --undo")
)
@click.option("--yes", is_flag=True, help="Do all of it without a question.")
@click.option("--undo", is_flag=True, help="Restore all that init has changed.")
@takes_options
def init(options: Options, *, yes: bool, undo: bool) -> None:
    """Create a chain of the indexes in use, start it, and point clients at it.

    Clients are changed last, after a test install through the running shim; if a step fails, all
    before it are undone. Names of private indexes are compared with the public one only after a
    question on a terminal. Exits with 1 if a client was left alone.
    """
    if undo:
        sys.exit(0 if undo_init(options) else 1)
    settings = permanent_settings(options)
    options = replace(options, offline=False, verbose=0)  # the shim goes on for later
    is_asked = not yes and _is_terminal()
    situation = _situation(options, settings, is_asked=is_asked)
    if situation.is_done:
        tell(f"All is set up: {address(situation.settings)} answers.")
        return
    if not yes and not is_asked:
        _say_what_would_be(situation)
        raise SystemExit(1)
    ask: Ask = (lambda question: click.confirm(question, default=True)) if is_asked else _always
    steps = _steps(options, situation, ask)
    carry_out(steps)
    _say_at_the_end(options, situation, steps)


def _is_terminal() -> bool:
    return sys.stdin.isatty()


def _always(_: str) -> bool:
    return True


def _situation(options: Options, settings: Settings, *, is_asked: bool) -> Situation:
    """Return the present state, and print the chain; raises `PortTakenError`."""
    proposal = proposed(options, settings)
    there, port = _port(settings)
    if is_asked or not is_quiet():
        show(proposal)
    proposal = examined(proposal, settings, click.confirm if is_asked else None)
    planned = set_up(options, installed(), dry_run=True)
    return Situation(
        settings=options.settings(),
        proposal=replace(proposal, port=port),
        there=there,
        clients=tuple(each["client"] for each in planned if each["diff"] or each["refused"]),
    )


def _port(settings: Settings) -> tuple[Found | None, int]:
    """Return the shim of this user on the port, and a free port if another program has that."""
    there = found(settings)
    if there is None or (there.kind is Kind.OWN and not there.health["for_one_command"]):
        return there, 0
    who = there.kind.value
    if there.kind is Kind.OWN:
        who = f"the shim of a command, process {there.health['pid']}, for as long as that runs"
    if there.kind is Kind.OWN or settings.origins["server.port"] == "INDEXFALLBACK_PORT":
        raise PortTakenError(settings.host, settings.port, who)
    port = free_port(settings.host, settings.port, settings.identity)
    say(f"{settings.host}:{settings.port} is taken by {who}; port {port} is free")
    return None, port


def _steps(options: Options, situation: Situation, ask: Ask) -> list[Step]:
    """Return the steps, after a question for each change."""
    proposal, steps = situation.proposal, list[Step]()
    stopping, way = _way(options, situation)
    file = tilde(proposal.file)
    if not proposal.is_needed:
        tell(f"{file} has this chain already.")
    elif not ask(f"Write {_written(situation)} to {file}?"):
        click.echo("Nothing was changed.")
        sys.exit(0)
    writing = [Writing(proposal)] if proposal.is_needed else []
    listing = Listing(options, proposal.lists)
    if not situation.starts:
        steps = [listing]
    elif ask(f"{'Restart' if stopping else 'Start'} the local index, {way.what}?"):
        starting = Starting(options, way, situation.port)
        steps = [*stopping, *writing, listing, starting]
    else:
        say("clients are left alone: they would wait for an index that does not run")
        return [*writing]
    if situation.settings.private:
        why = situation.settings.origins.get("server.private", "").removeprefix("default: ")
        tell(f"Your token is written into the files of clients ({why}).")
    chosen = [name for name in situation.clients if ask(f"Point {name} at it after a test?")]
    pointing = [Pointing(options, name) for name in chosen]
    return [*steps, Trying(options, installed(), listing), *pointing, Answering(options)]


def _written(situation: Situation) -> str:
    if not situation.proposal.port:
        return "this chain"
    return f"this chain, with port {situation.port},"


def _way(options: Options, situation: Situation) -> tuple[list[Stopping], Way]:
    """Return the way to start a shim, and the step that stops the one of another configuration."""
    there, settings = situation.there, situation.settings
    if there is None or not situation.starts:
        return [], best_way()
    way = way_of(there.health["pid"], settings)
    if way is None:
        who = f"your shim of process {there.health['pid']}, which has another configuration"
        raise PortTakenError(settings.host, settings.port, who)
    return [Stopping(options, settings, way)], way


def _say_what_would_be(situation: Situation) -> None:
    proposal = situation.proposal
    if proposal.is_needed:
        file = tilde(proposal.file)
        written = _written(situation)
        click.echo(f"{written[0].upper()}{written[1:]} would be written to {file}.")
    if situation.starts:
        click.echo("The local index would be started.")
    if situation.clients:
        click.echo(f"These clients would be set up: {', '.join(situation.clients)}.")
    say("nothing was changed, because there is no terminal; use --yes to accept the changes")


def _say_at_the_end(options: Options, situation: Situation, steps: Sequence[Step]) -> None:
    """Say which clients install through the shim; exit with 1 if one was left alone."""
    pointing = [step for step in steps if isinstance(step, Pointing)]
    pointed = [step.client for step in pointing if not step.is_left]
    if pointed:
        install = "installs" if len(pointed) == 1 else "install"
        url = address(options.settings())
        tell(f"{joined(pointed)} {install} through {url} now.")
    if not is_quiet():
        _say_what_is_next(situation, steps)
    if any(step.is_left for step in pointing):
        left = [step.client for step in pointing if step.is_left]
        say(
            f"{joined(left)}: left alone for the reasons above; `indexfallback run -- COMMAND` "
            "installs through the index all the same"
        )
        raise SystemExit(1)


def _say_what_is_next(situation: Situation, steps: Sequence[Step]) -> None:
    """Print what a restart of the machine ends, and how to undo everything."""
    for step in steps:
        if isinstance(step, Starting) and isinstance(step.way, Background):
            say_more("After a restart of the machine: `indexfallback serve --background`.")
    if situation.there is not None and not situation.starts and os.name == "posix":
        pid = situation.there.health["pid"]
        if way_of(pid, situation.settings) is None:
            say_more(
                f"The local index (process {pid}) ends with its terminal or script; at each "
                "login: `indexfallback service install`."
            )
    say_more("To undo all: `indexfallback init --undo`.")
