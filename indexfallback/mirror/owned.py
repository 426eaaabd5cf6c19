"""The names that a run must not mirror, because a private index owns them."""

from indexfallback.chain.question import claiming_groups
from indexfallback.config import Index, Settings
from indexfallback.store import Store
from indexfallback.store.ownership import Ownership


class OwnedElsewhere:
    """Tells which projects belong to another index than the mirrored one.

    The names are read once: a run takes a moment or starts again soon.
    """

    def __init__(self, settings: Settings, store: Store, index: Index) -> None:
        self._settings = settings
        self._index = index
        self._owners: dict[str, str] = {}
        for other in settings.indexes:
            if not other.is_private or other.group == index.group:
                continue
            for name in store.ledger.owned(other.key):
                known = Ownership(*name[1:])
                if known.is_owner(other.defer_copies) and other.may_have(name.project):
                    self._owners.setdefault(name.project, other.name)

    def owner(self, project: str) -> str | None:
        """Return the name of the index that a project belongs to, if it is another one."""
        claiming = claiming_groups(self._settings.indexes, project)
        if claiming:
            return None if self._index.group in claiming else min(claiming)
        return self._owners.get(project)
