"""Adopting: files that another tool kept, taken if the chain's own page lists their very bytes.

Nothing becomes part of an index's page for being called like one of its files: the page of the
index that owns the project decides, by sha256. What it does not list stays where it is; a
directory of such files can be an index itself.
"""

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from indexfallback.carry.archive import PIECE
from indexfallback.carry.foreign import Candidate, Left, pages
from indexfallback.carry.receiving import Receiving
from indexfallback.chain.fallback import Answer
from indexfallback.config import Index
from indexfallback.errors import IndexFallbackError, PageError, ProjectError
from indexfallback.formats import parse_page
from indexfallback.names import is_normalized
from indexfallback.page import File
from indexfallback.shim import Shim
from indexfallback.store import PageFacts, Store, Validators
from indexfallback.store.disk import hash_file
from indexfallback.store.pages import digest_of

#: What a page of a tree is, by the ending of its name.
_TYPES = {".html": "text/html", ".v1_json": "application/vnd.pypi.simple.v1+json"}


class Adopted(NamedTuple):
    """A file that is taken, or was here already."""

    filename: str
    project: str
    owner: str
    size: int
    #: Whether it is new here.
    new: bool


def adopt(shim: Shim, found: Iterable[Candidate | Left]) -> Iterator[Adopted | Left]:
    """Take what the owners' pages list, and say of everything what became of it.

    Raises OSError and sqlite3.Error where the store cannot be written.
    """
    with Receiving(shim.store) as receiving:
        for each in found:
            if isinstance(each, Left):
                yield each
                continue
            try:
                yield _adopt(shim, each, receiving)
            except _NotTakenError as error:
                yield Left(str(each.path), str(error))


class _NotTakenError(Exception):
    """A candidate is not taken; says why."""


def _adopt(shim: Shim, candidate: Candidate, receiving: Receiving) -> Adopted:
    try:
        sha256 = hash_file(candidate.path)
    except OSError as error:
        raise _NotTakenError(f"cannot be read: {error.strerror}") from error
    try:
        answer = shim.fallback.page(candidate.project)
    except ProjectError as error:
        raise _NotTakenError(error.cause) from error
    file = _listed(answer, candidate, sha256)
    owner = answer.owner
    pin = shim.store.pins.get(candidate.project, file.filename)
    if pin not in (None, sha256):
        raise _NotTakenError("another content was first seen here under this name")
    size = candidate.path.stat().st_size
    new = sha256 not in receiving
    if new:
        size = receiving.receive(_pieces(candidate.path, sha256), sha256)
    shim.store.pins.record(candidate.project, file.filename, sha256, owner.key)
    return Adopted(file.filename, candidate.project, owner.name, size, new)


def _listed(answer: Answer, candidate: Candidate, sha256: str) -> File:
    """Return the file of the owner's page that the candidate is, whatever it is called.

    Raises `_NotTakenError`.
    """
    same = {file.filename: file for file in answer.page.files if file.sha256 == sha256}
    if same:
        return same.get(candidate.filename or "") or next(iter(same.values()))
    named = answer.page.file(candidate.filename) if candidate.filename else None
    if named is None:
        raise _NotTakenError(f"{answer.owner.name} does not list it")
    if named.sha256 is None:
        raise _NotTakenError(f"{answer.owner.name} states no sha256 of it")
    raise _NotTakenError(f"{answer.owner.name} lists another content under this name")


def _pieces(path: Path, sha256: str) -> Iterator[bytes]:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(PIECE):
            digest.update(piece)
            yield piece
    if digest.hexdigest() != sha256:
        raise _NotTakenError("changed while it was read")


def adopt_pages(
    store: Store, directory: Path, index: Index, page_size: int
) -> Iterator[tuple[str, str]]:
    """Take the pages of a bandersnatch tree for those of an index, unless newer ones are here.

    Yields project and why its page was not taken, or nothing if it was. Their time is that of
    their files, so that the index is asked again when it can be.
    """
    for name, path in pages(directory):
        problem = "" if is_normalized(name) else "no project's name"
        try:
            problem = problem or _adopt_page(store, index, name, path, page_size)
        except (OSError, IndexFallbackError) as error:
            problem = error.problem if isinstance(error, PageError) else str(error)
        yield name, problem


def _adopt_page(store: Store, index: Index, name: str, path: Path, page_size: int) -> str:
    """Take one page; return why not, or nothing."""
    status = path.stat()
    if status.st_size > page_size:
        return "larger than limits.page_size"
    checked = status.st_mtime
    before = store.pages.facts(index.key, name)
    if before is not None and before.checked >= checked:
        return "a newer page is here"
    url = f"{index.url}{name}/"
    page = parse_page(
        path.read_bytes(), _TYPES[path.suffix], url, name, public=not index.is_private
    )
    store.pages.put(index.key, page, PageFacts(Validators(), digest_of(page), checked))
    return ""
