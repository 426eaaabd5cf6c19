"""Known vulnerabilities of the releases that clients download, looked up in the background.

The JSON of a release is asked for at the index that its file is from, by the path and with the
limits that clients' requests for JSON have, and at most once a day. A private index is not asked,
nor an index in trouble, nor any index offline. Another host hears names only if
``policy.advisories`` is set, and then only of projects that belong to public indexes.

Locks: ``Notices._changed`` guards ``_pending``, ``_waiting``, ``_paused`` and ``_osv``, and is
notified when a look-up has ended. Nothing is read or asked while it is held.
"""

import logging
import threading
import time
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from indexfallback.chain.documents import IndexDocuments, Wanted
from indexfallback.chain.fallback import Fallback
from indexfallback.config import Index
from indexfallback.errors import ProjectError, StoreError
from indexfallback.files.known_advisories import KnownAdvisories
from indexfallback.files.pinned import FileAddress
from indexfallback.files.workers import Workers
from indexfallback.formats.advisories import Advisory, Release
from indexfallback.memory.table import Table, weight
from indexfallback.names import version_in
from indexfallback.store import StoreFault, best_effort
from indexfallback.store.documents import DocumentKey

if TYPE_CHECKING:  # it imports the HTTP library, which takes 0.2 s
    from indexfallback.upstream.osv import Osv

log = logging.getLogger("indexfallback")

#: What was stated of a release is asked for again after this long, seconds: advisories come days
#: after their releases.
FRESH_SECONDS = 86400.0
#: A release that is downloaded again is looked up again after this long, seconds: one installation
#: downloads it once, and a hundred CI jobs within minutes.
_LOOK_SECONDS = 600.0
#: A database of advisories that failed is left alone for this long, seconds.
_PAUSE_SECONDS = 300.0
#: Requests for JSON at once: few beside those of the clients.
_MOST_AT_ONCE = 4
#: Releases that wait for their look-up; more are not looked up.
_MOST_PENDING = 2000


class _Seen(NamedTuple):
    """A release that was downloaded. Times are seconds since the epoch."""

    #: When it was downloaded last, or its advisories became known.
    when: float
    #: When it was looked up last; 0 before.
    looked: float
    advisories: tuple[Advisory, ...] = ()


class _Task(NamedTuple):
    """A release to look up, and the group of indexes that its file is from."""

    release: Release
    owner: str


def _cost(release: Release, seen: _Seen) -> int:
    return weight(release, seen.when, seen.looked) + 2 * len(msgspec.json.encode(seen.advisories))


class Notices:
    """The known vulnerabilities of what was downloaded, and of what is known of a project."""

    def __init__(self, fallback: Fallback, documents: IndexDocuments) -> None:
        self._fallback = fallback
        self._documents = documents
        self._settings = fallback.settings
        self._store = fallback.store
        self._known = KnownAdvisories(fallback.settings, fallback.store)
        self._seen: Table[Release, _Seen] = Table("files.notices.Notices._seen", _cost)
        self._changed = threading.Condition()
        #: Releases that are being looked up, with the groups that their files are from.
        self._pending: dict[Release, str] = {}
        #: Those of them that the database of advisories is to be asked about.
        self._waiting: list[Release] = []
        self._workers: Workers[_Task] = Workers(self._look_up, _MOST_AT_ONCE, "notices")
        self._asking: Workers[str] = Workers(self._ask_database, 1, "advisories")
        self._osv: Osv | None = None
        #: When the database may be asked again, on the monotonic clock.
        self._paused = 0.0
        #: Why the database of advisories could not be asked last; empty if it could.
        self.problem = ""

    def downloaded(self, address: FileAddress) -> None:
        """Note that a client gets a file; the look-up is left to the background."""
        project = address.key.project
        version = version_in(address.filename, project)
        if not self._settings.notices or version is None or not self._is_public(address.owner):
            return
        release, now = Release(project, version), time.time()
        seen = self._seen.get(release) or _Seen(now, 0.0)
        self._seen.put(release, seen._replace(when=now))
        if now - seen.looked < _LOOK_SECONDS:
            return
        with self._changed:
            if release in self._pending or len(self._pending) >= _MOST_PENDING:
                return
            self._pending[release] = address.owner
        self._workers.put(_Task(release, address.owner))

    def since(self, when: float, seconds: float) -> list[dict[str, Any]]:
        """Return the releases with known vulnerabilities that were downloaded since a time.

        ``when`` is seconds since the epoch; so is a release whose vulnerabilities became known
        since. What is being looked up is waited for, at most so many ``seconds``.
        """
        with self._changed:
            self._changed.wait_for(lambda: not self._pending, seconds)
        return [
            {**release._asdict(), "advisories": msgspec.to_builtins(seen.advisories)}
            for release, seen in self._seen.items()
            if seen.advisories and seen.when >= when
        ]

    def of_project(self, project: str, owner: Index) -> dict[str, Any]:
        """Return what is stored about the releases of a project, as JSON; nothing is asked.

        ``owner`` is the index whose page is served for it.
        """
        return {**self._known.of_project(project, owner), "problem": self.problem}

    def close(self) -> None:
        """Look up nothing more; what is under way ends by its own limits."""
        self._workers.close()
        self._asking.close()
        with self._changed:
            osv, self._osv = self._osv, None
        if osv is not None:
            osv.close()

    def _is_public(self, group: str) -> bool:
        members = self._fallback.members.group(group)
        return bool(members) and not any(member.index.is_private for member in members)

    # In the threads of the workers.

    def _look_up(self, task: _Task) -> None:
        url = None
        try:
            with best_effort(f"keep what is known of {task.release.project}"):
                if self._may_ask(task):
                    self._ask_index(task)
                    url = self._database_for(task)
        finally:
            if url is None:
                self._end(task)
            else:
                with self._changed:
                    self._waiting.append(task.release)
                self._asking.put(url)

    def _ask_index(self, task: _Task) -> None:
        """Have the JSON of a release stored, unless it is, or was not there, since a day ago."""
        project, version = task.release
        members = self._fallback.members.group(task.owner)
        indexes = [member.index for member in members]
        pages = ((index, self._store.pages.facts(index.key, project)) for index in indexes)
        owner, facts = next(((i, f) for i, f in pages if f is not None), (None, None))
        if owner is None or facts is None or facts.mirrored:  # what is mirrored is served as it is
            return
        asked = self._settings.index(task.owner) or owner
        held = self._store.documents.load(DocumentKey(asked.key, project, version))
        if held is not None and held.age(time.time()) < FRESH_SECONDS:
            return
        if asked.json_root is None or self._is_fresh(asked.key, task.release):
            return
        ends = time.monotonic() + self._settings.deadline
        found = self._documents.find(
            Wanted(owner, project, facts.digest, version, is_listed=True, again=False, ends=ends)
        )
        if found is None and not any(member.held(time.monotonic()) for member in members):
            # It has none: whoever installs the release again, by another shim, asks no more.
            self._store.advisories.put(asked.key, [(task.release, ())])

    def _database_for(self, task: _Task) -> str | None:
        """Return the address of the database if it is to be asked about a release now."""
        url, now = self._settings.advisories, time.monotonic()
        if url is None or now < self._paused:
            return None
        return None if self._is_fresh(url, task.release) else url

    def _is_fresh(self, source: str, release: Release) -> bool:
        stored = self._store.advisories.load(source, release)
        return stored is not None and 0 <= time.time() - stored.checked < FRESH_SECONDS

    def _may_ask(self, task: _Task) -> bool:
        """Tell whether others may hear of a project: it is public, for all that is known."""
        if self._fallback.network.offline_state.presumed is not None:
            return False
        try:
            is_foreign = self._fallback.is_foreign(task.release.project, task.owner)
        except ProjectError:  # the settings say that its index is not asked for it any more
            return False
        return self._is_public(task.owner) and not is_foreign

    def _ask_database(self, url: str) -> None:
        """Ask the database at an address about the releases that wait."""
        from indexfallback.upstream.osv import BATCH, AdvisoriesError  # noqa: PLC0415 - as above

        with self._changed:
            waiting, self._waiting = self._waiting[:BATCH], self._waiting[BATCH:]
            tasks = [_Task(release, self._pending[release]) for release in waiting]
        try:
            # A private index may have got a name since it was noted.
            releases = [task.release for task in tasks if self._may_ask(task)]
            if releases:
                self._ask(url, releases)
        except AdvisoriesError as error:
            log.info("the database of advisories cannot be asked: %s", error)
            self.problem, self._paused = str(error), time.monotonic() + _PAUSE_SECONDS
        finally:
            for task in tasks:
                self._end(task)

    def _ask(self, url: str, releases: list[Release]) -> None:
        with best_effort("read what is known of vulnerabilities"):
            load = self._store.advisories.load
            stored = ((release, load(url, release)) for release in releases)
            known = {release: each.advisories for release, each in stored if each is not None}
            found = self._database(url).ask(releases, known, self._settings.deadline)
            self.problem = ""
            self._store.advisories.put(url, found.items())

    def _database(self, url: str) -> "Osv":
        from indexfallback.upstream.osv import Osv  # noqa: PLC0415 - as above

        with self._changed:
            if self._osv is None:
                self._osv = Osv(url, self._settings)
            return self._osv

    def _end(self, task: _Task) -> None:
        """Note what is known of a release now."""
        release, now = task.release, time.time()
        try:
            advisories = self._known.of_release(release, task.owner)
        except (StoreError, *StoreFault) as error:
            log.debug("what is known of %s cannot be read: %s", release.project, error)
            advisories = ()
        seen = self._seen.get(release) or _Seen(now, now)
        is_news = advisories != seen.advisories
        self._seen.put(release, _Seen(now if is_news else seen.when, now, advisories))
        with self._changed:
            self._pending.pop(release, None)
            self._changed.notify_all()
