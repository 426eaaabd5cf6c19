"""The undo of ``init``: what it did is undone in reverse order, the clients first."""

from dataclasses import replace

from indexfallback.cli import init_record
from indexfallback.cli.init_steps import restore_configuration
from indexfallback.cli.keeping import way_named
from indexfallback.cli.options import Options
from indexfallback.cli.output import say, say_more, tell
from indexfallback.cli.pointing import pointed_clients, print_results, undo_set_up
from indexfallback.clients import record
from indexfallback.clients.record import CONFIGURATION
from indexfallback.words import joined


def undo_init(options: Options) -> bool:
    """Undo what ``init`` did; tell whether all of it was undone.

    The shim is stopped only if no client has its address any more.
    """
    kept = init_record.load()
    if kept == init_record.InitRecord() and record.load(CONFIGURATION) is None:
        tell("init has changed nothing: there is nothing to undo.")
        return True
    # Their notes are about a chain that stays.
    results = [
        {**undo_set_up(options, name), "notes": []} for name in kept.clients if record.load(name)
    ]
    print_results(results, dry_run=False)
    init_record.save(replace(kept, clients=()))
    if kept.started and not _stop(options, kept):
        return False
    is_whole = restore_configuration()
    if kept.stopped:
        way = way_named(kept.stopped)
        way.start(options, replace(options.settings(), port=kept.port))
        tell(f"Started the local index as before, {way.what}")
    init_record.save(init_record.InitRecord())
    return is_whole and not any(result["left"] for result in results)


def _stop(options: Options, kept: init_record.InitRecord) -> bool:
    settings = replace(options.settings(), port=kept.port)
    if still := pointed_clients(settings):
        say(
            f"the local index is not stopped, because {joined(still)} would still use it: "
            f"`indexfallback setup {' '.join(still)} --undo`, or remove its address from their "
            "files"
        )
        say_more("Then run `indexfallback init --undo` again.")
        return False
    way_named(kept.started).stop(settings)
    tell("Stopped the local index")
    return True
