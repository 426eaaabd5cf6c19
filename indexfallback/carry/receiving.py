"""Bytes on their way into the store from elsewhere than an index."""

from collections.abc import Iterable

from indexfallback.store import Blob, Store


def receive(store: Store, pieces: Iterable[bytes], sha256: str) -> Blob:
    """Keep bytes of which the last ``piece`` is followed by an exception unless they are right.

    Raises that, OSError and sqlite3.Error; nothing of the file is left then.
    """
    partial = store.blobs.partials.new()
    try:
        with partial.open("xb") as file:
            file.writelines(pieces)
            file.flush()
            return store.blobs.commit(partial, file.fileno(), sha256, file.tell())
    finally:
        partial.unlink(missing_ok=True)
