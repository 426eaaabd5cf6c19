"""The answer of an index to a request for a provenance object: read within limits, and checked."""

import time
from collections.abc import Iterator
from dataclasses import replace

import msgspec

from indexfallback.files.coding import CodingError, decoded
from indexfallback.files.pace import unstalled
from indexfallback.formats.provenance import ProvenanceError, checked
from indexfallback.names import PROVENANCE_ENDING
from indexfallback.outcome import Kind, Outcome
from indexfallback.page import File
from indexfallback.upstream.answers import Body, FileAnswer, TransferError

#: The largest object, bytes: a file has one or two attestations, of 5 to 10 KB each.
MOST = 1 << 20


def object_of(file: File, url: str) -> File:
    """Return the provenance object of a file, at an address, as something that can be fetched."""
    return msgspec.structs.replace(
        file, filename=file.filename + PROVENANCE_ENDING, url=url, hashes={}, size=None
    )


def read_answer(answer: FileAnswer, sha256: str | None) -> tuple[Outcome, bytes | None]:
    """Return what came of a request for an object, and the object if it is valid.

    ``sha256`` is that of the file, if it is known. The body of the answer is closed.
    """
    if answer.body is None:
        return answer.outcome, None
    try:
        body = _read(answer.body)
        checked(body, sha256)
    except TransferError as error:
        return error.outcome, None
    except (CodingError, ProvenanceError) as error:
        return replace(answer.outcome, kind=Kind.NOT_AN_INDEX, detail=f"{error}"), None
    finally:
        answer.body.close()
    return answer.outcome, body


def _read(body: Body) -> bytes:
    """Return a whole body; raises `TransferError`, `CodingError` and `ProvenanceError`."""
    pieces: Iterator[bytes] = unstalled(body, time.monotonic)
    if body.coding:
        pieces = decoded(pieces, body.coding, MOST)
    data = bytearray()
    for piece in pieces:
        data += piece
        if len(data) > MOST:
            raise ProvenanceError(f"it has more than {MOST} bytes")
    return bytes(data)
