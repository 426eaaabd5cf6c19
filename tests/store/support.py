"""A store whose records cannot be written for a while."""

from collections.abc import Callable
from typing import Any

from indexfallback.store import Store


def set_read_only(store: Store, value: bool) -> None:
    """Have the records take nothing any more, as on a disk that has become read-only."""
    idle = store.database._pool._idle
    for connection in [idle.get() for _ in range(idle.qsize())]:
        assert connection is not None
        connection.execute(f"PRAGMA query_only = {int(value)}")
        idle.put(connection)


def written_after_reads(store: Store, write: Callable[[], object]) -> None:
    """Have what waits to be written written behind each read, as by another thread."""
    database = store.database

    def followed(read: Callable[..., Any]) -> Callable[..., Any]:
        def then_write(*arguments: object) -> Any:
            found = read(*arguments)
            write()
            return found

        return then_write

    for name in ("row", "rows", "agreed"):
        setattr(database, name, followed(getattr(database, name)))
