"""Writes a static tree into a bucket, for a CDN or another web server in front of it.

The object `MARK` marks the tree, and has the sha256 and the ETag of each object that was written.
An object is written again only if its content or its ETag in the bucket has changed. Objects of a
publication that was killed are not in the mark; their sha256 is in their attributes.

Objects are sent by several threads at once. `settle` waits for them, and only the thread that calls
it counts and removes.
"""

import hashlib
from collections.abc import Callable, Collection
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import NamedTuple, final

import msgspec

from indexfallback.errors import TreeError
from indexfallback.formats.negotiation import Media
from indexfallback.names import METADATA_ENDING, PROVENANCE_ENDING
from indexfallback.store.shared.answers import Answer, BucketError, Outcome
from indexfallback.store.shared.bucket import Bucket
from indexfallback.store.shared.causes import remedy_of
from indexfallback.tree.destination import MARK, PARTS, Written, is_page

#: Objects sent at once; a large file takes 16 MB of memory.
_AT_ONCE = 6
#: Attempts to send an object before the publication fails: in an hour of requests, one may fail.
_TRIES = 3
#: Waiting objects that are held in memory, most of them pages.
_MOST_WAITING = 100
#: By the ending of a path.
_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".json": Media.JSON_V1.value,
    METADATA_ENDING: "text/plain; charset=utf-8",
    PROVENANCE_ENDING: "application/vnd.pypi.integrity.v1+json",
}
_FILE_TYPE = "application/octet-stream"
#: A CDN would keep a page for a day by default; the content of a file name never changes.
_OF_OTHERS, _OF_FILES = "no-cache", "public, max-age=31536000, immutable"


class _Object(NamedTuple):
    """An object as it was written."""

    sha256: str
    etag: str


class _Manifest(msgspec.Struct, frozen=True):
    """The content of the mark."""

    written_by: str = "indexfallback publish-tree, which removes what is not of its index"
    objects: dict[str, _Object] = {}


@final
class BucketTree:
    """A bucket, or the part of it below a prefix, as a `Destination`."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket
        #: The ETags of what was in the bucket at the start.
        self._there: dict[str, str] = {}
        #: The objects in the mark, and the ETag of the mark itself.
        self._known: dict[str, _Object] = {}
        self._mark = ""
        #: What is in the tree now.
        self._objects: dict[str, _Object] = {}
        self._waiting: list[Future[Callable[[], None]]] = []
        self._pool = ThreadPoolExecutor(_AT_ONCE, "publish")
        self.written = Written()

    def __enter__(self) -> "BucketTree":
        try:
            self._there = {entry.key: entry.etag for entry in self._bucket.list()}
        except BucketError as error:
            if "NoSuchBucket" not in error.answer.cause:
                raise self._failed(error.answer) from error
        if MARK in self._there:
            stream = self._bucket.stream(MARK)
            try:
                data = b"".join(stream.pieces)
            except BucketError as error:
                raise self._failed(error.answer) from error
            self._done(stream.answer)
            self._mark, self._known = stream.answer.etag, _read(data)
        elif self._there:
            raise TreeError(
                str(self._bucket),
                "is not empty, and was not written by publish-tree",
                "name a new prefix, or the one of a tree to renew",
            )
        else:
            made = self._bucket.create(MARK, msgspec.json.encode(_Manifest()), _JSON)
            if made.outcome is Outcome.EXISTS:
                raise self._another()
            self._mark = self._done(made).etag
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(cancel_futures=True)

    def put_file(self, path: str, source: Path, sha256: str) -> None:
        """Write a distribution if it is not there."""
        self._begin(path, source, sha256)

    def put(self, path: str, body: bytes) -> None:
        """Write a page or a metadata file if it has changed."""
        self._begin(path, body, hashlib.sha256(body).hexdigest())

    def _begin(self, path: str, data: bytes | Path, sha256: str) -> None:
        etag = self._there.get(path, "")
        known = self._known.get(path)
        if known is not None and known == _Object(sha256, etag):
            self._objects[path] = known
            return
        is_unknown = bool(etag) and (known is None or known.etag != etag)
        if len(self._waiting) >= _MOST_WAITING:
            self.settle()
        self._waiting.append(
            self._pool.submit(self._write, path, data, sha256, is_unknown=is_unknown)
        )

    def _write(
        self, path: str, data: bytes | Path, sha256: str, *, is_unknown: bool
    ) -> Callable[[], None]:
        """Write an object, in a thread; return a function that counts it. Raises `TreeError`."""
        if is_unknown:
            there = self._bucket.head(path)
            if there.is_found and there.attributes.get("sha256") == sha256:
                return partial(self._note, path, _Object(sha256, there.etag))
        attributes = {
            "Content-Type": _type_of(path),
            "Cache-Control": _OF_FILES if _is_final(path) else _OF_OTHERS,
            "sha256": sha256,
        }
        done = self._again(lambda: self._bucket.put(path, data, attributes))
        is_file = isinstance(data, Path)
        return partial(self._note, path, _Object(sha256, done.etag), is_file=is_file, is_new=True)

    def _note(
        self, path: str, written: _Object, *, is_file: bool = False, is_new: bool = False
    ) -> None:
        self._objects[path] = written
        self.written.new_files += is_new and is_file
        self.written.pages += is_new and is_page(path)

    def settle(self) -> None:
        """Return when all objects are written; raises `TreeError` if one was not."""
        waiting, self._waiting = self._waiting, []
        for future in waiting:
            future.result()()

    def clear(self, kept: Collection[str]) -> None:
        """Write the mark, then remove the objects from before that are not kept.

        Nothing is removed if another publication has written the mark meanwhile.
        """
        data = msgspec.json.encode(_Manifest(objects=self._objects))
        replaced = self._bucket.replace_if(MARK, data, self._mark)
        if replaced.outcome is Outcome.EXISTS:
            raise self._another()
        self._done(replaced)
        gone = [path for path in self._there if path.startswith(PARTS) and path not in kept]
        for _ in self._pool.map(self._delete, gone):
            self.written.removed += 1

    def _delete(self, path: str) -> None:
        self._again(lambda: self._bucket.delete(path))

    def _again(self, request: Callable[[], Answer]) -> Answer:
        """Send a request, and again if it was not answered; raises `TreeError`."""
        for _ in range(_TRIES - 1):
            answer = request()
            if answer.outcome is not Outcome.UNREACHABLE:
                return self._done(answer)
        return self._done(request())

    def _done(self, answer: Answer) -> Answer:
        if not answer.is_found:
            raise self._failed(answer)
        return answer

    def _failed(self, answer: Answer) -> TreeError:
        remedy = remedy_of(answer.cause)
        if not remedy and answer.outcome is Outcome.DENIED:
            remedy = "give the credentials the right to read, write, list and delete there"
        return TreeError(
            str(self._bucket),
            answer.cause,
            remedy or "run again when it answers; what was written is kept",
        )

    def _another(self) -> TreeError:
        return TreeError(
            str(self._bucket), "another publish-tree has written to it", "run again when it is done"
        )


_JSON = {"Content-Type": "application/json"}


def _read(data: bytes) -> dict[str, _Object]:
    """Return the objects in a mark; none if it cannot be read."""
    try:
        return msgspec.json.decode(data, type=_Manifest).objects
    except msgspec.DecodeError:
        return {}


def _is_final(path: str) -> bool:
    """Tell whether an object of this path never changes: a distribution and its metadata."""
    return not is_page(path) and not path.endswith(PROVENANCE_ENDING)


def _type_of(path: str) -> str:
    return next((kind for end, kind in _TYPES.items() if path.endswith(end)), _FILE_TYPE)
