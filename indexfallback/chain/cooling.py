"""What decides whether files are too young: the settings, the records and the clock."""

import time
from collections.abc import Callable, Collection, Mapping, Sequence

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

    def cooldown(self, index: Index, page: ProjectPage) -> Cooldown | None:
        """Return the cooldown of a page of an index, or None for one without.

        It is recorded which of its files are seen for the first time.
        """
        seconds = index.cooldown_of(page.name)
        if not seconds:
            return None
        now = self.clock()
        elsewhere = self._elsewhere(index, page)
        unknown, ahead = undated(page, elsewhere, now)
        seen = self._store.first_seen.see(
            index.key, page.name, unknown, ahead, now,
            # Without a network, what other shims know is not asked for.
            is_alone=self._network.offline_state.requested is not None,
        )  # fmt: skip
        accepted: frozenset[str] = frozenset()
        with best_effort(f"read which releases of {page.name} are accepted"):
            accepted = self._store.accepted(page.name)
        cooldown = Cooldown(index.name, seconds, now, seen, elsewhere, accepted)
        return cooldown._replace(held=self._held(page, cooldown))

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

    def _held(self, page: ProjectPage, cooldown: Cooldown) -> Collection[str]:
        """Return the sha256 of the young files of a page whose bytes are stored."""
        names = {each.file.filename for each in young_files(page, cooldown)}
        if not names:
            return ()
        pins = self._store.pins.of_project(page.name)
        return self._store.blobs.usable(
            {pin.sha256 for name in names & pins.keys() for pin in pins[name]}
        )

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

        ``pins`` are those of the file's name.
        """
        if not index.cooldown_of(project):
            return None
        page = self._store.pages.load(index.key, project)
        if page is None:  # it was removed a moment ago
            page = ProjectPage(name=project, files=(file,))
        cooldown = self.cooldown(index, page)
        if cooldown is None:
            return None
        page = msgspec.structs.replace(page, files=(file,))
        young = young_files(page, cooldown)
        return next(iter(withheld_files(young, {file.filename: pins}, cooldown)), None)


def _times(page: ProjectPage) -> Mapping[tuple[str, str | None], str]:
    """Return the upload-times of a page by name and sha256; without one, the latest of the name."""
    times: dict[tuple[str, str | None], str] = {}
    for file in page.files:
        if file.upload_time is not None:
            times[file.filename, file.sha256] = file.upload_time
            latest = times.get((file.filename, None), "")
            times[file.filename, None] = max(latest, file.upload_time)
    return times
