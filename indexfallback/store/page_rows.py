"""The rows of stored pages: their facts and content, and whether they are sound."""

import hashlib
import zlib
from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec

from indexfallback.page import ProjectPage
from indexfallback.store.forms import age_of, is_text, is_time, seal

#: zlib level: the fastest one already compresses pages to a fifth.
_COMPRESSION = 1

#: Reads the facts of pages; a condition is appended.
FACTS = """
SELECT source, etag, modified, digest, checked, resolved, passed, EXISTS (
    SELECT 1 FROM mirror_page
    WHERE mirror_page.source = page.source AND mirror_page.project = page.project
), seal FROM page"""
#: Reads the content of one page.
BODY = "SELECT body, etag, modified, digest, seal FROM page WHERE source = ? AND project = ?"
#: Reads the whole row of one page, with the columns of `PUT_PAGE`.
ROW = (
    "SELECT source, project, body, etag, modified, digest, checked, resolved, passed, seal"
    " FROM page WHERE source = ? AND project = ?"
)
#: Stores a page, given a `page_row`.
PUT_PAGE = (
    "INSERT OR REPLACE INTO page"
    " (source, project, body, etag, modified, digest, checked, resolved, passed, seal)"
    " SELECT ?, ?, ?, ?, ?, ?, ?, ?, ?, ?"
)

_decoder = msgspec.msgpack.Decoder(ProjectPage)


class Validators(NamedTuple):
    """The validators of a page (RFC 9110, 8.8)."""

    etag: str | None = None
    last_modified: str | None = None


class PageFacts(NamedTuple):
    """The metadata of a stored page. Times are seconds since the epoch."""

    validators: Validators
    #: Digest of the content.
    digest: str
    #: When the index last confirmed it.
    checked: float
    #: When this page was last the answer of the whole chain, 0 if never; and the digest of the
    #: indexes before it in that chain, since the answer is not valid for another chain.
    resolved: float = 0.0
    passed: str = ""
    #: Whether only the mirror may replace it; 1 or 0.
    mirrored: int = 0

    def age(self, now: float) -> float:
        """Return seconds since the index confirmed it; infinite for a time in the future."""
        return age_of(self.checked, now)

    def resolution_age(self, now: float) -> float:
        """Return seconds since the chain resolved to it; infinite for a time in the future."""
        return age_of(self.resolved, now)


def digest_of(page: ProjectPage) -> str:
    """Return the digest of a page's content."""
    return hashlib.sha256(msgspec.msgpack.encode(page)).hexdigest()[:32]


def page_row(source: str, page: ProjectPage, facts: PageFacts) -> tuple[object, ...]:
    """Return the parameters of `PUT_PAGE`."""
    body = zlib.compress(msgspec.msgpack.encode(page), _COMPRESSION)
    sealed = seal(source, page.name, *facts.validators, facts.digest)
    return (source, page.name, body, *facts.validators, *facts[1:5], sealed)


def read_facts(source: str, project: str, row: Sequence[Any]) -> PageFacts | None:
    """Return the facts of a row of `FACTS` without its source, or None if it is damaged."""
    etag, modified, digest, checked, resolved, passed, mirrored, sealed = row
    if sealed != seal(source, project, etag, modified, digest):
        return None
    if not is_time(checked) or not is_time(resolved) or not is_text(passed):
        return None
    return PageFacts(Validators(etag, modified), digest, checked, resolved, passed, mirrored)


def read_page(source: str, project: str, row: Sequence[Any]) -> ProjectPage | None:
    """Return the page of a row of `BODY`, or None if it is damaged."""
    body, etag, modified, digest, sealed = row
    if sealed != seal(source, project, etag, modified, digest):
        return None
    try:
        page = _decoder.decode(zlib.decompress(body))
    except (zlib.error, msgspec.DecodeError, TypeError):  # TypeError: not bytes
        return None
    return page if page.name == project else None


def is_page(row: Sequence[Any]) -> bool:
    """Tell whether a whole row, with the columns of `PUT_PAGE`, is sound."""
    source, project, body, etag, modified, digest, checked, resolved, passed, sealed = row
    facts = (etag, modified, digest, checked, resolved, passed, 0, sealed)
    content = (body, etag, modified, digest, sealed)
    return (
        read_facts(source, project, facts) is not None
        and read_page(source, project, content) is not None
    )
