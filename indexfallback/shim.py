"""The shim: store, chain, fallback and downloads, put together and closed together."""

from collections.abc import Callable, Hashable
from typing import Any

from indexfallback.chain.answer import Answer
from indexfallback.chain.cooldown import (
    Cooldown,
    TooYoung,
    as_json,
    cause,
    releases,
    remedy,
    withheld_files,
    young_files,
)
from indexfallback.chain.documents import IndexDocuments
from indexfallback.chain.explain import nothing_held
from indexfallback.chain.fallback import Fallback
from indexfallback.chain.members import Members
from indexfallback.chain.network import Network
from indexfallback.chain.offer import Available, PinsByName, hidden, offered
from indexfallback.config import Settings
from indexfallback.errors import ProjectNotFoundError
from indexfallback.files.ahead import ReadAhead
from indexfallback.files.download import Downloads
from indexfallback.files.notices import Notices
from indexfallback.hosted.index import HostedIndex
from indexfallback.memory.table import Table
from indexfallback.names import canonical_version
from indexfallback.page import File, ProjectPage
from indexfallback.search.finding import Search
from indexfallback.store import Store
from indexfallback.store.share import share


class Shim:
    """Everything behind the server and the commands, for one configuration."""

    def __init__(self, settings: Settings) -> None:
        """Open the store; raises `StoreError` if the directory is not safe to use."""
        self.settings = settings
        self.network = Network(settings)
        self.store = Store(settings.cache_dir, settings.cache_size)
        share(self.store, settings)
        self.members = Members(settings, self.store, self.network)
        self.fallback = Fallback(settings, self.store, self.members, self.network)
        self.documents = IndexDocuments(settings, self.store, self.members)
        self.downloads = Downloads(self.fallback)
        self.search = Search(settings, self.store, self.members, self.fallback.cooling)
        self.ahead = ReadAhead(self.fallback, self.downloads, self.offer)
        self.notices = Notices(self.fallback, self.documents)
        self._young: Table[Hashable, list[dict[str, Any]]] = Table("shim.Shim._young")
        #: Name of each index that takes uploads to what takes them.
        self.hosted = {
            index.name: HostedIndex(index, settings, self.store, self.members[index.name])
            for index in settings.hosted
        }

    def offer(
        self,
        answer: Answer,
        promises: Callable[[File], bool] = lambda _: True,
        cooldown: Cooldown | None = None,
    ) -> ProjectPage:
        """Return the page of an answer as clients see it, as `offer.offered` does.

        ``cooldown`` is that of the answer, if it is known already. Raises `ProjectNotFoundError`
        where there is no network and none of its files is here: of an empty page, a client would
        say that no version fits.
        """
        pins, available = self.pins_and_available(answer)
        cooldown = cooldown or self.cooldown(answer, pins)
        page = offered(answer.corrected, pins, available, cooldown, promises=promises)
        if answer.offline is None or page.files:
            return page
        if not hidden(answer.corrected, pins, available, cooldown):
            return page
        error = nothing_held(answer.project, answer.corrected, answer.tried, answer.offline)
        self.fallback.activity.failed(answer.project, error)
        raise error

    def cooldown(self, answer: Answer, pins: PinsByName) -> Cooldown | None:
        """Return what decides which files of an answer are too young; None without a cooldown."""
        return self.fallback.cooling.cooldown(answer.owner, answer.corrected, pins)

    def too_young(self, answer: Answer) -> TooYoung:
        """Return which files of an answer are too young for the cooldown of its owner."""
        if not answer.owner.cooldown_of(answer.project):
            return TooYoung(None)
        pins = self._pins(answer)
        cooldown = self.cooldown(answer, pins)
        young = young_files(answer.corrected, cooldown)
        if cooldown is None or not young:
            return TooYoung(cooldown)
        return TooYoung(cooldown, young, withheld_files(young, pins, cooldown))

    def note_young(self, answer: Answer) -> TooYoung:
        """Return what `too_young` does, and note it for the last lines of `run`.

        Whatever a client gets of a project is shaped by it: its page, and its JSON.
        """
        found = self.too_young(answer)
        if found.cooldown is not None:
            withheld = tuple((each.file.filename, each.until) for each in found.withheld)
            key = (answer.digest, answer.owner.name, withheld)
            releases = self._young.get(key)
            if releases is None:
                releases = self.young_releases(answer, found)
                self._young.put(key, releases)
            self.fallback.activity.withheld(answer.project, releases)
        return found

    def young_releases(self, answer: Answer, found: TooYoung) -> list[dict[str, Any]]:
        """Return what a cooldown withholds, as `cooldown.as_json`, the newest release first."""
        if found.cooldown is None or not found.withheld:
            return []
        page = offered(answer.corrected, *self.pins_and_available(answer), found.cooldown)
        told = releases(page, found.withheld)
        return [as_json(answer.project, each, found.cooldown) for each in told]

    def check_age(self, answer: Answer, version: str) -> None:
        """Raise `ProjectNotFoundError` if a cooldown withholds a version, or any if it is empty."""
        owner, project = answer.owner, answer.project
        for young in self.too_young(answer).withheld:
            if not version or canonical_version(young.version) == canonical_version(version):
                why = cause(young, owner.name, owner.cooldown_of(project))
                raise ProjectNotFoundError(
                    project,
                    answer.tried,
                    f"of {young.file.filename}: {why}",
                    remedy(project, young.version),
                )

    def pins_and_available(self, answer: Answer) -> tuple[PinsByName, Available | None]:
        """Return what decides which files of an answer are offered, as `offer.offered` takes it."""
        pins = self._pins(answer)
        if answer.offline is None:
            return pins, None
        listed = {file.sha256 for file in answer.corrected.files if file.sha256 is not None}
        pinned = {pin.sha256 for of_name in pins.values() for pin in of_name}
        held = self.store.blobs.usable(listed | pinned)
        # The page that stands in for a directory which cannot be read leads nowhere.
        is_local = answer.owner.is_directory and answer.how == "asked"
        provenance = self.downloads.provenance.held(answer.owner.group, answer.project)
        return pins, Available(held, is_local, provenance)

    def _pins(self, answer: Answer) -> PinsByName:
        foreign = self.settings.foreign_keys(answer.owner.group)
        return self.store.pins.of_project(answer.project, foreign)

    def close(self) -> None:
        """Close connections and files."""
        self.ahead.close()
        self.search.close()
        self.notices.close()
        self.downloads.close()
        self.fallback.close()
        self.members.close()
        self.store.close()
