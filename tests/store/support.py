"""A store whose records cannot be written for a while."""

from indexfallback.store import Store


def set_read_only(store: Store, value: bool) -> None:
    """Have the records take nothing any more, as on a disk that has become read-only."""
    idle = store.database._pool._idle
    for connection in [idle.get() for _ in range(idle.qsize())]:
        assert connection is not None
        connection.execute(f"PRAGMA query_only = {int(value)}")
        idle.put(connection)
