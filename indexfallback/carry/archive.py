"""The archive itself: a plain tar of regular files, read strictly in the order of its manifest.

`tar tvf` lists it. Nothing is ever unpacked by the name in it: a member must be the one that is
expected next, with its size and sha256, so that no link, path or header of another kind gets in.
"""

import hashlib
import tarfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from indexfallback.carry.manifest import MAX_MANIFEST, Manifest, read_manifest
from indexfallback.errors import CarryError

MANIFEST = "manifest.json"
#: What is read and written at once, bytes.
PIECE = 1 << 20
_BLOCK = tarfile.BLOCKSIZE
#: Two empty blocks end a tar.
_END = bytes(2 * _BLOCK)
_ANOTHER = "copy it again, or make a new one with `indexfallback cache export`"


def write_member(file: BinaryIO, name: str, size: int, pieces: Iterable[bytes]) -> None:
    """Add a member whose ``pieces`` are ``size`` bytes."""
    info = tarfile.TarInfo(name)
    info.size = size
    # GNU's form has no limit to sizes, and needs no more than one block for a short name.
    file.write(info.tobuf(tarfile.GNU_FORMAT))
    file.writelines(pieces)
    file.write(bytes(-size % _BLOCK))


def write_end(file: BinaryIO) -> None:
    """Mark that nothing follows."""
    file.write(_END)


class Archive:
    """An archive that is read member by member."""

    def __init__(self, path: Path, file: BinaryIO) -> None:
        self._path = path
        self._file = file

    def error(self, problem: str, remedy: str = _ANOTHER) -> CarryError:
        """Return the error that says what is wrong with the archive."""
        return CarryError(str(self._path), problem, remedy)

    def manifest(self) -> Manifest:
        """Read the first member; raises `CarryError`."""
        size = self._header(MANIFEST)
        if size > MAX_MANIFEST:
            raise self.error("its manifest is too large")
        data = b"".join(self._bytes(size))
        try:
            return read_manifest(data)
        except ValueError as error:
            raise self.error(
                str(error), "use the indexfallback that made it, or a newer one"
            ) from None

    def member(self, name: str, size: int, sha256: str) -> Iterator[bytes]:
        """Read the next member.

        Raises `CarryError` if it is another one, and behind its last byte if its sha256 is.
        """
        if self._header(name) != size:
            raise self.error(f"{name} has another size than its manifest says")
        digest = hashlib.sha256()
        for piece in self._bytes(size):
            digest.update(piece)
            yield piece
        if digest.hexdigest() != sha256:
            raise self.error(f"{name} is not what its manifest says")

    def end(self) -> None:
        """See that nothing follows; raises `CarryError`."""
        if self._exactly(len(_END)).strip(b"\0"):
            raise self.error("it has more in it than its manifest says")

    def tell(self) -> int:
        """Return where the next member begins."""
        return self._file.tell()

    def seek(self, position: int) -> None:
        """Go to where a member begins."""
        self._file.seek(position)

    def _header(self, name: str) -> int:
        try:
            info = tarfile.TarInfo.frombuf(self._exactly(_BLOCK), "ascii", "strict")
        except (tarfile.HeaderError, UnicodeError) as error:
            raise self.error(f"it is no archive of a cache ({error})") from error
        if info.type != tarfile.REGTYPE or info.name != name:
            raise self.error(f"it has {info.name[:100]!r} where {name} should be")
        return info.size

    def _bytes(self, size: int) -> Iterator[bytes]:
        left = size
        while left:
            piece = self._exactly(min(left, PIECE))
            left -= len(piece)
            yield piece
        self._exactly(-size % _BLOCK)

    def _exactly(self, size: int) -> bytes:
        data = self._file.read(size)
        if len(data) != size:
            raise self.error("it is cut short")
        return data


def manifest_of(path: Path) -> Manifest:
    """Return the manifest of an archive, or the one that was written beside it.

    Raises `CarryError`, and OSError.
    """
    with path.open("rb") as file:
        archive = Archive(path, file)
        if file.read(1) != b"{":
            file.seek(0)
            return archive.manifest()
        file.seek(0)
        try:
            return read_manifest(file.read(MAX_MANIFEST))
        except ValueError as error:
            raise archive.error(
                str(error), "name the manifest of an export, or its archive"
            ) from None
