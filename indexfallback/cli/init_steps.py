"""The steps of ``init``, each with an undo: a step that fails undoes those before it."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Protocol

from indexfallback.cli import init_record
from indexfallback.cli.client_view import other_index
from indexfallback.cli.compare import lists_of
from indexfallback.cli.keeping import Way
from indexfallback.cli.opening import open_store
from indexfallback.cli.options import Options
from indexfallback.cli.output import say, say_more, tell, tilde
from indexfallback.cli.pointing import print_results, set_up, undo_set_up
from indexfallback.cli.proposal import Proposal
from indexfallback.cli.running import address, client_address, health, root, runs_same
from indexfallback.cli.trial import install_something
from indexfallback.clients import change, files, record
from indexfallback.clients.catalogue import CLIENTS
from indexfallback.clients.record import CONFIGURATION, Record
from indexfallback.config import Settings
from indexfallback.errors import IndexFallbackError, LocatedError, StoreError
from indexfallback.words import counted


class InitError(LocatedError):
    """A step of ``init`` failed; ``where`` is the address of the shim."""


class Step(Protocol):
    """One step."""

    def do(self) -> None:
        """Do the step, and say what was done; raises an `IndexFallbackError`."""
        ...

    def undo(self) -> None:
        """Undo the step, also one that has failed; raises an `IndexFallbackError`."""
        ...


def carry_out(steps: Sequence[Step]) -> None:
    """Do the steps in order; if one fails, undo all that were begun, and exit."""
    before, begun = init_record.load(), list[Step]()
    try:
        for step in steps:
            begun.append(step)
            step.do()
    except BaseException as error:
        if isinstance(error, IndexFallbackError | OSError):
            say(str(error))
        _undo(begun)
        init_record.save(before)
        say("each step was undone: clients and the configuration are as before")
        if isinstance(error, IndexFallbackError | OSError):
            raise SystemExit(1) from error
        raise


def _undo(begun: Sequence[Step]) -> None:
    for step in reversed(begun):
        try:
            step.undo()
        except (IndexFallbackError, OSError) as error:  # the other steps are still undone
            say(str(error))


@dataclass
class Stopping:
    """Stops a shim that runs with another configuration."""

    options: Options
    settings: Settings
    way: Way

    def do(self) -> None:
        """Stop it."""
        kept = init_record.load()
        if not kept.started:  # else it is the one of an earlier `init`
            init_record.save(replace(kept, port=self.settings.port, stopped=self.way.name))
        self.way.stop(self.settings)

    def undo(self) -> None:
        """Start it again, with the configuration that it had."""
        self.way.start(self.options, replace(self.options.settings(), port=self.settings.port))


@dataclass
class Writing:
    """Writes the configuration file."""

    proposal: Proposal
    prior: Record | None = field(default_factory=lambda: record.load(CONFIGURATION))

    def do(self) -> None:
        """Write the file."""
        change.apply(change.planned_edit(CONFIGURATION, self.proposal.file, self.proposal.steps))
        tell(f"Wrote {tilde(self.proposal.file)}")

    def undo(self) -> None:
        """Restore the file as it was before this step."""
        if self.prior is None:
            restore_configuration()
        else:
            files.write_configuration(self.proposal.file, self.proposal.before)
            record.save(CONFIGURATION, self.prior)


def restore_configuration() -> bool:
    """Restore the configuration as it was before ``init``; tell whether all of it was restored."""
    edit = change.planned_undo(CONFIGURATION)
    if edit is None:
        return True
    change.apply_undo(edit)
    what = "Restored" if edit.file.exists() else "Removed"
    tell(f"{what} {tilde(edit.file)}")
    for label in edit.left:
        say_more(f"{label} was changed since then: it is not restored.")
    return not edit.left


@dataclass
class Listing:
    """Records the names that private indexes list, for a time when they cannot be asked."""

    options: Options
    #: The names that are known already, by `Index.key`.
    lists: Mapping[str, frozenset[str]]
    #: Names for which a page can be requested without sending them to the public index.
    names: list[str] = field(default_factory=list)

    def do(self) -> None:
        """Fetch the lists, and record them in the cache."""
        settings = self.options.settings()
        unknown = tuple(index for index in settings.indexes if index.key not in self.lists)
        fetched = lists_of(replace(settings, indexes=unknown))
        lists = {**self.lists, **{index.key: names for index, names in fetched.items()}}
        with suppress(StoreError), open_store(settings) as store:  # `serve` warns of the cache
            for index in settings.indexes:
                if index.key not in lists:
                    continue
                names = lists[index.key]
                if not names:
                    say(
                        f"{index.name} gives no list of its names now: set projects for it, so "
                        "that an outage does not stop all other projects"
                    )
                    continue
                store.ledger.record_list(index.key, names)
                store.ledger.write_list(index.key)
                if not index.defer_copies:  # else the public index would hear the names
                    self.names += sorted(names)
                tell(f"{index.name} has {counted(len(names), 'project')}")

    def undo(self) -> None:
        """Keep the lists: they are true of the indexes, whoever asks them."""


@dataclass
class Starting:
    """Starts the shim."""

    options: Options
    way: Way
    #: The port that it is started on.
    port: int

    def do(self) -> None:
        """Start it, and check that it has the configuration."""
        kept, settings = init_record.load(), self.options.settings()
        started = kept.started or self.way.name
        init_record.save(replace(kept, port=self.port, started=started))
        self.way.start(self.options, settings)
        if not runs_same(settings):
            raise InitError(
                root(settings), "the shim that was started has other settings",
                "`indexfallback service uninstall`, then run `indexfallback init` again",
            )  # fmt: skip
        started = f"Started the local index on {address(settings)}, {self.way.what}"
        tell(started)

    def undo(self) -> None:
        """Stop it."""
        self.way.stop(replace(self.options.settings(), port=self.port))


@dataclass
class Trying:
    """Installs something through the shim, into a temporary directory."""

    options: Options
    clients: Sequence[str]
    listing: Listing

    def do(self) -> None:
        """Install a small project."""
        done = install_something(self.options.settings(), self.clients, self.listing.names)
        tell(f"Tested: {done}")

    def undo(self) -> None:
        """Do nothing: the directory is gone."""


@dataclass
class Pointing:
    """Points one client at the shim."""

    options: Options
    client: str
    #: Whether the client was left alone: it was refused, or does not see the change.
    is_left: bool = False

    def do(self) -> None:
        """Write the client's file, and look at what the client makes of it."""
        kept = init_record.load()
        if self.client not in kept.clients:
            init_record.save(replace(kept, clients=(*kept.clients, self.client)))
        (result,) = set_up(self.options, [self.client])
        if not result["refused"]:
            url = client_address(self.options.settings())
            if other := other_index(CLIENTS[self.client], url):
                undo_set_up(self.options, self.client)
                reason = f"{other}, so that its file was restored; see `indexfallback doctor`"
                result = {**result, "changed": False, "refused": [reason]}
        if not result["changed"]:
            init_record.save(kept)
        self.is_left = bool(result["refused"])
        print_results([result], dry_run=False)

    def undo(self) -> None:
        """Restore the client's file, if it was changed."""
        if self.client in init_record.load().clients:
            undo_set_up(self.options, self.client)


@dataclass
class Answering:
    """Checks at the end that the shim still answers."""

    options: Options

    def do(self) -> None:
        """Ask it."""
        settings = self.options.settings()
        if health(settings) is None:
            raise InitError(root(settings), "the shim has ended", "see its log")

    def undo(self) -> None:
        """Do nothing."""
