"""A local directory as an index: distributions at any depth, or a static tree of pages.

The pages of a static tree (``NAME/index.html``, which pip also reads behind ``file:``) are served
as they are. Without pages, `local_distributions` reads the files. `layout` tells which is there.

Locks: ``_scanning`` is held during a scan. Meanwhile other threads use the last scan; if there is
none, they wait within their limits. The scan is replaced in one assignment.
"""

import os
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from indexfallback.config import Index, Settings
from indexfallback.dists.metadata import read_metadata
from indexfallback.errors import PageError
from indexfallback.formats import parse_page
from indexfallback.names import METADATA_ENDING, PROVENANCE_ENDING
from indexfallback.outcome import Kind, Outcome
from indexfallback.page import File, ProjectPage
from indexfallback.upstream.answers import (
    FileAnswer,
    Limits,
    NamesAnswer,
    PageAnswer,
    Part,
    PartAnswer,
    Skipped,
    page_words,
)
from indexfallback.upstream.bodies import body_of_bytes, body_of_file, part_of_file
from indexfallback.upstream.completing import completed, versions_of
from indexfallback.upstream.facts import FactsCache
from indexfallback.upstream.local_distributions import LocalDistributions, UnreadyError
from indexfallback.upstream.roots import Roots, path_of
from indexfallback.upstream.scan import DirectoryListing, scan, shown
from indexfallback.upstream.storage import StorageIndex
from indexfallback.words import counted

if TYPE_CHECKING:
    from indexfallback.upstream.http import HttpIndex

#: A scan that takes longer than the first is repeated only after the second, seconds: a request may
#: take 20 ms, and a new file has to appear within a second.
_LONG_SCAN, _RESCAN = 0.01, 0.4
#: How long a status waits for the first scan, seconds.
_STATUS_SECONDS = 5.0


class _Scan(NamedTuple):
    """The result of a scan; times on the monotonic clock."""

    listing: DirectoryListing
    began: float
    #: No new scan is needed until then.
    good_until: float


class DirectoryIndex(StorageIndex):
    """One directory on this machine."""

    def __init__(
        self, index: Index, settings: Settings, facts: FactsCache, remote: "HttpIndex"
    ) -> None:
        self._path = path_of(index.url)
        self._facts = facts
        self._page_size = settings.page_size
        self._files = LocalDistributions(facts)
        self._remote = remote
        self._scanning = threading.Lock()
        self._scan: _Scan | None = None
        #: A scan that began before is out of date; on the monotonic clock.
        self._changed = 0.0

    def page(
        self,
        project: str,
        limits: Limits,
        etag: str | None,  # noqa: ARG002 - a directory is always read
        last_modified: str | None,  # noqa: ARG002
    ) -> PageAnswer:
        """Return the page of a project, from the files or the page in the directory."""
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
            detail = f"{listing.pages[project]} is not a page of {project}: {error.problem}"
            return PageAnswer(Outcome(Kind.NOT_AN_INDEX, detail, elapsed))
        elapsed = time.monotonic() - started
        skipped = f", {len(unready)} skipped: {unready[0]}" if unready else ""
        if page.files or project in listing.pages:
            found = f"{page_words(page)}{skipped}"
            return PageAnswer(Outcome(Kind.FOUND, found, elapsed), page)
        if unready:  # it belongs to this index: no other one may answer for it
            return PageAnswer(Outcome(Kind.LOCAL, unready[0], elapsed))
        return PageAnswer(Outcome(Kind.ABSENT, "no such project", elapsed))

    def _tree_page(self, path: Path, project: str, limits: Limits) -> ProjectPage:
        with path.open("rb") as file:
            body = file.read(limits.page_size + 1)
        if len(body) > limits.page_size:
            raise PageError(path.as_uri(), f"more than {limits.page_size} bytes")
        logins: dict[str, str] = {}
        page = parse_page(body, "text/html", path.as_uri(), project, whole=True, logins=logins)
        self._remote.learn_logins(logins)
        return completed(Roots(self._path).restrict(page))

    def _made_page(self, listing: DirectoryListing, project: str) -> tuple[ProjectPage, list[str]]:
        """Return a page of the files that can be offered, and why the others cannot."""
        files, unready = [], []
        for path in listing.projects.get(project, ()):
            try:
                file = self._files.file(path)
            except FileNotFoundError:  # removed since it was listed
                continue
            except (UnreadyError, OSError) as error:
                unready.append(f"{os.path.basename(path)} {_reason(error)}")  # noqa: PTH119 - a string
                continue
            if f"{path}{PROVENANCE_ENDING}" in listing.provenances:
                provenance = f"{file.url}{PROVENANCE_ENDING}"
                file = msgspec.structs.replace(file, provenance=provenance)
            files.append(file)
        if not files and not unready:
            self._path.stat()  # a removed directory is an outage, not an empty index
        versions = versions_of(files, project)
        return ProjectPage(name=project, files=tuple(files), versions=versions), unready

    def invalidate(self) -> None:
        """Scan again for the next answer: the content has just changed."""
        self._changed = time.monotonic()

    def _list(self, ends: float) -> DirectoryListing:
        """Return the content of the directory; from the last scan, if scanning takes long."""
        before = self._scan
        now = time.monotonic()
        is_usable = before is not None and before.began > self._changed
        if before is not None and is_usable and now < before.good_until:
            return before.listing
        if not self._scanning.acquire(timeout=0 if is_usable else max(0.0, ends - now)):
            if before is not None and is_usable:
                return before.listing
            raise TimeoutError(0, "the scan did not end in time", str(self._path))
        try:
            last = self._scan
            if last is not None and last is not before and last.began > self._changed:
                return last.listing
            began = time.monotonic()
            listing = scan(self._path, last.listing if last is not None else None, self._facts)
            ended = time.monotonic()
            good_for = _RESCAN if ended - began > _LONG_SCAN else 0.0
            self._scan = _Scan(listing, began, ended + good_for)
            return listing
        finally:
            self._scanning.release()

    def names(self, limits: Limits) -> NamesAnswer:
        """Return the projects in the directory."""
        started = time.monotonic()
        try:
            names = self._list(limits.ends).names
        except OSError as error:
            return NamesAnswer(_outage(error, started))
        elapsed = time.monotonic() - started
        return NamesAnswer(Outcome(Kind.FOUND, counted(len(names), "name"), elapsed), names)

    def skipped(self) -> tuple[Skipped, ...]:
        """Return the entries that are not offered, truncated files only after a page was made."""
        try:
            listing = self._list(time.monotonic() + _STATUS_SECONDS)
        except OSError:  # every page reports it
            return ()
        root = os.path.realpath(self._path)
        found = list(listing.skipped)
        for path in (path for paths in listing.projects.values() for path in paths):
            with suppress(OSError):  # removed since it was listed
                reason = self._files.why_not(path, os.stat(path))  # noqa: PTH116 - as in _file
                if reason:
                    found.append(Skipped(shown(path, root), reason))
        return tuple(sorted(found))

    def open(self, file: File, offset: int, etag: str | None, patience: float) -> FileAnswer:
        """Open a file that a page of this index lists, or the metadata inside one."""
        if not file.url.startswith("file:"):  # a static tree may link to a server
            return self._remote.open(file, offset, etag, patience)
        path = path_of(file.url)
        started = time.monotonic()
        try:
            roots = Roots(self._path)
            if not roots.holds(str(path)):  # it may be a symbolic link by now
                body = None
            elif file.filename.endswith(METADATA_ENDING) and not path.exists():
                dist = path.with_name(path.name.removesuffix(METADATA_ENDING))
                is_inside = roots.holds(str(dist))
                data = read_metadata(dist, dist.name) if is_inside else None
                body = body_of_bytes(data) if data is not None else None
            else:
                body = body_of_file(path, offset) if path.is_file() else None
        except OSError as error:
            return FileAnswer(_outage(error, started))
        if body is None:
            return FileAnswer(_absent(path, started))
        return FileAnswer(Outcome(Kind.FOUND, "", time.monotonic() - started), body)

    def part(self, file: File, wanted: Part, patience: float) -> PartAnswer:
        """Read some bytes of a file that a page of this index lists."""
        if not file.url.startswith("file:"):
            return self._remote.part(file, wanted, patience)
        path, started = path_of(file.url), time.monotonic()
        try:
            if not Roots(self._path).holds(str(path)) or not path.is_file():
                return PartAnswer(_absent(path, started))
            data, total = part_of_file(path, wanted)
        except OSError as error:
            return PartAnswer(_outage(error, started))
        return PartAnswer(Outcome(Kind.FOUND, "", time.monotonic() - started), data, total)

    def link_login(self, file: File) -> str:
        """Return the login in a link to a server as it is written there; empty if none is known."""
        return self._remote.link_login(file)

    def close(self) -> None:
        """Close the connections that links of a static tree needed."""
        self._remote.close()


def _reason(error: Exception) -> str:
    return f"cannot be read: {error.strerror}" if isinstance(error, OSError) else str(error)


def _absent(path: Path, started: float) -> Outcome:
    return Outcome(Kind.ABSENT, f"{path}: no such file", time.monotonic() - started)


def _outage(error: OSError, started: float) -> Outcome:
    where = error.filename or "the directory"
    detail = f"{where}: {error.strerror or error}"
    return Outcome(Kind.UNREACHABLE, detail, time.monotonic() - started)
