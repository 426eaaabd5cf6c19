"""A local directory as an index: distributions at any depth, or a static tree of pages.

A static tree (``NAME/index.html``, as pip itself reads behind ``file:``) says what it says. Else
the files speak for themselves: hashes, Requires-Python and metadata are read from them, once, and
again when a file's size or modification time has changed.

Locks: ``_looking`` is held while the directory is looked at. Who has an older listing goes on with
that meanwhile, and for the first one everybody waits within their limits. A listing is replaced in
one assignment, and what is remembered of single files is read and written in single steps.
"""

import hashlib
import os
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from indexfallback.config import Index, Settings
from indexfallback.dists.metadata import read_metadata
from indexfallback.dists.wheel import requires_python
from indexfallback.dists.whole import breaks_off, is_settled
from indexfallback.errors import PageError
from indexfallback.formats import parse_page
from indexfallback.names import METADATA_ENDING
from indexfallback.outcome import Kind, Outcome
from indexfallback.page import File, ProjectPage
from indexfallback.upstream.answers import (
    FileAnswer,
    Limits,
    NamesAnswer,
    PageAnswer,
    Skipped,
    Upstream,
    page_words,
)
from indexfallback.upstream.bodies import body_of_bytes, body_of_file
from indexfallback.upstream.facts import Facts, FactsCache, Stamp
from indexfallback.upstream.listing import Listing, look, shown
from indexfallback.upstream.roots import Roots, path_of

#: Why a file is not offered: for a moment, and until it is another one.
BEING_WRITTEN = "is being written"
_BREAKS_OFF = "breaks off before its end"
#: Windows has one kind of user alone.
_EFFECTIVE = os.access in os.supports_effective_ids
_PIECE = 1 << 20
#: A look that takes longer than this is repeated only after a while, seconds: a request may take
#: 20 ms, and what is put there is to be seen within a second.
_LONG_LOOK, _LOOK_AGAIN = 0.01, 0.4
#: Files kept as they were listed, some 10 MB of them; those of a page are asked for together.
_REMEMBERED = 10_000
#: A status waits so long for a first look, seconds.
_STATUS_SECONDS = 5.0


class _UnreadyError(Exception):
    """A file is there and cannot be offered now; says why."""


class _Look(NamedTuple):
    """What was seen; times on the monotonic clock."""

    listing: Listing
    began: float
    #: Until then it need not be looked again.
    good_until: float


class DirectoryIndex:
    """One directory on this machine."""

    def __init__(
        self, index: Index, settings: Settings, facts: FactsCache, remote: Upstream
    ) -> None:
        self._index = index
        self._path = path_of(index.url)
        self._roots = Roots(self._path)
        self._page_size = settings.page_size
        self._facts = facts
        self._remote = remote
        self._looking = threading.Lock()
        self._seen: _Look | None = None
        #: A look that began before is not good enough; on the monotonic clock.
        self._changed = 0.0
        self._listed: dict[str, tuple[Stamp, File]] = {}
        #: Files that are archives which break off, as they were then.
        self._broken: dict[str, Stamp] = {}

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
            listing = self._list(limits.ends)
            unready: list[str] = []
            if project in listing.pages:
                page = self._tree_page(Path(listing.pages[project]), project, limits)
            else:
                page, unready = self._made_page(listing, project)
        except OSError as error:
            return PageAnswer(_outage(error, started))
        except PageError as error:
            elapsed = time.monotonic() - started
            detail = f"not an index: {error.problem}"
            return PageAnswer(Outcome(Kind.NOT_AN_INDEX, detail, elapsed))
        elapsed = time.monotonic() - started
        skipped = f", {len(unready)} skipped: {unready[0]}" if unready else ""
        if page.files or project in listing.pages:
            found = f"{page_words(page)}{skipped}"
            return PageAnswer(Outcome(Kind.FOUND, found, elapsed), page)
        if unready:  # it is this index's, and nobody else may answer for it
            return PageAnswer(Outcome(Kind.LOCAL, unready[0], elapsed))
        return PageAnswer(Outcome(Kind.ABSENT, "no such project there", elapsed))

    def _tree_page(self, path: Path, project: str, limits: Limits) -> ProjectPage:
        with path.open("rb") as file:
            body = file.read(limits.page_size + 1)
        if len(body) > limits.page_size:
            raise PageError(path.as_uri(), f"more than {limits.page_size} bytes")
        return self._roots.restrict(parse_page(body, "text/html", path.as_uri(), project))

    def _made_page(self, listing: Listing, project: str) -> tuple[ProjectPage, list[str]]:
        """Return a page of what is ready, and why the rest is not."""
        files, unready = [], []
        for path in listing.projects.get(project, ()):
            try:
                files.append(self._file(path))
            except FileNotFoundError:  # removed since it was listed
                continue
            except (_UnreadyError, OSError) as error:
                unready.append(f"{os.path.basename(path)} {_reason(error)}")  # noqa: PTH119 - a string
        if not files and not unready:
            self._path.stat()  # gone itself, it is no index that has nothing
        return ProjectPage(name=project, files=tuple(files)), unready

    def look_again(self) -> None:
        """Take no answer from a look that has begun already, however long one takes."""
        self._changed = time.monotonic()

    def _list(self, ends: float) -> Listing:
        """Return what lies in the directory: as it was a moment ago, if looking takes long."""
        before = self._seen
        now = time.monotonic()
        will_do = before is not None and before.began > self._changed
        if before is not None and will_do and now < before.good_until:
            return before.listing
        if not self._looking.acquire(timeout=0 if will_do else max(0.0, ends - now)):
            if before is not None and will_do:
                return before.listing
            raise TimeoutError(0, "it could not be looked through in time", str(self._path))
        try:
            seen = self._seen
            if seen is not None and seen is not before and seen.began > self._changed:
                return seen.listing
            began = time.monotonic()
            listing = look(self._path, seen.listing if seen is not None else None)
            ended = time.monotonic()
            good_for = _LOOK_AGAIN if ended - began > _LONG_LOOK else 0.0
            self._seen = _Look(listing, began, ended + good_for)
            return listing
        finally:
            self._looking.release()

    def _file(self, path: str) -> File:
        """Return a file as a page lists it; raises `_UnreadyError` and OSError."""
        status = os.stat(path)  # noqa: PTH116 - of a thousand, Path is the slow part
        reason = self._why_not(path, status)
        if reason:
            raise _UnreadyError(reason)
        stamp = _stamp(status)
        listed = self._listed.get(path)
        if listed is not None and listed[0] == stamp:
            return listed[1]
        file = self._read_file(Path(path), stamp)
        if len(self._listed) >= _REMEMBERED:
            self._listed.clear()
        self._listed[path] = stamp, file
        return file

    def _read_file(self, path: Path, stamp: Stamp) -> File:
        facts = self._facts.get(str(path), stamp)
        if facts is None:
            if breaks_off(path):
                self._broken[str(path)] = stamp
                raise _UnreadyError(_BREAKS_OFF)
            facts = _read(path)
            self._facts.put(str(path), stamp, facts)
        return File(
            filename=path.name,
            url=path.as_uri(),
            hashes={"sha256": facts.sha256},
            requires_python=facts.requires_python,
            core_metadata={"sha256": facts.metadata_sha256} if facts.metadata_sha256 else False,
            size=stamp.size,
        )

    def names(self, limits: Limits) -> NamesAnswer:
        """Return the projects in the directory."""
        started = time.monotonic()
        try:
            names = self._list(limits.ends).names
        except OSError as error:
            return NamesAnswer(_outage(error, started))
        elapsed = time.monotonic() - started
        return NamesAnswer(Outcome(Kind.FOUND, f"{len(names)} names", elapsed), names)

    def skipped(self) -> tuple[Skipped, ...]:
        """Return what lies there and is not offered; what breaks off once a page asked for it."""
        try:
            listing = self._list(time.monotonic() + _STATUS_SECONDS)
        except OSError:  # which every page says
            return ()
        root = os.path.realpath(self._path)
        found = list(listing.skipped)
        for path in (path for paths in listing.projects.values() for path in paths):
            with suppress(OSError):  # removed since it was listed
                reason = self._why_not(path, os.stat(path))  # noqa: PTH116 - as in _file
                if reason:
                    found.append(Skipped(shown(path, root), reason))
        return tuple(sorted(found))

    def _why_not(self, path: str, status: os.stat_result) -> str:
        """Return why a file is not offered, as far as that is known, or nothing."""
        if not os.access(path, os.R_OK, effective_ids=_EFFECTIVE):
            return "cannot be read"
        if not is_settled(status, time.time()):
            return BEING_WRITTEN
        return _BREAKS_OFF if self._broken.get(path) == _stamp(status) else ""

    def open(self, file: File, offset: int, etag: str | None, patience: float) -> FileAnswer:
        """Open a file that a page here lists, or the metadata inside one."""
        if not file.url.startswith("file:"):  # a static tree may link elsewhere
            return self._remote.open(file, offset, etag, patience)
        path = path_of(file.url)
        started = time.monotonic()
        try:
            if not self._roots.holds(str(path)):  # it may have become a symbolic link
                body = None
            elif file.filename.endswith(METADATA_ENDING) and not path.exists():
                dist = path.with_name(path.name.removesuffix(METADATA_ENDING))
                is_here = self._roots.holds(str(dist))
                data = read_metadata(dist, dist.name) if is_here else None
                body = body_of_bytes(data) if data is not None else None
            else:
                body = body_of_file(path, offset) if path.is_file() else None
        except OSError as error:
            return FileAnswer(_outage(error, started))
        elapsed = time.monotonic() - started
        if body is None:
            return FileAnswer(Outcome(Kind.ABSENT, f"{path}: no such file", elapsed))
        return FileAnswer(Outcome(Kind.FOUND, "", elapsed), body)

    def close(self) -> None:
        """Close what a tree's links to elsewhere needed."""
        self._remote.close()


def _stamp(status: os.stat_result) -> Stamp:
    return Stamp(status.st_size, status.st_mtime_ns)


def _reason(error: Exception) -> str:
    return f"cannot be read: {error.strerror}" if isinstance(error, OSError) else str(error)


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
    return Outcome(Kind.UNREACHABLE, detail, time.monotonic() - started)
