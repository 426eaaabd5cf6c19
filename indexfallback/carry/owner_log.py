"""Records in the log of events which owners of projects an import changes."""

import time
from collections.abc import Collection, Iterable

from indexfallback.carry.changes import Change, OwnerChange
from indexfallback.store import Store
from indexfallback.store.events import Event, local_actor


def record_owners(
    store: Store, changes: Iterable[Change], left: Collection[str], archive: str
) -> None:
    """Record the changes of owners, but those of projects that are ``left`` as they are.

    It is called before they are made, since a kill must not hide what was agreed to. ``archive``
    is the name of its file.
    """
    actor, now = local_actor(), time.time()
    events = [
        Event(now, "imported", change.project, "", None, actor, _detail(change, archive))
        for change in changes
        if isinstance(change, OwnerChange) and change.project not in left
    ]
    if events:
        store.hosting.events.add(*events)


def _detail(change: OwnerChange, archive: str) -> str:
    before, after = ", ".join(change.here), ", ".join(change.archive)
    return f"owned by {after} instead of {before}, by {archive}"
