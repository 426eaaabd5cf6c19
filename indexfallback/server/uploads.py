"""The legacy upload API: a form with one file, which is streamed to the disk.

A refused upload is not read: the answer is sent at once, and the server closes the connection after
it. twine and uv show the reason all the same, since they read the answer when sending fails.
"""

import logging
from collections.abc import Mapping
from contextlib import closing

import falcon
from falcon.media.multipart import BodyPart, MultipartFormHandler

from indexfallback.errors import UploadRefusedError
from indexfallback.hosted.attestations import FIELD, MAX_BYTES
from indexfallback.hosted.form import CONTENT, FIELDS, read_form
from indexfallback.hosted.index import HostedIndex
from indexfallback.hosted.permit import Permit
from indexfallback.hosted.publication import Published
from indexfallback.hosted.receiving import Incoming, failed
from indexfallback.server.bodies import UploadSlots
from indexfallback.server.credentials import Credentials
from indexfallback.server.guards import refuse_foreign_origin
from indexfallback.server.hosted import hosted_index
from indexfallback.shim import Shim

log = logging.getLogger("indexfallback")

#: Bytes of the file that are read at once.
_PIECE = 256 * 1024
#: Longest field, bytes: those that are read are names, versions and digests.
_MAX_FIELD = 4096
#: Each classifier, requirement and keyword is a field; the largest projects have some hundred.
_MAX_FIELDS = 10_000


def multipart_handler() -> MultipartFormHandler:
    """Return the framework's form reader, with a limit that every project's fields fit in."""
    handler = MultipartFormHandler()
    handler.parse_options.max_body_part_count = _MAX_FIELDS
    return handler


class UploadResource:
    """``/upload/`` and ``/upload/{index}/``."""

    def __init__(self, shim: Shim, credentials: Credentials) -> None:
        self._shim = shim
        self._credentials = credentials
        self._slots = UploadSlots()

    def on_post(self, req: falcon.Request, resp: falcon.Response, index: str = "") -> None:
        """Receive and publish a file."""
        try:
            published = self._take(req, index)
        except Exception:
            resp.set_header("Connection", "close")  # the rest of the body stays unread
            raise
        self._shim.fallback.forget(published.identity.project)
        resp.content_type = falcon.MEDIA_TEXT
        there = "was there already" if published.was_there else "is listed now"
        for warning in published.warnings:
            log.warning("%s was uploaded, but %s", published.filename, warning)
        warnings = (f"Warning: {warning}\n" for warning in published.warnings)
        resp.text = "".join((f"OK: {published.filename} {there}\n", *warnings))

    def _take(self, req: falcon.Request, index: str) -> Published:
        refuse_foreign_origin(req)
        name = index or self._only_one()
        permit = self._credentials.require(req, name, "upload")
        hosted = hosted_index(self._shim, name)
        length = self._length(req)
        with (
            closing(self._slots.open(req.env["wsgi.input"], length)) as body,
            hosted.receive() as incoming,
        ):
            req.env["wsgi.input"] = body
            filename, fields, attestations = _receive(req, hosted, incoming, permit)
            form = read_form(fields, filename)
            return hosted.publish(incoming, filename, form, permit, attestations)

    def _length(self, req: falcon.Request) -> int:
        """Return the length of the body that a request announces, if it is not too large."""
        length, most = req.content_length, self._shim.settings.max_upload_size
        if length is None:
            raise falcon.HTTPLengthRequired(description="the request has no Content-Length")
        if length > most:
            raise falcon.HTTPContentTooLarge(
                title="Upload too large",
                description=f"the upload has {length} bytes, and server.max_upload_size is {most}: "
                "raise it in the configuration, then restart the server",
            )
        return length

    def _only_one(self) -> str:
        names = list(self._shim.hosted)
        if len(names) == 1:
            return names[0]
        if not names:
            raise falcon.HTTPNotFound(
                description="no index accepts uploads: set upload = true for a directory"
            )
        # Without their names: nobody has shown a token yet.
        raise falcon.HTTPNotFound(
            description="several indexes accept uploads: use /upload/INDEX/ with the name of one"
        )


def _receive(
    req: falcon.Request, hosted: HostedIndex, incoming: Incoming, permit: Permit
) -> tuple[str, Mapping[str, str], bytes]:
    """Write the form's file to the disk; return its name, the other fields and attestations."""
    filename: str | None = None
    fields: dict[str, str] = {}
    attestations = b"[]"
    for part in req.get_media():
        if part.name == CONTENT:
            if filename is not None:
                raise UploadRefusedError(filename, "the form has two files", "Send one at a time")
            filename = part.filename or ""
            hosted.check_name(filename, permit)
            _write(part, filename, incoming)
        elif part.name in FIELDS:
            fields[part.name] = _text(part)
        elif part.name == FIELD:
            attestations = _attestations(part, filename or "upload")
    # The parser has reached the end of the form: the file is complete.
    if filename is None:
        raise UploadRefusedError("upload", f"the form has no file {CONTENT}", "Update the client")
    return filename, fields, attestations


def _write(part: BodyPart, filename: str, incoming: Incoming) -> None:
    while piece := part.stream.read(_PIECE):
        try:
            incoming.write(piece)
        except OSError as error:
            raise failed(filename, error) from error


def _text(part: BodyPart) -> str:
    data = part.stream.read(_MAX_FIELD)
    return data.decode("utf-8", "replace").strip()


def _attestations(part: BodyPart, filename: str) -> bytes:
    data = bytes(part.stream.read(MAX_BYTES + 1))
    if len(data) > MAX_BYTES:
        cause = f"its attestations have more than {MAX_BYTES} bytes"
        raise UploadRefusedError(filename, cause, "Send the attestations of this file only")
    return data
