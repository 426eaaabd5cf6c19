"""What decides whether files are too young: the settings, the records and the clock."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence

import msgspec

from indexfallback.chain.cooldown import Cooldown, Young, undated, withheld_files, young_files
from indexfallback.chain.network import Network
from indexfallback.config import Index, Settings
from indexfallback.page import File, ProjectPage
from indexfallback.store import Store, best_effort
from indexfallback.store.pins import Pin


class Cooling:
    """The cooldowns of all projects."""

    def __init__(self, settings: Settings, store: Store, network: Network) -> None:
        self._settings = settings
        self._store = store
        self._network = network
        #: Returns the time, seconds since the epoch.
        self.clock: Callable[[], float] = time.time

    def cooldown(
        self, index: Index, page: ProjectPage, pins: Mapping[str, Sequence[Pin]]
    ) -> Cooldown | None:
        """Return the cooldown of a page of an index, or None for one without.

        ``pins`` are the project's by file name. It is recorded which of the page's files are seen
        for the first time.
        """
        cooldown = self._of_page(index, page)
        young = young_files(page, cooldown)
        if cooldown is None or not young:
            return cooldown
        of_young = {pin for each in young for pin in pins.get(each.file.filename, ())}
        return cooldown._replace(held=self._stored(of_young))

    def _of_page(self, index: Index, page: ProjectPage) -> Cooldown | None:
        """Return the cooldown of a page as `cooldown` does, without the files that are stored."""
        seconds = index.cooldown_of(page.name)
        if not seconds:
            return None
        now = self.clock()
        elsewhere = self._elsewhere(index, page)
        unknown, ahead = undated(page, elsewhere, now)
        seen = self._store.first_seen.see(
            index.key, page.name, unknown, ahead, now,
            is_alone=self._is_alone,
        )  # fmt: skip
        accepted: frozenset[str] = frozenset()
        with best_effort(f"read which releases of {page.name} are accepted"):
            accepted = self._store.accepted(page.name)
        return Cooldown(index.name, seconds, now, seen, elsewhere, accepted)

    def times_from(self, index: Index, page: ProjectPage) -> Index | None:
        """Return the public index to ask for the times that a mirror's page does not state.

        None if its page is stored: what it does not list is new at the mirror. Without it, all that
        the first page of the mirror lists would count as old.
        """
        authority = self._settings.index(index.group)
        if authority is None or authority == index or not index.cooldown_of(page.name):
            return None
        if all(file.upload_time for file in page.files):
            return None
        is_known = self._store.pages.facts(authority.key, page.name) is not None
        return None if is_known else authority

    def _stored(self, pins: Iterable[Pin]) -> set[str]:
        """Return the sha256 of those files whose bytes are in the cache."""
        return self._store.blobs.usable({pin.sha256 for pin in pins})

    def _shared(self, pins: Iterable[Pin]) -> set[str]:
        """Return the sha256 of those files whose bytes another shim has written to the bucket."""
        shared = self._store.shared
        if shared is None or self._is_alone:
            return set()
        return {sha256 for sha256 in {pin.sha256 for pin in pins} if shared.has(sha256)}

    @property
    def _is_alone(self) -> bool:
        """Whether other shims are not asked, since the user wants no network."""
        return self._network.offline_state.requested is not None

    def _elsewhere(self, index: Index, page: ProjectPage) -> Mapping[str, str]:
        """Return the times that stored pages of the index's group state for files without one."""
        found: dict[str, str] = {}
        without = [file for file in page.files if file.upload_time is None]
        for other in self._settings.group(index.group) if without else ():
            known = self._store.pages.load(other.key, page.name) if other != index else None
            if known is None:
                continue
            times = _times(known)
            for file in without:
                stated = times.get((file.filename, file.sha256))
                if stated is not None:
                    found.setdefault(file.filename, stated)
        return found

    def young(
        self, index: Index, project: str, file: File, pins: Sequence[Pin] = ()
    ) -> Young | None:
        """Return a file that the page of an index lists if it is withheld there, else None.

        ``pins`` are those of the file's name. A page asks only the cache for what was served, since
        it may have many files; for one file, the shared bucket is asked as well.
        """
        if not index.cooldown_of(project):
            return None
        page = self._store.pages.load(index.key, project)
        if page is None:  # it was removed a moment ago
            page = ProjectPage(name=project, files=(file,))
        cooldown = self._of_page(index, page)
        young = young_files(msgspec.structs.replace(page, files=(file,)), cooldown)
        for held in (self._stored, self._shared):
            if cooldown is None or not young:
                return None
            known = cooldown._replace(held=held(pins))
            young = withheld_files(young, {file.filename: pins}, known)
        return next(iter(young), None)


def _times(page: ProjectPage) -> Mapping[tuple[str, str | None], str]:
    """Return the upload-times of a page by name and sha256; without one, the latest of the name."""
    times: dict[tuple[str, str | None], str] = {}
    for file in page.files:
        if file.upload_time is not None:
            times[file.filename, file.sha256] = file.upload_time
            latest = times.get((file.filename, None), "")
            times[file.filename, None] = max(latest, file.upload_time)
    return times
