"""The archive file: a plain tar of regular files in the order of its manifest.

Reading checks that each member is the expected next one, by name, size and sha256. No member is
unpacked to a path of its own, so links and path traversal have no effect.
"""

import hashlib
import tarfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from indexfallback.carry.manifest import MAX_MANIFEST, Manifest, read_manifest
from indexfallback.errors import CarryError

MANIFEST = "manifest.json"
#: The size of reads and writes, bytes.
PIECE = 1 << 20
_BLOCK = tarfile.BLOCKSIZE
#: A tar ends with two empty blocks.
_END = bytes(2 * _BLOCK)
_COPY_AGAIN = "copy it again, or make a new one with `indexfallback cache export`"


def write_member(file: BinaryIO, name: str, size: int, pieces: Iterable[bytes]) -> None:
    """Add a member whose ``pieces`` are ``size`` bytes."""
    info = tarfile.TarInfo(name)
    info.size = size
    # GNU's format has no size limit, and its header is one block for short names.
    file.write(info.tobuf(tarfile.GNU_FORMAT))
    file.writelines(pieces)
    file.write(bytes(-size % _BLOCK))


def write_end(file: BinaryIO) -> None:
    """Write the end of the archive."""
    file.write(_END)


class Archive:
    """Reads an archive member by member."""

    def __init__(self, path: Path, file: BinaryIO) -> None:
        self.path = path
        self._file = file

    def error(self, problem: str, remedy: str = _COPY_AGAIN) -> CarryError:
        """Return an error about this archive."""
        return CarryError(str(self.path), problem, remedy)

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
                str(error),
                "use the indexfallback that wrote it, or a newer one",
            ) from None

    def member(self, name: str, size: int, sha256: str) -> Iterator[bytes]:
        """Yield the bytes of the next member.

        Raises `CarryError` if it has another name or size, and after its last byte if it has
        another sha256.
        """
        if self._header(name) != size:
            raise self.error(f"{name} has another size than in the manifest")
        digest = hashlib.sha256()
        for piece in self._bytes(size):
            digest.update(piece)
            yield piece
        if digest.hexdigest() != sha256:
            raise self.error(f"{name} has another sha256 than in the manifest")

    def end(self) -> None:
        """Check that the archive ends here; raises `CarryError`."""
        if self._exactly(len(_END)).strip(b"\0"):
            raise self.error("it has more members than its manifest")

    def tell(self) -> int:
        """Return the position of the next member."""
        return self._file.tell()

    def seek(self, position: int) -> None:
        """Go to the position of a member."""
        self._file.seek(position)

    def _header(self, name: str) -> int:
        try:
            info = tarfile.TarInfo.frombuf(self._exactly(_BLOCK), "ascii", "strict")
        except (tarfile.HeaderError, UnicodeError) as error:
            raise self.error(f"it is not an archive of a cache ({error})") from error
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
    """Return the manifest of an archive, or of the manifest file beside it.

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
