"""Whether a file's bytes are right: hashes of incoming bytes, and sources of wrong bytes."""

import hashlib
import threading
import time

from indexfallback.files.sources import Source
from indexfallback.formats.fields import strongest
from indexfallback.page import File

#: A source of a wrong file is not asked for that file again for this long, seconds.
WRONG_SECONDS = 600.0
#: First bytes of an archive, by the ending of its name: without a hash they tell an archive from a
#: login or error page.
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
    """Hashes incoming bytes: by sha256, and by another algorithm if the file has no sha256."""

    def __init__(self) -> None:
        self._sha256 = hashlib.sha256()
        self._head = b""
        self._other: tuple[str, hashlib._Hash] | None = None

    def expect(self, file: File) -> None:
        """Set the file whose hashes to check; called before the first byte."""
        name = None if file.sha256 else strongest(file.hashes)
        # The index chose the algorithm; it need not be a secure one.
        self._other = (name, hashlib.new(name, usedforsecurity=False)) if name else None

    def update(self, piece: bytes) -> None:
        """Take in the next bytes."""
        self._sha256.update(piece)
        self._head += bytes(piece[: _LONGEST_SIGNATURE - len(self._head)])
        if self._other is not None:
            self._other[1].update(piece)

    def sha256(self) -> str:
        """Return the sha256 of all bytes so far, in hexadecimal."""
        return self._sha256.hexdigest()

    def problem(self, file: File, sha256: str | None) -> str | None:
        """Return what is wrong with the bytes, or None if they are right."""
        expected = sha256 or file.sha256
        if expected is not None and expected != self.sha256():
            return f"wrong bytes: sha256 {self.sha256()} where {expected} was expected"
        if expected is None and self._other is not None:
            name, digest = self._other
            if digest.hexdigest() != file.hashes[name]:
                return f"wrong bytes: {name} {digest.hexdigest()}, not {file.hashes[name]}"
        if expected is None and not self._head.startswith(_signature(file.filename)):
            return "wrong bytes: not an archive of the kind that its name says"
        return None


def _signature(filename: str) -> bytes:
    endings = (ending for ending in _SIGNATURES if filename.endswith(ending))
    return _SIGNATURES.get(next(endings, ""), b"")


class WrongSources:
    """The sources that lately gave wrong bytes.

    Locks: ``_lock`` guards ``_until``.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._until: dict[tuple[str, str, str | None], float] = {}

    def add(self, source: Source, expected: str | None) -> None:
        """Remember that a source's bytes do not have the expected sha256."""
        with self._lock:
            self._until[_key(source, expected)] = time.monotonic() + WRONG_SECONDS

    def has(self, source: Source, expected: str | None) -> bool:
        """Tell whether the source lately gave wrong bytes where this sha256 was expected."""
        with self._lock:
            until = self._until.get(_key(source, expected), 0.0)
        return time.monotonic() < until


def _key(source: Source, expected: str | None) -> tuple[str, str, str | None]:
    return source.member.index.name, source.file.url, expected
