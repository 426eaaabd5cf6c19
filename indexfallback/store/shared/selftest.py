"""The self-test of a bucket: what it permits, and whether it honours conditions.

Three of five servers that speak S3 ignore ``If-None-Match: *`` and overwrite: the pins and uploads
of several shims would silently replace each other there.
"""

import uuid
from typing import NamedTuple

from indexfallback.store.shared.answers import Answer, Outcome
from indexfallback.store.shared.bucket import Bucket

#: Objects below it are removed by the test itself, or may be removed at any time.
FOLDER = "probe"
_CONTENT = b"indexfallback"


class Abilities(NamedTuple):
    """What can be done with a bucket, and why not more."""

    reads: bool = False
    writes: bool = False
    #: Creates only what is missing, and replaces only the version that is named.
    conditions: bool = False
    #: In a few words; empty if all of it can be done.
    cause: str = ""
    #: Whether writing has failed without being denied: it is full, perhaps.
    may_pass: bool = False

    @property
    def is_passed(self) -> bool:
        """Whether all can be done."""
        return self.conditions


def examine(bucket: Bucket, *, writes: bool = True, folder: str = FOLDER) -> Abilities:
    """Test a bucket by an object in ``folder``; without ``writes`` only whether it can be read."""
    key = f"{folder}/{uuid.uuid4().hex}"
    if not writes:
        return _readable(bucket.get(key), "only reading is configured")
    created = bucket.create(key, _CONTENT)
    if created.outcome is Outcome.DENIED:
        return _readable(bucket.get(key), f"writing is denied: {created.cause}")
    if not created.is_found:  # it may be full, and be read all the same
        found = _readable(bucket.get(key), f"writing fails: {created.cause}")
        return found._replace(may_pass=found.reads)
    try:
        return _conditions(bucket, key, created.etag)
    finally:
        bucket.delete(key)


def _readable(answer: Answer, cause: str) -> Abilities:
    """Judge the answer for an object that does not exist."""
    if "NoSuchKey" in answer.cause:
        return Abilities(reads=True, cause=cause)
    if answer.is_found:
        return Abilities(cause="its endpoint answers to any address: it is not an object store")
    if answer.outcome is Outcome.ABSENT and "NoSuchBucket" not in answer.cause:
        return Abilities(cause=f"{answer.cause}, not as S3 says it: it is not an object store")
    return Abilities(cause=answer.cause)


def _conditions(bucket: Bucket, key: str, etag: str) -> Abilities:
    """Judge a bucket in which ``key`` was just created."""
    # Without the right to list, S3 says of a missing object that it is denied.
    missing = _readable(bucket.get(f"{key}-missing"), "")
    if not missing.reads:
        cause = missing.cause
        if cause.startswith("403"):
            cause = f"{cause} for what does not exist, as without the right to list"
        return missing._replace(cause=cause)
    again = bucket.create(key, b"another")
    wrong = bucket.replace_if(key, b"a third", '"0123456789abcdef0123456789abcdef"')
    read = bucket.get(key)
    right = bucket.replace_if(key, _CONTENT, etag or read.etag)
    for answer in (again, wrong, read, right):
        if answer.outcome in (Outcome.DENIED, Outcome.UNREACHABLE):
            return Abilities(cause=answer.cause)  # which says nothing of conditions
    if again.outcome is not Outcome.EXISTS or read.data != _CONTENT:
        return Abilities(reads=True, writes=True, cause="it ignores If-None-Match, and overwrites")
    if wrong.outcome is not Outcome.EXISTS:
        return Abilities(reads=True, writes=True, cause="it ignores If-Match, and overwrites")
    if not right.is_found:
        return Abilities(reads=True, writes=True, cause="it refuses If-Match with the right ETag")
    return Abilities(reads=True, writes=True, conditions=True)
