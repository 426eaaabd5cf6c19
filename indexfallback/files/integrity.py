"""Whether a file's bytes are right: its hashes as they come, and who gave wrong ones lately."""

import hashlib
import threading
import time

from indexfallback.files.sources import Source
from indexfallback.formats.fields import strongest
from indexfallback.page import File

#: A wrong file is not asked for again where it came from for this long, seconds.
WRONG_SECONDS = 600.0
#: What a file begins with, by the ending of its name: where no hash tells, it tells an archive
#: from the page of a login or an error.
_SIGNATURES = {
    ".whl": b"PK",
    ".zip": b"PK",
    ".egg": b"PK",
    ".tar.gz": b"\x1f\x8b",
    ".tgz": b"\x1f\x8b",
    ".tar.bz2": b"BZh",
    ".tar.xz": b"\xfd7zXZ",
}
_LONGEST_SIGNATURE = 5


class Digest:
    """Hashes a file as it comes: sha256 always, and what else there is to check it by."""

    def __init__(self) -> None:
        self._sha256 = hashlib.sha256()
        self._begin = b""
        self._other: tuple[str, hashlib._Hash] | None = None

    def expect(self, file: File) -> None:
        """Check by a file's other hashes where it has no sha256; called before the first byte."""
        name = None if file.sha256 else strongest(file.hashes)
        # These hashes came from the index for this very check, not for security of ours.
        self._other = (name, hashlib.new(name, usedforsecurity=False)) if name else None

    def update(self, piece: bytes) -> None:
        """Take in the next bytes."""
        self._sha256.update(piece)
        self._begin += bytes(piece[: _LONGEST_SIGNATURE - len(self._begin)])
        if self._other is not None:
            self._other[1].update(piece)

    def sha256(self) -> str:
        """Return the sha256 of all bytes so far, in hexadecimal."""
        return self._sha256.hexdigest()

    def problem(self, file: File, sha256: str | None) -> str | None:
        """Return what is wrong with the bytes, or None if they are what was expected."""
        expected = sha256 or file.sha256
        if expected is not None and expected != self.sha256():
            return f"wrong bytes: sha256 {self.sha256()} where {expected} was expected"
        if expected is None and self._other is not None:
            name, digest = self._other
            if digest.hexdigest() != file.hashes[name]:
                return f"wrong bytes: {name} {digest.hexdigest()}, not {file.hashes[name]}"
        if expected is None and not self._begin.startswith(_signature(file.filename)):
            return "wrong bytes: not an archive of the kind that its name says"
        return None


def _signature(filename: str) -> bytes:
    endings = (ending for ending in _SIGNATURES if filename.endswith(ending))
    return _SIGNATURES.get(next(endings, ""), b"")


class WrongSources:
    """The sources that gave wrong bytes lately.

    Locks: ``_lock`` guards ``_until``.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._until: dict[tuple[str, str, str | None], float] = {}

    def add(self, source: Source, expected: str | None) -> None:
        """Remember that a source's bytes were not those of the sha256 that was expected."""
        with self._lock:
            self._until[_key(source, expected)] = time.monotonic() + WRONG_SECONDS

    def has(self, source: Source, expected: str | None) -> bool:
        """Tell whether the source gave other bytes lately; what is expected may have changed."""
        with self._lock:
            until = self._until.get(_key(source, expected), 0.0)
        return time.monotonic() < until


def _key(source: Source, expected: str | None) -> tuple[str, str, str | None]:
    return source.member.index.name, source.file.url, expected
