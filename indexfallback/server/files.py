"""Files: whole or a range, from the store, while they are fetched, or a range from their index.

Locks: ``FileSender._lock`` guards ``_streams``.
"""

import logging
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import falcon

from indexfallback.files.arrival import IncomingFile, Progress
from indexfallback.files.download import FileAddress
from indexfallback.files.unheld import MOST, NO_BYTES, FilePart
from indexfallback.names import PROVENANCE_ENDING, FileKey, is_safe_filename
from indexfallback.server.decisions import answered, asked
from indexfallback.server.pages import client_of, matches
from indexfallback.server.provenance import ProvenanceSender
from indexfallback.shim import Shim
from indexfallback.store import Blob
from indexfallback.store.blobs import PIECE
from indexfallback.upstream.answers import ClientLogin, Part

log = logging.getLogger("indexfallback")

#: A single range; several are answered with the whole file, as RFC 9110, 14.2 allows, since a
#: request for ten thousand ranges is an attack (CVE-2025-62727). No file needs more than eighteen
#: digits, and Python refuses to convert some thousands of them.
_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})", re.ASCII)
#: Bytes of one piece of each stream, all streams together: for a client that reads slowly the
#: server buffers six pieces. With this, 250 streams take 190 MB and 1,000 take 300; with pieces of
#: 64 KB 1,000 took 630 MB, and with pieces of 8 KB 250 took twice as much CPU.
ALL_PIECES = 4 * 1024**2
#: Below this, a piece costs the same CPU whatever its size.
SMALLEST_PIECE = 8 * 1024
#: The number is that with which pip says "for ever".
FOR_EVER = "max-age=365000000, immutable"
_HEADERS = {
    "Accept-Ranges": "bytes",
    "X-Content-Type-Options": "nosniff",
}


class Span(NamedTuple):
    """The bytes that are sent: from ``start`` up to but not including ``stop``."""

    start: int
    stop: int


class FileResource:
    """``/files/{owner}/{key}/{filename}``: a file, or what is beside it."""

    def __init__(self, sender: "FileSender", provenance: ProvenanceSender) -> None:
        self._sender = sender
        self._provenance = provenance

    def on_get(
        self, req: falcon.Request, resp: falcon.Response, owner: str, key: str, filename: str
    ) -> None:
        """Answer with the file, or with the range that was asked for."""
        file_key = FileKey.parse(key)
        if file_key is None or not is_safe_filename(filename):
            raise falcon.HTTPNotFound(description="this is not the address of a file")
        if filename.endswith(PROVENANCE_ENDING):
            file = filename.removesuffix(PROVENANCE_ENDING)
            self._provenance.send(req, resp, FileAddress(owner, file_key, file))
            return
        # The address has the hash, or what was first seen there is pinned to it.
        resp.set_header("Cache-Control", FOR_EVER)
        self._sender.send(req, resp, FileAddress(owner, file_key, filename))

    on_head = on_get


class FileSender:
    """Sends files, whole or in parts."""

    def __init__(self, shim: Shim) -> None:
        self._shim = shim
        self._lock = threading.Lock()
        self._streams = 0

    def send(
        self,
        req: falcon.Request,
        resp: falcon.Response,
        address: FileAddress,
        login: ClientLogin | None = None,
    ) -> None:
        """Answer with a file, or with the range that was asked for; raises `FileError`.

        With a client's ``login`` the file is fetched for it alone, if it is not held.
        """
        asked(req, address.key.project, address.filename)
        part = self._part(req, address)
        downloads = self._shim.downloads
        if part is None:
            found: Blob | IncomingFile | FilePart = downloads.get(*address, login=login)
        else:
            found = downloads.part(address, part, login)
        size, etag = _size_and_etag(found)
        resp.set_headers(_HEADERS)
        resp.content_type = "application/octet-stream"
        if etag is not None:
            resp.set_header("ETag", etag)
            if matches(req.get_header("If-None-Match"), etag):
                resp.status = falcon.HTTP_304
                return
        wanted = self._span(req, address, found)
        if wanted != Span(0, size):
            resp.status = falcon.HTTP_206
            resp.set_header("Content-Range", f"bytes {wanted.start}-{wanted.stop - 1}/{size}")
        resp.content_length = wanted.stop - wanted.start
        if req.method == "HEAD":
            return
        if isinstance(found, FilePart):
            resp.data = found.data
        else:
            resp.stream = self._stream(address, found, wanted, login)
        activity, is_stored = self._shim.fallback.activity, isinstance(found, Blob)
        is_held = activity.sent(address, wanted.stop - wanted.start, cached=is_stored)
        how = "cached" if is_held else "ahead" if is_stored else "fetched"
        log.debug("%s: %s, %d bytes", address.filename, how, wanted.stop - wanted.start)
        if wanted == Span(0, size):  # a part is no download: resolvers look into wheels
            answered(req, activity, address.owner, how)
            self._shim.ahead.file_asked(client_of(req), address, is_held=is_held)
            self._shim.notices.downloaded(address)

    def _span(
        self, req: falcon.Request, address: FileAddress, found: Blob | IncomingFile | FilePart
    ) -> Span:
        """Return the bytes to send; raises falcon.HTTPRangeNotSatisfiable."""
        size, etag = _size_and_etag(found)
        wanted = _wanted(req, size, etag)
        if wanted is None:
            raise falcon.HTTPRangeNotSatisfiable(size)
        # A later range of a file that is still fetched could come too late for the client.
        is_late = isinstance(found, IncomingFile) and found.progress is Progress.RUNNING
        if (is_late and wanted.start) or not self._shim.downloads.is_resumable(address):
            return Span(0, size)
        return wanted

    def _part(self, req: falcon.Request, address: FileAddress) -> Part | None:
        """Return the part of a file that is enough for a request, or None: the whole is.

        A client that asks for all behind a position goes on with a download.
        """
        if req.method == "HEAD":
            return NO_BYTES
        if_range, sha256 = req.get_header("If-Range"), address.key.sha256
        is_same = if_range is None or (sha256 is not None and if_range == _etag(sha256))
        part = _asked(req)
        if part is None or not is_same or not self._shim.downloads.is_resumable(address):
            return None
        length = -part.start if part.stop is None else part.stop - part.start
        return part if 0 < length <= MOST else None

    def _stream(
        self,
        address: FileAddress,
        found: Blob | IncomingFile,
        span: Span,
        login: ClientLogin | None = None,
    ) -> Iterator[bytes]:
        with self._counted_stream() as piece:
            if isinstance(found, IncomingFile):
                yield from found.read(span.start, span.stop, piece)
                return
            try:
                yield from self._shim.store.blobs.read(found, span.start, span.stop, piece)
            except FileNotFoundError:
                # Another process has evicted it since it was found: no byte was sent yet.
                again = self._shim.downloads.get(*address, login=login)
                yield from self._stream(address, again, span, login)
            except OSError:
                self._shim.downloads.refuse_resume(address)
                raise

    @contextmanager
    def _counted_stream(self) -> Iterator[int]:
        """Count a stream while it is open, and yield the size of its pieces, bytes."""
        with self._lock:
            self._streams += 1
            share = ALL_PIECES // self._streams
        try:
            yield max(SMALLEST_PIECE, min(PIECE, share))
        finally:
            with self._lock:
                self._streams -= 1


def _etag(sha256: str) -> str:
    return f'"{sha256}"'


def _size_and_etag(found: Blob | IncomingFile | FilePart) -> tuple[int, str | None]:
    size = found.size if isinstance(found, Blob) else found.total or 0
    return size, _etag(found.sha256) if found.sha256 else None


def _asked(req: falcon.Request) -> Part | None:
    """Return the single range of a request, or None if it has none, or an invalid one.

    Source: RFC 9110, 14.1.2.
    """
    match = _RANGE.fullmatch(req.get_header("Range") or "")
    if match is None or not any(match.groups()):
        return None
    first, last = match.groups()
    if not first:
        return Part(-int(last)) if int(last) else NO_BYTES
    if last and int(last) < int(first):
        return None
    return Part(int(first), int(last) + 1 if last else None)


def _wanted(req: falcon.Request, size: int, etag: str | None) -> Span | None:
    """Return the bytes that a request asks for, or None if the file does not have them.

    Source: RFC 9110, 13.1.5.
    """
    part, if_range = _asked(req), req.get_header("If-Range")
    if part is None or (if_range is not None and if_range != etag):
        return Span(0, size)
    wanted = Span(*part.of(size))
    return wanted if wanted.start < wanted.stop else None
