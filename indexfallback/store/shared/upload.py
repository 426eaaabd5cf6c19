"""Writes everything that a cache has into the bucket, and checks what the bucket has."""

import hashlib
import secrets
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import groupby
from typing import NamedTuple, TypeVar

from indexfallback.names import METADATA_ENDING
from indexfallback.process.pauses import in_pieces
from indexfallback.store import Store
from indexfallback.store.pins import Pin, first
from indexfallback.store.shared import keys
from indexfallback.store.shared.answers import BucketError, Outcome
from indexfallback.store.shared.bucket import Bucket
from indexfallback.store.shared.queue import AT_ONCE
from indexfallback.store.shared.sharing import Sharing
from indexfallback.store.shared.unshared import Owner

T = TypeVar("T")

#: Objects that are taken from a table at once: few of a million are in memory.
_PIECE = 100


class Written(NamedTuple):
    """What became of one object."""

    #: ``file``, ``pin``, ``page``, ``time``, ``owner`` or ``list``.
    kind: str
    #: ``sent``, ``there``, ``conflict`` or ``failed``.
    result: str
    #: The name of a file whose pin contradicts the bucket's.
    name: str = ""


def write_all(store: Store, sharing: Sharing, private: Iterable[str]) -> Iterator[Written]:
    """Write files, pins, pages and owners; yield each object. ``private`` are private indexes."""
    sharing.learn()  # what was disowned is not written again
    with ThreadPoolExecutor(AT_ONCE) as pool:
        run = partial(_run, pool)
        # Files first: another shim that has the pin asks for the file at once.
        yield from run(_sha256s(store), partial(_file, sharing))
        if sharing.link.may_create:
            yield from run(_pins(store), partial(_pin, sharing))
        yield from run(_pages(store), partial(_page, sharing))
        if sharing.link.may_create:
            yield from run(store.first_seen.keys(), partial(_times, sharing))
        for source in private:
            yield from run(_owners(store, source), partial(_owner, sharing))
            if sharing.link.may_create:
                yield Written("list", _result(sharing.owners.share(source).outcome))


def _run(
    pool: ThreadPoolExecutor, items: Iterable[T], work: Callable[[T], Written]
) -> Iterator[Written]:
    for piece in in_pieces(items, _PIECE):
        yield from pool.map(work, piece)


def _result(outcome: Outcome) -> str:
    return {Outcome.FOUND: "sent", Outcome.EXISTS: "there"}.get(outcome, "failed")


def _sha256s(store: Store) -> Iterator[str]:
    for start in range(256):
        yield from store.blobs.records.sizes_from(f"{start:02x}")


def _file(sharing: Sharing, sha256: str) -> Written:
    return Written("file", _result(sharing.files.share(sha256).outcome))


def _pins(store: Store) -> Iterator[Pin]:
    """Yield one pin of each distribution, and all of metadata files."""
    for (_, filename), pins in groupby(store.pins, key=lambda pin: pin[:2]):
        if filename.endswith(METADATA_ENDING):
            yield from pins
            continue
        found = first(sorted(pins, key=lambda pin: pin.seen))
        if found is not None:
            yield found


def _pin(sharing: Sharing, pin: Pin) -> Written:
    held = sharing.pins.reconcile(pin)
    if held is None:
        return Written("pin", "failed")
    if held.sha256 != pin.sha256:
        return Written("pin", "conflict", f"{pin.filename} of {pin.project}")
    return Written("pin", "sent" if held is pin else "there")


def _pages(store: Store) -> Iterator[tuple[str, str]]:
    return store.pages.keys()


def _page(sharing: Sharing, key: tuple[str, str]) -> Written:
    return Written("page", _result(sharing.pages.share(*key, is_new=False).outcome))


def _times(sharing: Sharing, key: tuple[str, str]) -> Written:
    return Written("time", _result(sharing.times.share(*key).outcome))


def _owners(store: Store, source: str) -> Iterator[Owner]:
    for name in store.ledger.owned(source):
        if name.served is not None:
            yield Owner(source, name.project, name.served)


def _owner(sharing: Sharing, owner: Owner) -> Written:
    return Written("owner", _result(sharing.owners.mark(owner)))


def verify(bucket: Bucket, sample: int | None = None) -> Iterator[tuple[str, str]]:
    """Hash files of a bucket, all or a random sample; yield each sha256 with its verdict.

    Verdicts: ``right``, ``wrong``, ``failed``. Raises `BucketError` if they cannot be listed.
    """
    found = _all(bucket) if sample is None else _some(bucket, sample)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for piece in in_pieces(found, _PIECE):
            yield from pool.map(partial(_verified, bucket), piece)


def _all(bucket: Bucket) -> Iterator[str]:
    return (entry.key.rpartition("/")[2] for entry in bucket.list(keys.BLOBS))


def _some(bucket: Bucket, number: int) -> Iterator[str]:
    """Yield files that follow random names: one request each, however many there are."""
    told: set[str] = set()
    for _ in range(number):
        after = keys.blob(secrets.token_hex(32))
        entry = next(bucket.list(keys.BLOBS, after=after), None)
        if entry is None:  # behind the last one
            entry = next(bucket.list(keys.BLOBS), None)
        if entry is not None and entry.key not in told:
            told.add(entry.key)
            yield entry.key.rpartition("/")[2]


def _verified(bucket: Bucket, sha256: str) -> tuple[str, str]:
    answer, pieces = bucket.stream(keys.blob(sha256))
    digest = hashlib.sha256()
    try:
        for piece in pieces:
            digest.update(piece)
    except BucketError:
        return sha256, "failed"
    if not answer.is_found:
        return sha256, "failed"
    return sha256, "right" if digest.hexdigest() == sha256 else "wrong"
