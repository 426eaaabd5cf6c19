"""A bucket as an index: the files are objects below ``PREFIX/PROJECT/`` (`objects`).

A page is made from one LIST, so that it has what any other shim has just placed. What its files are
is in their attributes, which are read once for each version of an object.

Safe for any number of threads; the table has a lock of its own.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from indexfallback.config import Index
from indexfallback.config.bucket_url import parse_bucket_url
from indexfallback.formats.fields import time_text
from indexfallback.hosted.objects import (
    YANKED_ENDING,
    Yank,
    facts_of,
    files_among,
    key_at,
    key_of,
    read_yank,
    url_of,
)
from indexfallback.memory.table import Table
from indexfallback.names import METADATA_ENDING, PROVENANCE_ENDING, is_normalized
from indexfallback.outcome import Kind, Outcome
from indexfallback.page import File, ProjectPage
from indexfallback.store.shared.answers import Answer, BucketError, Entry
from indexfallback.store.shared.answers import Outcome as Happened
from indexfallback.store.shared.bucket import Bucket
from indexfallback.upstream.answers import (
    Body,
    FileAnswer,
    Limits,
    NamesAnswer,
    PageAnswer,
    Part,
    PartAnswer,
    TransferError,
    page_words,
)
from indexfallback.upstream.completing import versions_of
from indexfallback.upstream.facts import Facts, FactsCache, Stamp
from indexfallback.upstream.storage import StorageIndex
from indexfallback.words import counted

#: Requests for attributes at once: a page of 500 new files takes 0.1 s in a data centre.
_AT_ONCE = 8
_KINDS = {Happened.DENIED: Kind.DENIED, Happened.ABSENT: Kind.ABSENT}
#: S3's code for a bucket that does not exist.
_NO_BUCKET = "NoSuchBucket"
_NS = 10**9

V = TypeVar("V")


class BucketIndex(StorageIndex):
    """One index in a bucket."""

    def __init__(self, index: Index, facts: FactsCache) -> None:
        self._root = index.url
        self._facts = facts
        self.bucket = open_bucket(index)
        self._known: Table[str, Facts | Yank] = Table("hosted.bucket_index.BucketIndex._known")

    def page(
        self,
        project: str,
        limits: Limits,
        etag: str | None,  # noqa: ARG002 - a listing has no validator
        last_modified: str | None,  # noqa: ARG002
    ) -> PageAnswer:
        """Return the page of a project, from its objects."""
        started = time.monotonic()
        listed = self.bucket.folder(f"{project}/")
        limits.answering()
        if not listed.answer.is_found:
            return PageAnswer(self._listing_failed(listed.answer, started))
        objects = {each.key.rpartition("/")[2]: each for each in listed.objects}
        names = files_among(objects, project)
        try:
            facts = _each(self._facts_of, (objects[name] for name in names))
            yanked = [f"{name}{YANKED_ENDING}" for name in names]
            yanks = _each(self._yank_of, (objects[name] for name in yanked if name in objects))
        except BucketError as error:
            return PageAnswer(_outcome(error.answer, started))
        files = tuple(
            self._file(project, name, objects, facts[objects[name].key], yanks)
            for name in names
            if objects[name].key in facts
        )
        elapsed = time.monotonic() - started
        if not files:
            return PageAnswer(Outcome(Kind.ABSENT, "no such project", elapsed))
        page = ProjectPage(name=project, files=files, versions=versions_of(files, project))
        return PageAnswer(Outcome(Kind.FOUND, page_words(page), elapsed), page)

    def _file(
        self,
        project: str,
        name: str,
        objects: Mapping[str, Entry],
        facts: Facts,
        yanks: Mapping[str, Yank],
    ) -> File:
        """Return a file as the page lists it."""
        key = key_of(project, name)
        yank = yanks.get(key + YANKED_ENDING)
        is_yanked = yank is not None and yank.sha256 in ("", facts.sha256)
        has_metadata = name + METADATA_ENDING in objects
        return File(
            filename=name,
            url=url_of(self._root, key),
            hashes={"sha256": facts.sha256} if facts.sha256 is not None else {},
            requires_python=facts.requires_python,
            core_metadata={"sha256": facts.metadata_sha256}
            if facts.metadata_sha256 and has_metadata
            else False,
            size=objects[name].size,
            upload_time=time_text(_stamp(objects[name]).modified),
            yanked=(yank.reason or True) if yank is not None and is_yanked else False,
            provenance=url_of(self._root, key + PROVENANCE_ENDING)
            if name + PROVENANCE_ENDING in objects
            else None,
        )

    def _facts_of(self, entry: Entry) -> Facts:
        """Return what an object is; raises `BucketError`."""
        version = f"{self._root}{entry.key}#{entry.etag}"
        stamp = _stamp(entry)
        known = self._known.get(version)
        if isinstance(known, Facts):
            return known
        facts = self._facts.get(version, stamp)
        if facts is None:
            facts = facts_of(found(self.bucket.head(entry.key)).attributes)
            self._facts.put(version, stamp, facts)
        self._known.put(version, facts)
        return facts

    def _yank_of(self, entry: Entry) -> Yank:
        """Return a yank; raises `BucketError`."""
        version = f"{self._root}{entry.key}#{entry.etag}"
        known = self._known.get(version)
        if isinstance(known, Yank):
            return known
        yank = read_yank(found(self.bucket.get(entry.key)).data)
        self._known.put(version, yank)
        return yank

    def names(self, limits: Limits) -> NamesAnswer:
        """Return the projects in the bucket."""
        started = time.monotonic()
        listed = self.bucket.folder()
        limits.answering()
        if not listed.answer.is_found:
            return NamesAnswer(self._listing_failed(listed.answer, started))
        names = sorted(name for name in listed.folders if is_normalized(name))
        elapsed = time.monotonic() - started
        return NamesAnswer(Outcome(Kind.FOUND, counted(len(names), "name"), elapsed), names)

    def _listing_failed(self, answer: Answer, started: float) -> Outcome:
        """Return the outcome of a listing: an absent project would be an empty one."""
        if answer.outcome is Happened.ABSENT or _NO_BUCKET in answer.cause:
            detail = f"there is no bucket {self.bucket.url.bucket}"
            return Outcome(Kind.NOT_AN_INDEX, detail, time.monotonic() - started)
        return _outcome(answer, started)

    def open(
        self,
        file: File,
        offset: int,
        etag: str | None,  # noqa: ARG002 - a file is never replaced by another one
        patience: float,  # noqa: ARG002 - the bucket's own limit is the index's
    ) -> FileAnswer:
        """Open a file that a page of this index lists, or what lies beside one."""
        started = time.monotonic()
        key = key_at(self._root, file.url)
        if key is None:
            return FileAnswer(_elsewhere(file))
        # The bytes received so far are as long as the file, or longer, and wrong.
        start = 0 if file.size is not None and offset >= file.size else offset
        stream = self.bucket.stream(key, start)
        outcome = _outcome(stream.answer, started)
        if not stream.answer.is_found:
            return FileAnswer(outcome)
        read = _reader(stream.pieces)
        return FileAnswer(
            outcome,
            Body(start, stream.answer.size, read, lambda: None, etag=stream.answer.etag or None),
        )

    def part(self, file: File, wanted: Part, patience: float) -> PartAnswer:  # noqa: ARG002 - as above
        """Read some bytes of a file that a page of this index lists."""
        started = time.monotonic()
        key = key_at(self._root, file.url)
        if key is None:
            return PartAnswer(_elsewhere(file))
        total = file.size
        if total is None:
            answer = self.bucket.head(key)
            if not answer.is_found:
                return PartAnswer(_outcome(answer, started))
            total = answer.size
        start, stop = wanted.of(total)
        if start >= stop:
            return PartAnswer(Outcome(Kind.FOUND, ""), b"", total)
        stream = self.bucket.stream(key, start, stop)
        try:
            data = b"".join(stream.pieces)
        except BucketError as error:
            return PartAnswer(_outcome(error.answer, started))
        outcome = _outcome(stream.answer, started)
        if not stream.answer.is_found:
            return PartAnswer(outcome)
        return PartAnswer(outcome, data, total, stream.answer.etag or None)


def open_bucket(index: Index) -> Bucket:
    """Return the bucket of an index; this sends nothing."""
    url = parse_bucket_url(index.url)
    return Bucket(url, endpoint=index.endpoint, timeout=index.read_timeout)


def _stamp(entry: Entry) -> Stamp:
    return Stamp(entry.size, int(entry.modified.timestamp()) * _NS)


def found(answer: Answer) -> Answer:
    """Return the answer to a request that was done; raises `BucketError`."""
    if not answer.is_found:
        raise BucketError(answer)
    return answer


def _each(read: Callable[[Entry], V], entries: Iterable[Entry]) -> dict[str, V]:
    """Return what is read of each object by its key, without those that are gone meanwhile.

    Raises `BucketError`.
    """

    def attempt(entry: Entry) -> tuple[str, V] | None:
        try:
            return entry.key, read(entry)
        except BucketError as error:
            if error.answer.outcome is not Happened.ABSENT:
                raise
            return None

    wanted = list(entries)
    if len(wanted) < 2:  # noqa: PLR2004 - nothing is to be done at once
        return dict(filter(None, map(attempt, wanted)))
    with ThreadPoolExecutor(min(_AT_ONCE, len(wanted)), "bucket") as pool:
        return dict(filter(None, pool.map(attempt, wanted)))


def _outcome(answer: Answer, started: float) -> Outcome:
    elapsed = time.monotonic() - started
    if answer.is_found:
        return Outcome(Kind.FOUND, "", elapsed)
    return Outcome(_KINDS.get(answer.outcome, Kind.UNREACHABLE), answer.cause, elapsed)


def _elsewhere(file: File) -> Outcome:
    return Outcome(Kind.ABSENT, f"{file.filename} is not in this bucket")


def _reader(pieces: Iterator[bytes]) -> Callable[[], bytes]:
    def read() -> bytes:
        try:
            return next(pieces, b"")
        except BucketError as error:
            raise TransferError(_outcome(error.answer, time.monotonic())) from error

    return read
