"""Files that are imported into the store, made durable in batches.

Used by one thread. `mirror.write_batch` batches the files and projects of a mirror.
"""

import contextlib
from collections.abc import Iterable
from pathlib import Path
from typing import final

from indexfallback.store import Store, StoreFault

#: The largest batch in files and bytes: a killed import loses at most so many. To make a batch
#: durable takes as long as two or three single files.
_MOST_FILES, _MOST_BYTES = 200, 64 << 20


@final
class BlobBatch:
    """Files to store; a context manager that stores all complete files at its end.

    Its end raises OSError and sqlite3.Error, unless another exception ends it.
    """

    def __init__(self, store: Store) -> None:
        self._blobs = store.blobs
        #: sha256 to path and size of complete files that are not durable yet.
        self._waiting: dict[str, tuple[Path, int]] = {}
        self._bytes = 0

    def __enter__(self) -> "BlobBatch":
        return self

    def __exit__(self, kind: type[BaseException] | None, *_at: object) -> None:
        try:
            if kind is None:
                self._flush()
            else:
                # The first exception names the cause, which may make this fail, too.
                with contextlib.suppress(*StoreFault):
                    self._flush()
        finally:
            for path, _ in self._waiting.values():
                path.unlink(missing_ok=True)

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
        self._waiting[sha256] = path, size
        self._bytes += size
        if len(self._waiting) >= _MOST_FILES or self._bytes >= _MOST_BYTES:
            self._flush()
        return size

    def _flush(self) -> None:
        if not self._waiting:
            return  # an empty batch would cost as much as a full one
        self._blobs.adopt([(path, sha256) for sha256, (path, _) in self._waiting.items()])
        self._blobs.record({sha256: size for sha256, (_, size) in self._waiting.items()})
        self._waiting, self._bytes = {}, 0
