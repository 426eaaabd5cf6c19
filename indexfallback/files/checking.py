"""Checks a received file: it is right, right once it is decoded, or wrong."""

import logging
from typing import NamedTuple

from indexfallback.dists.whole import breaks_off
from indexfallback.files.coding import CodingError, decoded
from indexfallback.files.extent import Extent
from indexfallback.files.integrity import Digest
from indexfallback.outcome import Kind, Outcome
from indexfallback.page import File
from indexfallback.store.blobs import Blobs
from indexfallback.store.spool import Spool
from indexfallback.upstream.answers import WEB_PAGE, Body

log = logging.getLogger("indexfallback")

#: Bytes decoded at once.
_PIECE = 1 << 20


class Expected(NamedTuple):
    """What a file must be: what its page says of it, and the sha256 if that is known otherwise."""

    file: File
    sha256: str | None

    @property
    def is_hashed(self) -> bool:
        """Whether a hash tells which bytes are right."""
        return self.sha256 is not None or bool(self.file.hashes)


def problem_of(expected: Expected, digest: Digest, spool: Spool) -> str | None:
    """Return what is wrong with a file's bytes, or None if they are right; raises OSError.

    Where no hash tells, an archive must have its end.
    """
    problem = digest.problem(*expected)
    if problem is None and not expected.is_hashed and breaks_off(spool.path):
        return "wrong bytes: the archive is cut short"
    return problem


def verdict(
    expected: Expected, problem: str, digest: Digest, *, body: Body | None, received: int
) -> Outcome:
    """Return the outcome of a transfer whose ``received`` bytes have a ``problem``.

    ``body`` is the latest answer that brought some of them. WRONG is final: all bytes are here, and
    another try brings the same. A login page is not, and neither are bytes that may have broken
    off, nor those that no hash names.
    """
    size = expected.file.size
    if body is not None and body.is_web_page:
        return Outcome(Kind.NOT_AN_INDEX, WEB_PAGE)
    if digest.is_web_page:
        return Outcome(Kind.NOT_AN_INDEX, f"{problem}; it begins as a web page")
    # A size without a hash may be that of another file, which was there before; so may one that was
    # measured here, for the page of a directory.
    is_measured = expected.file.url.startswith("file:")
    if size is not None and received < size and expected.file.hashes and not is_measured:
        return Outcome(Kind.FAILED, f"{problem}; it ended after {received} of {size} bytes")
    if not received or (body is not None and not body.has_end):
        return Outcome(Kind.FAILED, f"{problem}; it may have ended early, after {received} bytes")
    return Outcome(Kind.WRONG if expected.is_hashed else Kind.FAILED, problem)


def decoded_right(
    expected: Expected, spool: Spool, coding: str, blobs: Blobs
) -> tuple[Spool, Digest] | None:
    """Return the decoded bytes of a file if they are the right ones; raises OSError.

    This is for bytes that are wrong as they came. What is hashed first is what came, as pip does:
    a server may call a ``.tar.gz`` a tar in the coding gzip.
    """
    target, digest = Spool(blobs), Digest()
    digest.expect(expected.file)
    pieces = (spool.read(offset, _PIECE) for offset in range(0, spool.size, _PIECE))
    try:
        for piece in decoded(pieces, coding, Extent(expected.file, blobs.eviction.limit).most):
            target.write(piece)
            digest.update(piece)
    except CodingError as error:
        log.info("%s: cannot be decoded: %s", expected.file.filename, error)
        return None
    return None if problem_of(expected, digest, target) else (target, digest)
