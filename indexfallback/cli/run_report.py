"""The last lines of ``run``: what the shim did for the command, and what the command left."""

import math
from collections import Counter
from pathlib import Path

from indexfallback.cli.output import say, say_more
from indexfallback.clients.troubles import Status, troubles
from indexfallback.clients.written import written_since
from indexfallback.server.address import NoAnswer, ask
from indexfallback.words import counted

#: Number of files that are named.
_NAMED = 10


def report_activity(url: str, began: float, *, failed: bool, quiet: bool) -> None:
    """Print the failures of a failed command, and where its projects came from."""
    try:
        status = ask(url, f"/-/status?since={began}&namesakes={str(failed).lower()}")
    except NoAnswer as error:
        say(f"the local index has stopped answering ({error})")
        return
    for trouble in troubles(status, began) if failed else ():
        say(trouble.sentence)
        for detail in trouble.details:
            say_more(detail)
    projects = status["activity"]["projects"]
    if projects and not quiet:
        say(_summary(projects))


def _summary(projects: dict[str, Status]) -> str:
    owners = Counter(served["owner"] for served in projects.values())
    shares = ", ".join(f"{count:,} from {owner}" for owner, count in owners.items())
    cached = sum(served["how"] not in ("asked", "ahead") for served in projects.values())
    stale = sum(served["how"] == "stale" for served in projects.values())
    waited = math.fsum(served["waited"] for served in projects.values())
    note = f" ({stale:,} stale)" if stale else ""
    return (
        f"{counted(len(projects), 'project')}: {shares}; {cached:,} from cache{note}; "
        f"{waited:.1f} s spent waiting for indexes"
    )


def report_written(url: str, began: float) -> None:
    """Name the files of the current directory that the command wrote the shim's address into."""
    files = written_since(Path.cwd(), began, url)
    if not files:
        return
    named = ", ".join(map(str, files[:_NAMED]))
    more = f" and {len(files) - _NAMED:,} more" if len(files) > _NAMED else ""
    say(f"the local index's address is now in {named}{more}; it works only on this machine.")
    say_more(
        "What you can do: `indexfallback doctor --mend` puts the indexes' own addresses back. "
        "Without --address, `indexfallback run` changes no address."
    )
