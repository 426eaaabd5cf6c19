"""Describes the failures in the status of a shim, for the user of a command; no I/O."""

from collections.abc import Collection, Iterator
from http import HTTPStatus
from typing import Any, NamedTuple

from indexfallback.clients.young import explained, young_releases
from indexfallback.errors import FileWithheldError
from indexfallback.names import is_normalized
from indexfallback.words import counted

#: Number of failures, and of namesakes, that are explained.
_EXPLAINED = 5
_SUBSTITUTED = "Another index or the cache was used instead, so newer versions may be missing."

Status = dict[str, Any]


class Trouble(NamedTuple):
    """A sentence, and its details: the index, the cause, and what to do."""

    sentence: str
    details: tuple[str, ...] = ()


def troubles(status: Status, began: float) -> Iterator[Trouble]:
    """Yield the failures, the indexes that were unavailable without a failure, and the namesakes.

    ``status`` is that of the shim since ``began``, with ``namesakes``.
    """
    failures = status["activity"]["failures"]
    indexes = {index["name"] for index in status["indexes"]}
    yield from (_explained(failure, indexes) for failure in failures[:_EXPLAINED])
    if len(failures) > _EXPLAINED:
        names = ", ".join(failure["what"] for failure in failures[_EXPLAINED:])
        yield Trouble(f"similar failures for {names}")
    yield from _nothing_offered(status)
    yield from _too_young(status)
    yield from _changed(status)
    yield from _outages(status, began)
    yield from map(_of_namesake, status.get("namesakes", ())[:_EXPLAINED])


def _nothing_offered(status: Status) -> Iterator[Trouble]:
    """Say of which projects no file is offered, though their owner lists some."""
    for project, served in status["activity"]["projects"].items():
        if served["left_out"]:
            reason = f"Of the files that {served['owner']} lists, {served['left_out']}."
            yield Trouble(f"{project} has no file that can be installed.", (reason,))


def _too_young(status: Status) -> Iterator[Trouble]:
    """Say which releases of projects that were asked for are withheld by a cooldown."""
    told = {failure["what"] for failure in status["activity"]["failures"]}
    young = {
        project: [each for each in releases if told.isdisjoint(each["files"])]
        for project, releases in young_releases(status).items()
    }
    left = [(project, releases) for project, releases in young.items() if releases]
    # Clients give up at a project that they asked for late.
    left.reverse()
    for project, releases in left[:_EXPLAINED]:
        yield Trouble(*explained(project, releases))
    if len(left) > _EXPLAINED:
        names = ", ".join(f"{name} {each[0]['version']}" for name, each in left[_EXPLAINED:])
        yield Trouble(f"a cooldown withholds releases of more projects: {names}")


def _changed(status: Status) -> Iterator[Trouble]:
    """Say which files of projects that were asked for are withheld, since they have changed."""
    told = {failure["what"] for failure in status["activity"]["failures"]}
    for file in status["refused"]:
        if file["filename"] in told or file["project"] not in status["activity"]["projects"]:
            continue
        details = f"{_sentence(file['cause'], ())}.", f"What you can do: {file['remedy']}"
        yield Trouble(f"{file['filename']} of {file['index']} is withheld.", details)


def _explained(failure: Status, indexes: Collection[str]) -> Trouble:
    """Explain one failure: the indexes that were unavailable, the cause, and what to do."""
    details = [
        f"{tried['index']} is unavailable: {tried['detail']}"
        for tried in failure["tried"]
        if tried["what"] == "unavailable" or _is_held(tried, failure["what"])
    ]
    details.append(f"{_sentence(failure['cause'] or failure['message'], indexes)}.")
    if failure["remedy"]:
        details.append(f"What you can do: {failure['remedy']}")
    return Trouble(f"{failure['what']} {_what_happened(failure)}.", tuple(details))


def _sentence(cause: str, indexes: Collection[str]) -> str:
    """Return a cause with a capital letter, unless it begins with the name of an index."""
    if cause.partition(" ")[0].rstrip(":") in indexes:
        return cause
    return f"{cause[:1].upper()}{cause[1:]}"


def _what_happened(failure: Status) -> str:
    if failure["title"] == FileWithheldError.title:
        return "is withheld"
    if failure["status"] == HTTPStatus.NOT_FOUND:
        return "was not found"
    if failure["status"] == HTTPStatus.CONFLICT:
        return "was refused"
    is_project = is_normalized(failure["what"])  # a file's name has a dot in it
    return "could not be looked up" if is_project else "could not be fetched"


def _is_held(tried: Status, project: str) -> bool:
    """Tell whether an index was skipped because of its state, not because of the project."""
    return tried["what"] == "skipped" and not tried["detail"].startswith(f"{project} ")


def _outages(status: Status, began: float) -> Iterator[Trouble]:
    """Yield the indexes that were unavailable and are not named in a failure.

    They concern a command only if it has looked something up.
    """
    activity = status["activity"]
    if status["offline"] or not (activity["projects"] or activity["failures"]):
        return
    told = {tried["index"] for failure in activity["failures"] for tried in failure["tried"]}
    for index in status["indexes"]:
        if index["name"] in told or not (index["failed"] >= began or index["held"]):
            continue
        reason = index["last_error"] or index["held"]
        details = _SUBSTITUTED, f"What you can do: {index['remedy']}"
        sentence = f"{index['name']} was unavailable meanwhile: {reason}."
        yield Trouble(sentence, details if index["remedy"] else details[:1])


def _of_namesake(found: Status) -> Trouble:
    """Explain that a project came from a private index, and not from the public one."""
    project, index, public = found["project"], found["index"], found["public"]
    count = counted(found["files"], "file")
    sentence = (
        f"{project} came from {index}, which has {count}{_newest(found['newest'])}; "
        f"{public} has a project of this name too{_newest(found['public_newest'])}."
    )
    if found["defer_copies"]:
        return Trouble(sentence, (f"{index} has files of its own: to use {public}'s, set only.",))
    return Trouble(sentence, (f"If {index} only has copies, set defer_copies or only for it.",))


def _newest(version: str | None) -> str:
    return f" (newest {version})" if version is not None else ""
