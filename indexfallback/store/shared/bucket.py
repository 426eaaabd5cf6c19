"""A bucket of an S3-compatible object store: the only module that uses obstore.

What happened to a request is a value, `Answer`, and never an exception: a shim works without its
bucket. Only the pieces of a long answer raise `BucketError`, since a part of it was used already.

Conditions are RFC 9110's: ``If-None-Match: *`` to create, ``If-Match`` to replace. A server may
ignore them: see `selftest`. Each request is sent once: whether and when to ask again is decided by
`breaker` and `queue`. Credentials come from the environment (``AWS_ACCESS_KEY_ID`` and the like),
a web identity, or the role of the container or machine, in this order, and never from a file.

Safe for any number of threads.
"""

import mmap
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import obstore
from obstore.exceptions import (
    AlreadyExistsError,
    BaseError,
    NotModifiedError,
    PermissionDeniedError,
    PreconditionError,
    UnauthenticatedError,
)
from obstore.store import S3Store

from indexfallback.config.bucket_url import BucketUrl
from indexfallback.store.shared.answers import (
    Answer,
    BucketError,
    Entry,
    Folder,
    Outcome,
    Stream,
)
from indexfallback.store.shared.causes import cause_of

if TYPE_CHECKING:
    from obstore import GetOptions, ObjectMeta, PutResult
    from obstore.store import ClientConfig, S3Config

#: Connecting takes at most this, seconds: a data centre answers in milliseconds.
_CONNECT_SECONDS = 2.0
#: A whole file is sent or received within this, seconds: 5 GB at 1.4 MB/s.
_FILE_SECONDS = 3600.0
#: An object in memory is at most this long, bytes: a page of 100,000 files has 30 MB.
MOST_IN_MEMORY = 64 << 20
#: Pieces of a received file, bytes; memory is used for each that is received.
_PIECE = 1 << 20
#: A file is sent in parts of this size, bytes, ``_PARTS_AT_ONCE`` of them at once.
_PART = 8 << 20
_PARTS_AT_ONCE = 2
#: Names in one page of a listing: the most that S3 returns.
_NAMES_A_PAGE = 1000

#: Takes the operation, the outcome and the seconds of a request.
Observer = Callable[[str, "Outcome", float], None]


def _nobody(_operation: str, _outcome: Outcome, _seconds: float) -> None:
    """Observe nothing."""


class Bucket:
    """A bucket, or the part of it below a prefix. Keys are relative, with slashes."""

    def __init__(
        self,
        url: BucketUrl,
        *,
        endpoint: str = "",
        timeout: float = 5.0,
        observe: Observer = _nobody,
    ) -> None:
        """Use a bucket at ``endpoint``, or at AWS; send nothing yet.

        ``timeout`` is for the whole of a small request, and for each piece of a long one, seconds.
        """
        self.url = url
        self.endpoint = endpoint
        self._observe = observe
        self._small = self._store(timeout=timeout)
        # Without a limit between the bytes: an answer to a file that is sent comes after it.
        self._send = self._store(timeout=_FILE_SECONDS)
        self._receive = self._store(timeout=_FILE_SECONDS, read_timeout=timeout)

    def __str__(self) -> str:
        return f"{self.url} at {self.endpoint}" if self.endpoint else str(self.url)

    def _store(self, **timeouts: float) -> S3Store:
        options: ClientConfig = {
            "connect_timeout": timedelta(seconds=min(_CONNECT_SECONDS, timeouts["timeout"])),
            "timeout": timedelta(seconds=timeouts["timeout"]),
            "allow_http": self.endpoint.startswith("http://"),
            "user_agent": "indexfallback",
        }
        if "read_timeout" in timeouts:
            options["read_timeout"] = timedelta(seconds=timeouts["read_timeout"])
        config: S3Config = {"endpoint": self.endpoint} if self.endpoint else {}
        return S3Store(
            self.url.bucket,
            prefix=self.url.prefix or None,
            config=config,
            client_options=options,
            retry_config={"max_retries": 0, "retry_timeout": timedelta(seconds=1)},
        )

    def get(self, key: str, *, unless: str = "", most: int = MOST_IN_MEMORY) -> Answer:
        """Read an object of at most ``most`` bytes; `UNCHANGED` if its etag is ``unless``."""

        def ask() -> Answer:
            options: GetOptions = {"if_none_match": unless} if unless else {}
            result = obstore.get(self._small, key, options=options)
            size = result.meta["size"]
            if size > most:
                return Answer(Outcome.UNREACHABLE, size=size, cause=f"{key} has {size:,} bytes")
            data = bytes(result.bytes())
            return Answer(Outcome.FOUND, data, result.meta["e_tag"] or "", size)

        return self._answer("get", ask)

    def head(self, key: str) -> Answer:
        """Tell whether there is an object, its size, its etag and its attributes."""

        def ask() -> Answer:
            result = obstore.get(self._small, key, options={"head": True})
            meta, attributes = result.meta, dict(result.attributes)
            return Answer(
                Outcome.FOUND, etag=meta["e_tag"] or "", size=meta["size"], attributes=attributes
            )

        return self._answer("head", ask)

    def stream(self, key: str, start: int = 0, stop: int | None = None) -> Stream:
        """Read an object of any size, or its bytes from ``start`` to ``stop``, piece by piece."""
        pieces: list[Iterator[bytes]] = []

        def ask() -> Answer:
            if stop is not None:
                result = obstore.get(self._receive, key, options={"range": (start, stop)})
            elif start:
                result = obstore.get(self._receive, key, options={"range": {"offset": start}})
            else:
                result = obstore.get(self._receive, key)
            pieces.append(iter(result.stream(min_chunk_size=_PIECE)))
            return Answer(Outcome.FOUND, b"", result.meta["e_tag"] or "", result.meta["size"])

        answer = self._answer("get", ask)
        return Stream(answer, self._pieces(pieces[0]) if pieces else iter(()))

    def _pieces(self, received: Iterator[bytes]) -> Iterator[bytes]:
        """Yield the pieces of an object."""
        while True:
            try:
                piece = next(received)
            except StopIteration:
                return
            except (BaseError, OSError, ValueError) as error:
                raise BucketError(_failure(error)) from error
            yield bytes(piece)

    def put(
        self, key: str, data: bytes | Path, attributes: Mapping[str, str] | None = None
    ) -> Answer:
        """Write an object, from memory or from a file, whatever was there; it appears whole.

        ``attributes`` are those of HTTP (``Content-Type``) or any other ones, in ASCII.
        """
        return self._answer(
            "put",
            lambda: _written(
                obstore.put(
                    self._writer(data), key, data,
                    attributes=dict(attributes) if attributes else None,
                    chunk_size=_PART, max_concurrency=_PARTS_AT_ONCE,
                )
            ),
        )  # fmt: skip

    def create(
        self, key: str, data: bytes | Path, attributes: Mapping[str, str] | None = None
    ) -> Answer:
        """Write an object unless there is one of this key: then `EXISTS`.

        It is sent in one piece, since S3 creates only so (5 GB at most). A file must not be
        truncated meanwhile. ``attributes`` are as of `put`.
        """

        def ask() -> Answer:
            with _in_memory(data) as body:
                return _written(
                    obstore.put(
                        self._writer(data), key, body,
                        attributes=dict(attributes) if attributes else None,
                        mode="create", use_multipart=False,
                    )
                )  # fmt: skip

        return self._answer("create", ask)

    def replace_if(self, key: str, data: bytes, etag: str) -> Answer:
        """Replace the version ``etag`` of an object; `EXISTS` if it is another one, or gone."""
        return self._answer(
            "replace",
            lambda: _written(obstore.put(self._writer(data), key, data, mode={"e_tag": etag})),
        )

    def delete(self, key: str) -> Answer:
        """Remove an object; it is no matter whether there was one."""

        def ask() -> Answer:
            obstore.delete(self._small, key)
            return Answer(Outcome.FOUND)

        return self._answer("delete", ask)

    def folder(self, prefix: str = "") -> Folder:
        """Return what lies directly below ``prefix``, which ends at a slash: LIST, all pages."""
        found: list[Folder] = []

        def ask() -> Answer:
            listed = obstore.list_with_delimiter(self._receive, prefix.strip("/") or None)
            objects = [_entry(meta) for meta in listed["objects"]]
            found.append(Folder(Answer(Outcome.FOUND), objects, list(listed["common_prefixes"])))
            return found[0].answer

        answer = self._answer("list", ask)
        return found[0] if found else Folder(answer)

    def list(self, prefix: str = "", *, after: str = "") -> Iterator[Entry]:
        """Yield all objects below ``prefix``, in the order of their keys, a page at a time.

        With ``after``, only what follows this key. Raises `BucketError`.
        """
        pages = iter(
            obstore.list(
                self._receive,
                prefix.strip("/") or None,
                offset=after or None,
                chunk_size=_NAMES_A_PAGE,
            )
        )
        while True:
            page: list[Entry] = []

            def ask(page: list[Entry] = page) -> Answer:
                page.extend(_entry(meta) for meta in next(pages, ()))
                return Answer(Outcome.FOUND)

            answer = self._answer("list", ask)
            if not answer.is_found:
                raise BucketError(answer)
            if not page:
                return
            yield from page

    def _writer(self, data: bytes | Path) -> S3Store:
        return self._small if isinstance(data, bytes) and len(data) < _PIECE else self._send

    def _answer(self, operation: str, ask: Callable[[], Answer]) -> Answer:
        began = time.monotonic()
        try:
            answer = ask()
        except (BaseError, OSError, ValueError) as error:  # ValueError: an answer without a date
            answer = _failure(error)
        self._observe(operation, answer.outcome, time.monotonic() - began)
        return answer


@contextmanager
def _in_memory(data: bytes | Path) -> Iterator[bytes | mmap.mmap]:
    """Yield the content of a file as memory that the system reads from the file and may drop."""
    if isinstance(data, bytes) or not data.stat().st_size:  # nothing cannot be mapped
        yield data if isinstance(data, bytes) else b""
        return
    with data.open("rb") as file:
        # Not closed here: a request that has failed may still hold it.
        yield mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)


def _written(result: "PutResult") -> Answer:
    return Answer(Outcome.FOUND, etag=result["e_tag"] or "")


def _entry(meta: "ObjectMeta") -> Entry:
    return Entry(meta["path"], meta["size"], meta["e_tag"] or "", meta["last_modified"])


_OUTCOMES: tuple[tuple[type[Exception], Outcome], ...] = (
    (FileNotFoundError, Outcome.ABSENT),
    (AlreadyExistsError, Outcome.EXISTS),
    (PreconditionError, Outcome.EXISTS),
    (NotModifiedError, Outcome.UNCHANGED),
    (PermissionDeniedError, Outcome.DENIED),
    (UnauthenticatedError, Outcome.DENIED),
)


def _failure(error: Exception) -> Answer:
    cause = cause_of(str(error))
    for kind, outcome in _OUTCOMES:
        if isinstance(error, kind):
            return Answer(outcome, cause=cause)
    # Of a listing and a removal, obstore has no other error than its general one.
    is_denied = cause.startswith(("401", "403")) or "AccessDenied" in str(error)
    return Answer(Outcome.DENIED if is_denied else Outcome.UNREACHABLE, cause=cause)
