"""The error for a client if no source delivers a file: temporary (503) or final (404, 409)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from indexfallback.errors import (
    FileError,
    FileMissingError,
    FileUnavailableError,
    FileWrongError,
)
from indexfallback.outcome import LOGIN_KINDS, Kind, Outcome

#: A source with such an outcome has no usable metadata file. It may still have the distribution,
#: which contains the metadata.
_NO_METADATA = LOGIN_KINDS | {
    Kind.REFUSED, Kind.NOT_AN_INDEX, Kind.NOT_ALLOWED, Kind.FORBIDDEN,
}  # fmt: skip


class Failure(NamedTuple):
    """An attempt at one source that did not deliver the file."""

    #: The name of the index, or ``this machine``.
    source: str
    outcome: Outcome

    def __str__(self) -> str:
        return f"{self.source}: {self.outcome}"


def why(failures: Iterable[Failure]) -> str:
    """Return why a file cannot be fetched, source by source."""
    return "; ".join(dict.fromkeys(map(str, failures))) or "no index lists it"


def error_of(filename: str, failures: Iterable[Failure], remedy: str | None = None) -> FileError:
    """Return the error for a file: 503 only if another try may succeed.

    Of several attempts at one source the last one counts. ``remedy`` is that of the trouble that
    may pass, if it is known.
    """
    last = dict(failures := tuple(failures))
    wanting = (Kind.DENIED, Kind.NO_LOGIN)
    wants_login = tuple(name for name, outcome in last.items() if outcome.kind in wanting)
    return replace(_error(filename, failures, last, remedy), wants_login=wants_login)


def _error(
    filename: str, failures: Sequence[Failure], last: Mapping[str, Outcome], remedy: str | None
) -> FileError:
    if not last or any(outcome.may_pass for outcome in last.values()):
        again = "Run again when one of the indexes works."
        return FileUnavailableError(filename, why(failures), remedy or again)
    wrong = [name for name, outcome in last.items() if outcome.kind is Kind.WRONG]
    if wrong:
        remedy = (
            f"Tell whoever runs {_listed(wrong)}, or choose another version; the wrong file is not "
            "kept."
        )
        return FileWrongError(filename, why(failures), remedy)
    remedy = f"Tell whoever runs {_listed(last)}, whose page lists it, or choose another version."
    return FileMissingError(filename, why(failures), remedy)


def has_no_metadata(failures: Iterable[Failure]) -> bool:
    """Tell whether no source has a metadata file that can be used, and none will soon."""
    outcomes = dict(failures).values()
    return all(not outcome.may_pass or outcome.kind in _NO_METADATA for outcome in outcomes)


def _listed(names: Iterable[str]) -> str:
    return " and ".join(names)
