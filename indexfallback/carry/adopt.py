"""Imports files and pages from the directories of other tools.

A file is taken if the page of the index that owns its project lists its sha256; its name alone
proves nothing. A directory of files that no index lists can be an index itself.
"""

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from indexfallback.carry.archive import PIECE
from indexfallback.carry.blob_batch import BlobBatch
from indexfallback.carry.candidates import Candidate, Skipped, pages
from indexfallback.chain.answer import Answer
from indexfallback.chain.offer import refuses
from indexfallback.config import Index
from indexfallback.errors import IndexFallbackError, PageError, ProjectError
from indexfallback.formats import parse_page
from indexfallback.names import is_normalized
from indexfallback.page import File
from indexfallback.shim import Shim
from indexfallback.store import PageFacts, Store, Validators
from indexfallback.store.disk import hash_file
from indexfallback.store.page_rows import digest_of

#: The media types of the pages in a bandersnatch tree, by the ending of their names.
_TYPES = {".html": "text/html", ".v1_json": "application/vnd.pypi.simple.v1+json"}


class Adopted(NamedTuple):
    """A file that was taken, or was cached already."""

    filename: str
    project: str
    owner: str
    size: int
    #: Whether it was not cached before.
    new: bool


def adopt(shim: Shim, found: Iterable[Candidate | Skipped]) -> Iterator[Adopted | Skipped]:
    """Take the files that their owners' pages list; yield what became of each candidate.

    Raises OSError and sqlite3.Error where the store cannot be written.
    """
    with BlobBatch(shim.store) as batch:
        for each in found:
            if isinstance(each, Skipped):
                yield each
                continue
            try:
                yield _adopt(shim, each, batch)
            except _NotTakenError as error:
                yield Skipped(str(each.path), str(error))


class _NotTakenError(Exception):
    """A candidate was not taken; the message says why."""


def _adopt(shim: Shim, candidate: Candidate, batch: BlobBatch) -> Adopted:
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
    foreign = shim.settings.foreign_keys(owner.group)
    pins = shim.store.pins.of_name(candidate.project, file.filename, foreign)
    if refuses(pins, answer.corrected.sha256s(file.filename)):
        raise _NotTakenError("another content was first seen under this name")
    size = candidate.path.stat().st_size
    new = sha256 not in batch
    if new:
        size = batch.add(_pieces(candidate.path, sha256), sha256)
    shim.store.pins.record(candidate.project, file.filename, sha256, owner.key, foreign, key=sha256)
    return Adopted(file.filename, candidate.project, owner.name, size, new)


def _listed(answer: Answer, candidate: Candidate, sha256: str) -> File:
    """Return the entry of the owner's page that has the candidate's sha256.

    Raises `_NotTakenError`.
    """
    page = answer.corrected
    same = {file.filename: file for file in page.files if file.sha256 == sha256}
    if same:
        return same.get(candidate.filename or "") or next(iter(same.values()))
    named = page.file(candidate.filename) if candidate.filename else None
    if named is None:
        raise _NotTakenError(f"{answer.owner.name} does not list it")
    if named.sha256 is None:
        raise _NotTakenError(f"{answer.owner.name} states no sha256 for it")
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
    """Store the pages of a bandersnatch tree as an index's, unless newer ones are cached.

    Yields each project, and why its page was not taken or an empty text. A page gets the time of
    its file, so that the shim asks the index again.
    """
    for name, path in pages(directory):
        problem = "" if is_normalized(name) else "its name is not a normalised project name"
        try:
            problem = problem or _adopt_page(store, index, name, path, page_size)
        except (OSError, IndexFallbackError) as error:
            problem = error.problem if isinstance(error, PageError) else str(error)
        yield name, problem


def _adopt_page(store: Store, index: Index, name: str, path: Path, page_size: int) -> str:
    """Store one page; return why it was not taken, or an empty text."""
    status = path.stat()
    if status.st_size > page_size:
        return "larger than limits.page_size"
    checked = status.st_mtime
    before = store.pages.facts(index.key, name)
    if before is not None and before.checked >= checked:
        return "a newer page is cached"
    url = f"{index.url}{name}/"
    public = not index.is_private
    page = parse_page(path.read_bytes(), _TYPES[path.suffix], url, name, public=public, whole=True)
    store.pages.put(index.key, page, PageFacts(Validators(), digest_of(page), checked))
    return ""
