"""Files that are not stored, of which a client wants only the length or some of the bytes.

The bytes are passed on as the index gives them. No hash can tell whether a part is right; a client
that reads parts checks what it makes of them, as it does without this shim.
"""

import time
from collections.abc import Iterator
from typing import NamedTuple

from indexfallback.files.arrival import IncomingFile
from indexfallback.files.failures import Failure
from indexfallback.files.plan import Plan
from indexfallback.files.sources import EXPIRED_KINDS, Source
from indexfallback.outcome import Kind, Outcome
from indexfallback.upstream.answers import Part, PartAnswer

#: The most bytes of a part: a client that wants more at once wants the file. Lists of the members
#: of the largest wheels have under 2 MB.
MOST = 4 * 1024 * 1024
#: For a client that asks for the length alone.
NO_BYTES = Part(0, 0)
_FIRST_BYTE = Part(0, 1)


class FilePart(NamedTuple):
    """Some bytes of a file, or none, as an index gives them."""

    data: bytes
    #: Length of the whole file.
    total: int
    #: Of the whole file, if it is known.
    sha256: str | None


class UnheldFile:
    """A file at its sources."""

    def __init__(self, file: IncomingFile, plan: Plan) -> None:
        """Ask for ``file``, of which no byte has come, by the plan of its transfer."""
        self._file = file
        self._plan = plan
        self._failures = file.failures

    def part(self, wanted: Part) -> FilePart | None:
        """Return a part, empty if it begins behind the end; None if only the whole can be had.

        Raises `FileError`.
        """
        for source in self._usable(wanted):
            answer = self._length(source) if wanted == NO_BYTES else self._ask(source, wanted)
            data, total = answer.data, answer.total
            if total is not None and (data is not None or wanted.start >= total):
                return FilePart(data or b"", total, self._file.sha256)
        if any(failure.outcome.kind is Kind.NO_PARTS for failure in self._failures):
            return None
        raise self._file.error()

    def _usable(self, wanted: Part) -> Iterator[Source]:
        """Yield the sources as a transfer asks them."""
        expired: list[Source] = []
        skipped: list[Source] = []
        asked = False
        for source in self._plan.sources:
            held = source.held(time.monotonic())
            is_told = wanted == NO_BYTES and _states_length(source) and not source.member.is_offline
            if held is not None and not is_told:
                self._fail(source, held)
                skipped.append(source)
                continue
            asked = True
            yield source
            if self._failures and self._failures[-1].outcome.kind in EXPIRED_KINDS:
                expired.append(source)
        yield from filter(None, map(self._plan.renew, expired))
        yield from self._plan.last_resorts(skipped, nothing_asked=not asked)

    def _length(self, source: Source) -> PartAnswer:
        """Return no bytes and the length, which a page may state."""
        if _states_length(source):
            return PartAnswer(Outcome(Kind.FOUND, "stated by its page"), b"", source.file.size)
        answer = self._ask(source, _FIRST_BYTE)
        return answer if answer.total is None else answer._replace(data=b"")

    def _ask(self, source: Source, wanted: Part) -> PartAnswer:
        # Half of a source's share for the first byte, and half for the last.
        answer = source.upstream.part(source.file, wanted, self._plan.share / 2)
        source.learn(answer.outcome)
        if answer.data is None:
            self._fail(source, answer.outcome)
        return answer

    def _fail(self, source: Source, outcome: Outcome) -> None:
        self._failures.append(Failure(source.member.index.name, outcome))


def _states_length(source: Source) -> bool:
    return source.file.size is not None and source.file.sha256 is not None
