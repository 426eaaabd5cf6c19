"""A local directory as an index: distributions side by side, or a static tree of pages.

A static tree (``NAME/index.html``, as pip itself reads behind ``file:``) says what it says. In a
flat directory the files speak for themselves: hashes, Requires-Python and metadata are read
from them, once, and again when a file's size or modification time has changed.

Locks: none; a listing is replaced in one assignment.
"""

import hashlib
import os
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, NamedTuple
from urllib.parse import urlsplit
from urllib.request import url2pathname

from indexfallback.config import Index, Settings
from indexfallback.errors import PageError
from indexfallback.formats import parse_page
from indexfallback.names import (
    METADATA_ENDING,
    is_distribution,
    is_project_name,
    is_safe_filename,
    normalize,
    project_of,
)
from indexfallback.outcome import Kind, Outcome
from indexfallback.page import File, ProjectPage
from indexfallback.upstream.answers import (
    Body,
    FileAnswer,
    Limits,
    NamesAnswer,
    PageAnswer,
    TransferError,
    Upstream,
)
from indexfallback.upstream.facts import Facts, FactsCache, Stamp
from indexfallback.upstream.wheel import read_metadata, requires_python

_PIECE = 1 << 20
#: A directory that changed this recently may change again within the same tick of its file
#: system's clock, which is up to two seconds long (FAT); seconds.
_RACY = 2.0


class _Listing(NamedTuple):
    modified: int
    read_at: float
    #: Project to its files' names, sorted.
    projects: dict[str, list[str]]


class DirectoryIndex:
    """One directory on this machine."""

    def __init__(
        self, index: Index, settings: Settings, facts: FactsCache, remote: Upstream
    ) -> None:
        self._index = index
        self._path = path_of(index.url)
        self._page_size = settings.page_size
        self._facts = facts
        self._remote = remote
        self._listing: _Listing | None = None

    def page(
        self,
        project: str,
        limits: Limits,
        etag: str | None,  # noqa: ARG002 - a directory is read, never revalidated
        last_modified: str | None,  # noqa: ARG002
    ) -> PageAnswer:
        """Return the page of a project, made now from what lies in the directory."""
        started = time.monotonic()
        try:
            page = self._read_tree_page(project, limits) or self._make_page(project)
        except OSError as error:
            return PageAnswer(_outage(error, started))
        except PageError as error:
            elapsed = time.monotonic() - started
            detail = f"not an index: {error.problem}"
            return PageAnswer(Outcome(Kind.NOT_AN_INDEX, detail, elapsed))
        elapsed = time.monotonic() - started
        if page is None:
            return PageAnswer(Outcome(Kind.ABSENT, "no such project there", elapsed))
        return PageAnswer(Outcome(Kind.FOUND, f"{len(page.files)} files", elapsed), page)

    def _read_tree_page(self, project: str, limits: Limits) -> ProjectPage | None:
        path = self._path / project / "index.html"
        if not path.is_file():
            return None
        with path.open("rb") as file:
            body = file.read(limits.page_size + 1)
        if len(body) > limits.page_size:
            raise PageError(path.as_uri(), f"more than {limits.page_size} bytes")
        return parse_page(body, "text/html", path.as_uri(), project)

    def _make_page(self, project: str) -> ProjectPage | None:
        filenames = self._list().projects.get(project)
        if filenames is None:
            return None
        files = [self._file(self._path / filename) for filename in filenames]
        return ProjectPage(name=project, files=tuple(file for file in files if file is not None))

    def _list(self) -> _Listing:
        modified = self._path.stat().st_mtime_ns
        listing = self._listing
        if (
            listing is None
            or listing.modified != modified
            or listing.read_at - modified / 1e9 < _RACY
        ):
            listing = _Listing(modified, time.time(), _scan(self._path))
            self._listing = listing
        return listing

    def _file(self, path: Path) -> File | None:
        try:
            status = path.stat()
            stamp = Stamp(status.st_size, status.st_mtime_ns)
            facts = self._facts.get(str(path), stamp)
            if facts is None:
                facts = _read(path)
                self._facts.put(str(path), stamp, facts)
        except FileNotFoundError:  # removed since it was listed
            return None
        return File(
            filename=path.name,
            url=path.as_uri(),
            hashes={"sha256": facts.sha256},
            requires_python=facts.requires_python,
            core_metadata={"sha256": facts.metadata_sha256} if facts.metadata_sha256 else False,
            size=stamp.size,
        )

    def names(self, limits: Limits) -> NamesAnswer:  # noqa: ARG002 - a directory answers at once
        """Return the projects in the directory."""
        started = time.monotonic()
        try:
            names = set(self._list().projects)
            names.update(
                normalize(entry.name)
                for entry in os.scandir(self._path)
                if is_project_name(entry.name) and (Path(entry) / "index.html").is_file()
            )
        except OSError as error:
            return NamesAnswer(_outage(error, started))
        elapsed = time.monotonic() - started
        return NamesAnswer(
            Outcome(Kind.FOUND, f"{len(names)} names", elapsed), tuple(sorted(names))
        )

    def open(self, file: File, offset: int, etag: str | None, patience: float) -> FileAnswer:
        """Open a file that a page here lists, or the metadata inside a wheel."""
        if not file.url.startswith("file:"):  # a static tree may link elsewhere
            return self._remote.open(file, offset, etag, patience)
        path = path_of(file.url)
        started = time.monotonic()
        try:
            if file.filename.endswith(METADATA_ENDING) and not path.exists():
                wheel = path.with_name(path.name.removesuffix(METADATA_ENDING))
                data = read_metadata(wheel, wheel.name)
                body = _body_of_bytes(data) if data is not None else None
            elif path.is_file():
                body = _body_of_file(path, offset)
            else:
                body = None
        except OSError as error:
            return FileAnswer(_outage(error, started))
        elapsed = time.monotonic() - started
        if body is None:
            return FileAnswer(Outcome(Kind.ABSENT, f"{path}: no such file", elapsed))
        return FileAnswer(Outcome(Kind.FOUND, "", elapsed), body)

    def close(self) -> None:
        """Close what a tree's links to elsewhere needed."""
        self._remote.close()


def path_of(url: str) -> Path:
    """Return the path that a ``file:`` address names."""
    return Path(url2pathname(urlsplit(url).path))


def _scan(directory: Path) -> dict[str, list[str]]:
    projects = defaultdict(list)
    with os.scandir(directory) as entries:
        for entry in entries:
            # Neither a symbolic link nor a pipe is a distribution that was put here.
            if (
                is_distribution(entry.name)
                and is_safe_filename(entry.name)
                and entry.is_file(follow_symlinks=False)
            ):
                project = project_of(entry.name)
                if project is not None:
                    projects[project].append(entry.name)
    return {project: sorted(filenames) for project, filenames in projects.items()}


def _read(path: Path) -> Facts:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            digest.update(piece)
    metadata = read_metadata(path, path.name)
    if metadata is None:
        return Facts(digest.hexdigest())
    metadata_sha256 = hashlib.sha256(metadata).hexdigest()
    return Facts(digest.hexdigest(), requires_python(metadata), metadata_sha256)


def _outage(error: OSError, started: float) -> Outcome:
    where = error.filename or "the directory"
    detail = f"{where}: {error.strerror or error}"
    return Outcome(Kind.SILENT, detail, time.monotonic() - started)


def _body_of_bytes(data: bytes) -> Body:
    pieces = iter((data,))
    return Body(0, len(data), lambda: next(pieces, b""), lambda: None)


def _body_of_file(path: Path, offset: int) -> Body:
    file = path.open("rb")
    try:
        total = os.fstat(file.fileno()).st_size
        file.seek(offset)
    except OSError:
        file.close()
        raise
    return Body(offset, total, _reader(file, path), file.close)


def _reader(file: BinaryIO, path: Path) -> Callable[[], bytes]:
    def read() -> bytes:
        try:
            return file.read(_PIECE)
        except OSError as error:
            raise TransferError(Outcome(Kind.FAILED, f"{path}: {error.strerror}")) from error

    return read
