"""Bytes on their way into the store from elsewhere than an index: many are made durable at once.

Used by one thread.
"""

import contextlib
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, final

from indexfallback.store import Store, StoreFault

#: Files and bytes that wait at most: what whoever is killed has to receive again. Making so many
#: durable takes as long as two or three do one by one.
_MOST_FILES, _MOST_BYTES = 200, 64 << 20


class _Waiting(NamedTuple):
    """A file that is whole, and not durable yet."""

    path: Path
    size: int


@final
class Receiving:
    """Files that come one after the other; a context manager, which keeps all that are whole.

    Its end raises OSError and sqlite3.Error, unless another exception ends it.
    """

    def __init__(self, store: Store) -> None:
        self._blobs = store.blobs
        self._waiting: dict[str, _Waiting] = {}
        self._bytes = 0

    def __enter__(self) -> "Receiving":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        try:
            if kind is None:
                self._flush()
            else:
                # What is on its way says what went wrong, and that may keep these files out, too.
                with contextlib.suppress(*StoreFault):
                    self._flush()
        finally:
            for waiting in self._waiting.values():
                waiting.path.unlink(missing_ok=True)

    def __contains__(self, sha256: str) -> bool:
        """Tell whether a file has come, or was here."""
        return sha256 in self._waiting or self._blobs.find(sha256) is not None

    def receive(self, pieces: Iterable[bytes], sha256: str) -> int:
        """Take a file that is not here, and return its size.

        ``pieces`` raise an exception behind the last one unless they are right. Raises that,
        OSError and sqlite3.Error; nothing of the file is left then.
        """
        path = self._blobs.partials.new()
        try:
            with path.open("xb") as file:
                file.writelines(pieces)
                size = file.tell()
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        self._waiting[sha256] = _Waiting(path, size)
        self._bytes += size
        if len(self._waiting) >= _MOST_FILES or self._bytes >= _MOST_BYTES:
            self._flush()
        return size

    def _flush(self) -> None:
        if not self._waiting:
            return  # which would cost as much as many
        self._blobs.adopt([(each.path, sha256) for sha256, each in self._waiting.items()])
        self._blobs.record({sha256: each.size for sha256, each in self._waiting.items()})
        self._waiting, self._bytes = {}, 0
