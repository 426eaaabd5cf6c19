"""Which versions of a project the cooldown of its index offers, as far as stored pages tell."""

from collections.abc import Mapping
from typing import NamedTuple

from indexfallback.chain.cooldown import releases, withheld_files, young_files
from indexfallback.chain.cooling import Cooling
from indexfallback.chain.offer import without_young
from indexfallback.config import Index, Settings
from indexfallback.names import canonical_version, version_in
from indexfallback.page import ProjectPage
from indexfallback.store import Store


class Offered(NamedTuple):
    """The versions of a project of which a file is offered."""

    #: Canonical (`names.canonical_version`); None if all are.
    versions: frozenset[str | None] | None = None
    #: Canonical version that is withheld to when its cooldown is over, seconds since the epoch.
    withheld: Mapping[str | None, float] = {}

    def has(self, version: str | None) -> bool:
        """Tell whether a version is offered; one that no page lists is not."""
        return self.versions is None or canonical_version(version) in self.versions

    def until(self, version: str | None) -> float | None:
        """Return when the cooldown of a version is over, seconds since the epoch, if it is not."""
        return self.withheld.get(canonical_version(version))


class Offering:
    """What the cooldowns of a chain offer."""

    def __init__(self, settings: Settings, store: Store, cooling: Cooling) -> None:
        self._settings = settings
        self._store = store
        self._cooling = cooling
        self._by_key = {index.key: index for index in settings.every_index}

    @property
    def rules(self) -> str:
        """The settings that decide, as a text that differs if one of them does."""
        found = ((i.key, i.cooldown, i.cooldown_except) for i in self._settings.every_index)
        return repr([each for each in found if each[1]])

    def accepted(self) -> list[tuple[str, str]]:
        """Return the releases that no cooldown withholds; none if no index has a cooldown."""
        if not any(index.cooldown for index in self._settings.every_index):
            return []
        return [each[:2] for each in self._store.all_accepted()]

    def by_stored_pages(self, source: str, project: str) -> Offered:
        """Return what the stored pages of the group of the index at ``source`` offer."""
        index = self._by_key.get(source)
        if index is None or not index.cooldown_of(project):
            return Offered()
        versions: frozenset[str | None] = frozenset()
        withheld: dict[str | None, float] = {}
        for member in self._settings.group(index.group):
            page = self._store.pages.load(member.key, project)
            found = self.by_page(member, page) if page is not None else Offered(frozenset())
            if found.versions is None:
                return found
            versions |= found.versions
            for version, until in found.withheld.items():
                withheld[version] = min(until, withheld.get(version, until))
        return Offered(versions, withheld)

    def by_page(self, index: Index, page: ProjectPage) -> Offered:
        """Return what a page of an index offers."""
        foreign = self._settings.foreign_keys(index.group)
        pins = self._store.pins.of_project(page.name, foreign)
        cooldown = self._cooling.cooldown(index, page, pins)
        if cooldown is None:
            return Offered()
        young = withheld_files(young_files(page, cooldown), pins, cooldown)
        offered = without_young(page, pins, cooldown)
        listed = (version_in(file.filename, page.name) for file in offered.files)
        return Offered(
            frozenset(map(canonical_version, listed)),
            {
                canonical_version(each.version): each.until
                for each in releases(offered, young)
                if each.is_whole
            },
        )
