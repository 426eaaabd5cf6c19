"""Reads parts of a file at an index: a wheel's metadata, or the bytes that a client asks for."""

import time
from dataclasses import replace

from indexfallback.dists.bounds import ArchiveError
from indexfallback.dists.remote_wheel import TAIL, read_remote_metadata
from indexfallback.outcome import Kind, Outcome
from indexfallback.page import File
from indexfallback.upstream.answers import FileAnswer, Part, PartAnswer, TransferError, Upstream
from indexfallback.upstream.bodies import body_of_bytes

#: The detail of an outcome where two parts are of two contents.
_CHANGED = "the file changed between two requests"


def open_metadata(upstream: Upstream, wheel: File, patience: float) -> FileAnswer:
    """Return the metadata file of a wheel, read from parts of the wheel.

    ``patience`` is the time limit for the first byte of each part, seconds. The outcome is NO_PARTS
    if the index cannot send parts of the wheel: then its metadata can be read only from the whole
    wheel.
    """
    if wheel.size is not None and wheel.size <= TAIL:  # it would come whole, and not be kept
        return FileAnswer(Outcome(Kind.NO_PARTS, "the wheel is as small as a part"))
    started, remote = time.monotonic(), _RemoteFile(upstream, wheel, patience)
    try:
        tail = remote.ask(Part(-TAIL))
        data = read_remote_metadata(wheel.filename, remote.total, tail, remote.fetch)
    except TransferError as error:
        outcome = error.outcome
    except ArchiveError as error:
        outcome = Outcome(Kind.NO_PARTS, f"no metadata in parts of {wheel.filename}: {error}")
    else:
        outcome = Outcome(Kind.FOUND, f"read from parts of {wheel.filename}")
        return FileAnswer(_timed(outcome, started), body_of_bytes(data))
    # A gateway's trouble and a lost connection pass; a server that fails at parts may do so always.
    if outcome.kind is Kind.FAILED and not outcome.is_transient:
        outcome = replace(outcome, kind=Kind.NO_PARTS)
    return FileAnswer(_timed(outcome, started))


class _RemoteFile:
    """A file at an index, read part by part; all parts must be of the same content."""

    def __init__(self, upstream: Upstream, file: File, patience: float) -> None:
        self._upstream = upstream
        self._file = file
        self._patience = patience
        self._first: PartAnswer | None = None

    @property
    def total(self) -> int:
        """The length of the file, 0 before the first part."""
        return self._first.total or 0 if self._first is not None else 0

    def fetch(self, start: int, stop: int) -> bytes:
        """Return some bytes; raises `TransferError`."""
        return self.ask(Part(start, stop))

    def ask(self, wanted: Part) -> bytes:
        """Return a part; raises `TransferError`."""
        answer = self._upstream.part(self._file, wanted, self._patience)
        if answer.data is None:
            raise TransferError(answer.outcome)
        first = self._first = self._first or answer
        if (answer.total, answer.etag) != (first.total, first.etag):
            raise TransferError(Outcome(Kind.NO_PARTS, _CHANGED))
        return answer.data


def _timed(outcome: Outcome, started: float) -> Outcome:
    return replace(outcome, elapsed=time.monotonic() - started)
