"""The last words of ``run``: what the shim did for the command, and what it could not do."""

import math
from collections import Counter

from indexfallback.cli.output import say, say_more
from indexfallback.clients.troubles import Status, troubles
from indexfallback.words import counted


def report(status: Status, began: float, *, failed: bool, quiet: bool) -> None:
    """Say what the shim could not do, if the command failed, and what it did.

    ``status`` is the shim's, of what happened since ``began``.
    """
    for trouble in troubles(status, began) if failed else ():
        say(trouble.sentence)
        for detail in trouble.details:
            say_more(detail)
    if not quiet and status["activity"]["projects"]:
        _sum_up(status["activity"]["projects"])


def _sum_up(projects: dict[str, Status]) -> None:
    owners = Counter(served["owner"] for served in projects.values())
    shares = ", ".join(f"{count:,} from {owner}" for owner, count in owners.items())
    cached = sum(served["how"] != "asked" for served in projects.values())
    stale = sum(served["how"] == "stale" for served in projects.values())
    waited = math.fsum(served["waited"] for served in projects.values())
    note = f" ({stale:,} stale)" if stale else ""
    say(
        f"{counted(len(projects), 'project')}: {shares}; {cached:,} from cache{note}; "
        f"{waited:.1f} s spent waiting for indexes"
    )
