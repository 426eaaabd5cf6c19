"""What a shim could not do for a command, in words, from the status that it gives; pure."""

from collections.abc import Iterator
from http import HTTPStatus
from typing import Any, NamedTuple

from indexfallback.names import is_normalized

#: What could not be served is explained for at most so many; of the rest, the names are said.
_EXPLAINED = 5
_STOOD_IN = (
    "Another index or what was seen before stood in for it, so that newer versions may be "
    "missing. "
    "What you can do: make it reachable (VPN, network) and run again."
)

Status = dict[str, Any]


class Trouble(NamedTuple):
    """A sentence, and what belongs to it: which index, why, and what to do."""

    sentence: str
    details: tuple[str, ...] = ()


def troubles(status: Status, began: float) -> Iterator[Trouble]:
    """Yield what could not be served, then which indexes something stood in for.

    ``status`` is the shim's, of what happened since ``began``.
    """
    failures = status["activity"]["failures"]
    yield from map(_explained, failures[:_EXPLAINED])
    if len(failures) > _EXPLAINED:
        names = ", ".join(failure["what"] for failure in failures[_EXPLAINED:])
        yield Trouble(f"the same or the like for {names}")
    yield from _outages(status, began)


def _explained(failure: Status) -> Trouble:
    """Say which index was in trouble, what that meant for a project or file, and what to do."""
    details = [
        f"{tried['index']} is unavailable: {tried['detail']}"
        for tried in failure["tried"]
        if tried["what"] == "unavailable" or _is_held(tried, failure["what"])
    ]
    details.append(f"{_sentence(failure['cause'] or failure['message'], failure['tried'])}.")
    if failure["remedy"]:
        details.append(f"What you can do: {failure['remedy']}")
    return Trouble(f"{failure['what']} {_what_happened(failure)}.", tuple(details))


def _sentence(cause: str, tried: list[dict[str, Any]]) -> str:
    """Return a cause as a sentence begins; the name of an index stays as it is."""
    if cause.partition(" ")[0] in {each["index"] for each in tried}:
        return cause
    return f"{cause[:1].upper()}{cause[1:]}"


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


def _outages(status: Status, began: float) -> Iterator[Trouble]:
    """Say which indexes failed meanwhile, though something stood in for each."""
    if status["offline"]:
        return
    told = {
        tried["index"] for failure in status["activity"]["failures"] for tried in failure["tried"]
    }
    for index in status["indexes"]:
        if index["name"] in told or not (index["failed"] >= began or index["held"]):
            continue
        reason = index["last_error"] or index["held"]
        yield Trouble(f"{index['name']} was unavailable meanwhile: {reason}.", (_STOOD_IN,))
