"""The last words of ``run``: what the shim did for the command, and what it could not do."""

import math
from collections import Counter
from http import HTTPStatus
from typing import Any

from indexfallback.cli.output import counted, say, say_more
from indexfallback.names import is_normalized

#: What could not be served is explained for at most so many; of the rest, the names are said.
_EXPLAINED = 5

Status = dict[str, Any]


def report(status: Status, began: float, *, failed: bool, quiet: bool) -> None:
    """Say what the shim could not do, if the command failed, and what it did.

    ``status`` is the shim's, of what happened since ``began``.
    """
    if failed:
        failures = status["activity"]["failures"]
        for failure in failures[:_EXPLAINED]:
            _explain(failure)
        if len(failures) > _EXPLAINED:
            names = ", ".join(failure["what"] for failure in failures[_EXPLAINED:])
            say(f"the same or the like for {names}")
        _tell_of_outages(status, began)
    if not quiet and status["activity"]["projects"]:
        _sum_up(status["activity"]["projects"])


def _explain(failure: Status) -> None:
    """Say which index was in trouble, what that meant for a project or file, and what to do."""
    say(f"{failure['what']} {_what_happened(failure)}.")
    for tried in failure["tried"]:
        if tried["what"] == "unavailable" or _is_held(tried, failure["what"]):
            say_more(f"{tried['index']} is unavailable: {tried['detail']}")
    cause = failure["cause"] or failure["message"]
    say_more(f"{cause[:1].upper()}{cause[1:]}.")
    if failure["remedy"]:
        say_more(f"What you can do: {failure['remedy']}")


def _what_happened(failure: Status) -> str:
    if failure["status"] == HTTPStatus.NOT_FOUND:
        return "was not found"
    if failure["status"] == HTTPStatus.CONFLICT:
        return "was refused"
    is_project = is_normalized(failure["what"])  # a file's name has a dot in it
    return "could not be looked up" if is_project else "could not be fetched"


def _is_held(tried: Status, project: str) -> bool:
    """Tell whether an index was skipped for its own state, not for whose project it was."""
    return tried["what"] == "skipped" and not tried["detail"].startswith(f"{project} ")


def _tell_of_outages(status: Status, began: float) -> None:
    """Say which indexes failed meanwhile, though something stood in for each."""
    told = {
        tried["index"] for failure in status["activity"]["failures"] for tried in failure["tried"]
    }
    for index in status["indexes"]:
        if index["name"] in told or not (index["failed"] >= began or index["held"]):
            continue
        if status["offline"]:
            continue
        say(f"{index['name']} was unavailable meanwhile: {index['last_error'] or index['held']}.")
        say_more(
            "What was seen before stood in for it, so that newer versions may be missing. "
            "What you can do: make it reachable (VPN, network) and run again."
        )


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
