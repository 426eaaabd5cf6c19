"""Files that are imported into the store, made durable in batches.

Used by one thread. `mirror.write_batch` batches the files and projects of a mirror.
"""

import contextlib
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, final

from indexfallback.store import Store, StoreFault

#: The largest batch in files and bytes: a killed import loses at most so many. To make a batch
#: durable takes as long as two or three single files.
_MOST_FILES, _MOST_BYTES = 200, 64 << 20


class _Waiting(NamedTuple):
    """A complete file that is not durable yet."""

    path: Path
    size: int


@final
class BlobBatch:
    """Files to store; a context manager that stores all complete files at its end.

    Its end raises OSError and sqlite3.Error, unless another exception ends it.
    """

    def __init__(self, store: Store) -> None:
        self._blobs = store.blobs
        self._waiting: dict[str, _Waiting] = {}
        self._bytes = 0

    def __enter__(self) -> "BlobBatch":
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
                # The first exception names the cause, which may make this fail, too.
                with contextlib.suppress(*StoreFault):
                    self._flush()
        finally:
            for waiting in self._waiting.values():
                waiting.path.unlink(missing_ok=True)

    def __contains__(self, sha256: str) -> bool:
        """Tell whether a file was added, or is in the store."""
        return sha256 in self._waiting or self._blobs.find(sha256) is not None

    def add(self, pieces: Iterable[bytes], sha256: str) -> int:
        """Add a file that is not in the store, and return its size.

        ``pieces`` must raise after the last piece if the bytes are wrong. Raises that exception,
        OSError and sqlite3.Error, and removes the file then.
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
            return  # an empty batch would cost as much as a full one
        self._blobs.adopt([(each.path, sha256) for sha256, each in self._waiting.items()])
        self._blobs.record({sha256: each.size for sha256, each in self._waiting.items()})
        self._waiting, self._bytes = {}, 0
