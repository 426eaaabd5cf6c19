"""What a bucket answers: the results of requests, and what is in listings."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from enum import Enum
from typing import NamedTuple


class Outcome(str, Enum):
    """What one request meant."""

    #: The object was read, written or removed.
    FOUND = "found"
    #: The object that was asked for again has not changed.
    UNCHANGED = "unchanged"
    #: There is no object; for a write, there is no bucket.
    ABSENT = "absent"
    #: There is another object, and nothing was written.
    EXISTS = "exists"
    #: The credentials do not permit it, or there are none.
    DENIED = "denied"
    #: Refused, no answer in time, broken off, 5xx, or an answer that cannot be understood.
    UNREACHABLE = "unreachable"


class Answer(NamedTuple):
    """The result of one request."""

    outcome: Outcome
    data: bytes = b""
    #: The version of the object that was read or written; for `Bucket.replace_if`.
    etag: str = ""
    #: Length of the object, bytes.
    size: int = 0
    #: Why, for all but `Outcome.FOUND`; without credentials.
    cause: str = ""
    #: Of an object that was asked for with `Bucket.head`: those that it was written with.
    attributes: Mapping[str, str] = {}

    @property
    def is_found(self) -> bool:
        """Whether the request did what it was to do."""
        return self.outcome is Outcome.FOUND


class Stream(NamedTuple):
    """An object whose bytes are received while they are used."""

    answer: Answer
    #: The bytes; raises `BucketError`. Empty unless the answer is found.
    pieces: Iterator[bytes]


class Entry(NamedTuple):
    """An object in a listing."""

    #: Its whole key, as for `Bucket.get`.
    key: str
    size: int
    etag: str
    modified: datetime


class Folder(NamedTuple):
    """What lies directly below a prefix."""

    answer: Answer
    objects: Sequence[Entry] = ()
    #: Whole keys of the prefixes below, without a slash at the end.
    folders: Sequence[str] = ()


class BucketError(OSError):
    """A listing or a file broke off, or could not be begun."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.cause)
        #: Why: denied or unreachable, or absent.
        self.answer = answer
