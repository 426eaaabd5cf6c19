"""The way to a bucket: what may be asked of it now, by its breakers and its self-test.

Locks: ``Link._lock`` guards ``_said``, when a failure was last logged; the fields that the
self-test sets are single references.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterable
from functools import partial
from itertools import islice
from pathlib import Path

from indexfallback.errors import BucketUnavailableError
from indexfallback.store.shared.answers import Answer, BucketError, Entry, Outcome, Stream
from indexfallback.store.shared.breaker import Breaker
from indexfallback.store.shared.bucket import MOST_IN_MEMORY, Bucket
from indexfallback.store.shared.causes import remedy_of
from indexfallback.store.shared.selftest import Abilities, examine

log = logging.getLogger("indexfallback.store")

#: One line a minute says that the bucket fails, seconds.
_SAY_EACH = 60.0
#: Another shim may write an object between reading and replacing it, a few times.
_TRIES = 5


class Link:
    """A bucket with one breaker for reading and one for writing."""

    def __init__(self, bucket: Bucket, *, is_for_writing: bool) -> None:
        """``is_for_writing``: whether this shim may write, by its settings."""
        self.bucket = bucket
        self.is_for_writing = is_for_writing
        self.reading = Breaker()
        self.writing = Breaker()
        #: The result of the latest self-test; None before the first.
        self.abilities: Abilities | None = None
        self._lock = threading.Lock()
        self._said = float("-inf")

    def examine(self) -> Abilities:
        """Test the bucket, and say what has changed since the last test."""
        before, now = self.abilities, examine(self.bucket, writes=self.is_for_writing)
        is_well = now.is_passed or (now.reads and not self.is_for_writing)
        if before is None or before[:3] != now[:3]:
            log.log(
                logging.INFO if is_well else logging.WARNING,
                "shared bucket %s: %s", self.bucket, self._said_of(now),
            )  # fmt: skip
            self._is_due()
        elif not now.reads:
            self._say(Answer(Outcome.UNREACHABLE, cause=now.cause))
        if before is not None and before.conditions and not now.reads:
            # A bucket that was right is not wrong while it cannot be asked.
            now = before
        self.abilities = now
        return now

    def _said_of(self, abilities: Abilities) -> str:
        if abilities.conditions:
            return "the self-test has passed"
        if abilities.writes:
            return f"{abilities.cause}: files and pages are shared, pins and owners are not"
        if abilities.reads:
            return f"it is only read: {abilities.cause}"
        return f"it cannot be used now ({abilities.cause}); this shim works without it"

    @property
    def has_conditions(self) -> bool:
        """Whether pins are shared: not if the self-test found that conditions are ignored."""
        abilities = self.abilities
        return abilities is None or not abilities.writes or abilities.conditions

    @property
    def may_write(self) -> bool:
        """Whether anything may be written, by the settings and the self-test."""
        return self.is_for_writing and self.abilities is not None and self.abilities.writes

    @property
    def takes_writes(self) -> bool:
        """Whether the bucket may be written, and has not lately failed to be."""
        return self.may_write and self.writing.state == "closed"

    @property
    def may_create(self) -> bool:
        """Whether what is created once may be written: the self-test has passed."""
        return self.may_write and self.abilities is not None and self.abilities.conditions

    @property
    def state(self) -> str:
        """``ok``, ``read only``, ``pins not shared``, ``not tested``, or ``unreachable``."""
        abilities = self.abilities
        if abilities is None:
            return "not tested"
        if not abilities.reads or self.reading.state == "open":
            return "unreachable"
        if not abilities.writes or self.writing.state == "open":
            return "read only"
        return "ok" if abilities.conditions else "pins not shared"

    @property
    def cause(self) -> str:
        """Why the state is not ``ok``; empty if it is."""
        if self.state == "ok":
            return ""
        of_test = self.abilities.cause if self.abilities is not None else ""
        return self.reading.cause or self.writing.cause or of_test

    def get(self, key: str, *, unless: str = "", most: int = MOST_IN_MEMORY) -> Answer:
        """Read an object, as `Bucket.get`."""
        return self._read(lambda: self.bucket.get(key, unless=unless, most=most))

    def head(self, key: str) -> Answer:
        """Ask for an object's size, as `Bucket.head`."""
        return self._read(lambda: self.bucket.head(key))

    def list(self, prefix: str, most: int) -> tuple[Answer, list[Entry]]:
        """Return the first ``most`` objects below a prefix."""
        found: list[Entry] = []

        def ask() -> Answer:
            try:
                found.extend(islice(self.bucket.list(prefix), most))
            except BucketError as error:
                return error.answer
            return Answer(Outcome.FOUND)

        return self._read(ask), found

    def stream(self, key: str, start: int) -> Stream:
        """Read a file, as `Bucket.stream`; one that breaks off is told by `broke_off`."""
        streams: list[Stream] = []

        def ask() -> Answer:
            streams.append(self.bucket.stream(key, start))
            return streams[0].answer

        answer = self._read(ask)
        return streams[0] if streams else Stream(answer, iter(()))

    def broke_off(self, error: BucketError) -> None:
        """Heed that a file broke off."""
        self.reading.record(error.answer)
        self._say(error.answer)

    def put(self, key: str, data: bytes | Path) -> Answer:
        """Write an object, as `Bucket.put`."""
        return self._write(lambda: self.bucket.put(key, data))

    def create(self, key: str, data: bytes | Path) -> Answer:
        """Create an object, as `Bucket.create`."""
        return self._write(lambda: self.bucket.create(key, data))

    def replace_if(self, key: str, data: bytes, etag: str) -> Answer:
        """Replace a version of an object, as `Bucket.replace_if`."""
        return self._write(lambda: self.bucket.replace_if(key, data, etag))

    def update(self, key: str, change: Callable[[bytes | None], bytes | None]) -> Answer:
        """Replace an object by what ``change`` makes of it, whoever else writes it meanwhile.

        ``change`` takes the content, None if there is no object, and returns the new one, or None
        to leave it as it is: the answer is `EXISTS`.
        """
        for _ in range(_TRIES):
            before = self.get(key)
            if before.outcome not in (Outcome.FOUND, Outcome.ABSENT):
                return before
            data = change(before.data if before.is_found else None)
            if data is None:
                return Answer(Outcome.EXISTS)
            if not self.may_create:
                return Answer(Outcome.DENIED, cause="the self-test has not passed")
            if before.is_found:
                answer = self.replace_if(key, data, before.etag)
            else:
                answer = self.create(key, data)
            if answer.outcome is not Outcome.EXISTS:
                return answer
        return Answer(Outcome.UNREACHABLE, cause=f"others write {key} all the time")

    def delete(self, key: str) -> Answer:
        """Remove an object, as `Bucket.delete`."""
        return self._write(lambda: self.bucket.delete(key))

    def remove(self, keys: Iterable[str]) -> None:
        """Remove objects now, for the user; raises `BucketUnavailableError`."""
        self.require_writing()
        for key in keys:
            self._now(partial(self.bucket.delete, key))

    def put_now(self, key: str, data: bytes) -> None:
        """Write an object now, for the user; raises `BucketUnavailableError`."""
        self.require_writing()
        self._now(partial(self.bucket.put, key, data))

    def _now(self, request: Callable[[], Answer]) -> None:
        answer = request()
        if not answer.is_found:
            raise self.unavailable(answer)

    def remove_below(self, prefix: str) -> None:
        """Remove all objects below a prefix now; raises `BucketUnavailableError`."""
        try:
            self.remove([entry.key for entry in self.bucket.list(prefix)])
        except BucketError as error:
            raise self.unavailable(error.answer) from error

    def require_writing(self) -> None:
        """Raise `BucketUnavailableError` if this shim only reads, by its settings."""
        if not self.is_for_writing:
            raise BucketUnavailableError(
                f"shared bucket {self.bucket}",
                "is only read, by shared_mode",
                'run it where shared_mode is "read-write"',
            )

    def unavailable(self, answer: Answer) -> BucketUnavailableError:
        """Return the error for the user whom an answer stops."""
        return BucketUnavailableError(
            f"shared bucket {self.bucket}",
            answer.cause,
            remedy_of(answer.cause)
            or ("run `indexfallback doctor`" if answer.outcome is Outcome.DENIED else "run again"),
        )

    def _read(self, request: Callable[[], Answer]) -> Answer:
        abilities = self.abilities
        if abilities is not None and not abilities.reads:  # the next self-test may pass
            return Answer(Outcome.UNREACHABLE, cause=f"not asked: {abilities.cause}")
        return self._asked(self.reading, request)

    def _write(self, request: Callable[[], Answer]) -> Answer:
        return self._asked(self.writing, request)

    def _asked(self, breaker: Breaker, request: Callable[[], Answer]) -> Answer:
        answer = breaker.ask(request)
        if answer.outcome in (Outcome.UNREACHABLE, Outcome.DENIED):
            self._say(answer)
        return answer

    def _say(self, answer: Answer) -> None:
        if self._is_due():
            log.warning(
                "shared bucket %s: %s (%s); this shim works without it: run `indexfallback doctor`",
                self.bucket, answer.outcome.value, answer.cause,
            )  # fmt: skip

    def _is_due(self) -> bool:
        """Tell whether a failure is to be logged now; it is then taken as logged."""
        now = time.monotonic()
        with self._lock:
            is_due = now - self._said > _SAY_EACH
            if is_due:
                self._said = now
        return is_due
