"""The integrity of files: hashes of incoming bytes, and the sources of wrong bytes."""

import hashlib
import time
from dataclasses import replace
from typing import NamedTuple

from indexfallback.files.sources import Source
from indexfallback.formats.fields import strongest
from indexfallback.memory.table import Table
from indexfallback.outcome import Outcome
from indexfallback.page import File

#: A source of a wrong file is not asked for that file again for this long, seconds.
WRONG_SECONDS = 600.0
#: The first words of a problem with the bytes: at first, and later while the source is not asked.
_WRONG, _WRONG_LATELY = "wrong bytes", "gave wrong bytes lately"
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
#: Beginnings of web pages: login and error pages may have another Content-Type than HTML.
_WEB_PAGES = (b"<!doctype html", b"<html")
_HEAD = max(map(len, (*_SIGNATURES.values(), *_WEB_PAGES)))


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
        self._head += bytes(piece[: _HEAD - len(self._head)])
        if self._other is not None:
            self._other[1].update(piece)

    def sha256(self) -> str:
        """Return the sha256 of all bytes so far, in hexadecimal."""
        return self._sha256.hexdigest()

    @property
    def is_web_page(self) -> bool:
        """Whether the bytes begin as a web page."""
        return self._head.lower().startswith(_WEB_PAGES)

    def problem(self, file: File, sha256: str | None) -> str | None:
        """Return what is wrong with the bytes, or None if they are right.

        If a hash is known, it alone decides.
        """
        expected = sha256 or file.sha256
        if expected is not None and expected != self.sha256():
            return f"{_WRONG}: sha256 {self.sha256()} where {expected} was expected"
        if expected is None and self._other is not None:
            name, digest = self._other
            if digest.hexdigest() != file.hashes[name]:
                return f"{_WRONG}: {name} {digest.hexdigest()}, not {file.hashes[name]}"
        if expected is None and not self._head.startswith(_signature(file.filename)):
            return f"{_WRONG}: not an archive of the kind that its name says"
        if expected is None and self._other is None and self.is_web_page:
            return f"{_WRONG}: not a file of the kind that its name says"
        return None


def _signature(filename: str) -> bytes:
    endings = (ending for ending in _SIGNATURES if filename.endswith(ending))
    return _SIGNATURES.get(next(endings, ""), b"")


class WrongBytes(NamedTuple):
    """The wrong bytes that a source sent."""

    sha256: str
    #: Of the kind WRONG, with both hashes.
    outcome: Outcome

    @property
    def remembered(self) -> Outcome:
        """The outcome while the source is not asked again."""
        detail = self.outcome.detail.replace(_WRONG, _WRONG_LATELY, 1)
        return replace(self.outcome, detail=detail, elapsed=0.0)


class WrongSources:
    """The sources that lately sent wrong bytes, and these bytes' sha256."""

    def __init__(self) -> None:
        self._known: Table[_Key, tuple[float, WrongBytes]] = Table(
            "files.integrity.WrongSources._known"
        )

    def add(self, source: Source, expected: str | None, wrong: WrongBytes) -> None:
        """Remember that a source's bytes do not have the expected sha256."""
        self._known.put(_key(source, expected), (time.monotonic() + WRONG_SECONDS, wrong))

    def of(self, source: Source, expected: str | None) -> WrongBytes | None:
        """Return what the source lately sent instead of the bytes with this sha256, or None."""
        known = self._known.get(_key(source, expected))
        return known[1] if known is not None and time.monotonic() < known[0] else None


#: The name of the index, the address of the file, and the expected sha256.
_Key = tuple[str, str, str | None]


def _key(source: Source, expected: str | None) -> _Key:
    return source.member.index.name, source.file.url, expected
