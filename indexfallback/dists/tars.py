"""Reads sdists in tar archives from their beginning, within limits, without unpacking them."""

import gzip
import tarfile
import zlib
from io import BufferedIOBase
from lzma import LZMAError
from pathlib import Path

from indexfallback.dists.bounds import (
    MAX_MEMBERS,
    MAX_METADATA,
    ArchiveError,
    MetadataSizeError,
    check_paths,
    check_size,
)
from indexfallback.dists.compression import MAGIC_BYTES, unpacker

#: The exceptions for a damaged archive: UnicodeError for names, OSError if it is not gzip.
_DAMAGED = (tarfile.TarError, zlib.error, LZMAError, EOFError, ValueError, OverflowError, OSError)
#: The longest header, bytes.
_MAX_READ = MAX_METADATA
_SKIP = 1 << 20
#: The metadata of an sdist is searched in so many unpacked bytes, a third of a second.
_SEARCHED = 64 * 1024**2


class _Bounded:
    """Reads the unpacked bytes of an archive, within limits of the total and of each read."""

    def __init__(self, file: BufferedIOBase, packed: int, most: int | None = None) -> None:
        """Read at most ``most`` bytes of an archive of ``packed`` bytes."""
        self._file = file
        self._packed = packed
        self._most = most
        self._position = 0

    def read(self, size: int) -> bytes:
        """Return the next bytes."""
        if size > _MAX_READ:
            raise ArchiveError(f"it has a header of {size} bytes")
        data = self._file.read(size)
        self._position += len(data)
        check_size(self._position, self._packed)
        if self._most is not None and self._position > self._most:
            raise ArchiveError(f"its first {self._most} bytes have no metadata")
        return data

    def seek(self, position: int) -> None:
        """Skip to a later position."""
        while self._position < position:
            if not self.read(min(_SKIP, position - self._position)):
                raise ArchiveError("it ends in the middle")

    def tell(self) -> int:
        """Return the number of bytes that were read."""
        return self._position


def read_tar(path: Path) -> tuple[list[str], bytes | None]:
    """Return the members' names, and ``NAME-VERSION/PKG-INFO`` or None.

    Raises `ArchiveError`, and OSError if it cannot be opened.
    """
    packed = path.stat().st_size
    names: list[str] = []
    metadata: bytes | None = None
    with path.open("rb") as file:
        try:
            with gzip.GzipFile(fileobj=file) as unpacked:
                bounded = _Bounded(unpacked, packed)
                archive = tarfile.TarFile(fileobj=bounded)  # type: ignore[arg-type]
                for member in archive:
                    archive.members = []  # type: ignore[attr-defined] # or it would keep all of them
                    _check_member(member)
                    names.append(member.name)
                    if len(names) > MAX_MEMBERS:
                        raise ArchiveError(f"it has more than {MAX_MEMBERS} members")
                    if member.isfile() and is_pkg_info(member.name):
                        metadata = _read(archive, member)
                while bounded.read(_SKIP):  # to the end, to check gzip's checksum
                    pass
        except _DAMAGED as error:
            raise ArchiveError(f"it is not a well-formed tar.gz archive ({error})") from error
    if not names:
        raise ArchiveError("it is empty")
    check_paths(names)
    return names, metadata


def find_pkg_info(path: Path) -> bytes | None:
    """Return ``NAME-VERSION/PKG-INFO`` of a tar archive in any compression, or None.

    Reads no further than that member. Raises `ArchiveError`, and OSError if it cannot be opened.
    """
    packed = path.stat().st_size
    with path.open("rb") as file:
        unpack = unpacker(file.read(MAGIC_BYTES))
    try:
        with unpack(path) if unpack is not None else path.open("rb") as unpacked:
            bounded = _Bounded(unpacked, packed, _SEARCHED)
            archive = tarfile.TarFile(fileobj=bounded)  # type: ignore[arg-type]
            for member in archive:
                archive.members = []  # type: ignore[attr-defined] # as above
                if member.isfile() and is_pkg_info(member.name.removeprefix("./")):
                    return _read(archive, member)
    except _DAMAGED as error:
        raise ArchiveError(f"it is not a well-formed tar archive ({error})") from error
    return None


def is_pkg_info(name: str) -> bool:
    """Tell whether a member is the metadata of an sdist: ``NAME-VERSION/PKG-INFO``."""
    return name.count("/") == 1 and name.endswith("/PKG-INFO")


def _read(archive: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    if member.size > MAX_METADATA:
        raise MetadataSizeError(member.name, member.size)
    file = archive.extractfile(member)
    return file.read() if file is not None else b""


def _check_member(member: tarfile.TarInfo) -> None:
    """Refuse special files, and links that lead out of the archive."""
    if not (member.isfile() or member.isdir() or member.issym() or member.islnk()):
        raise ArchiveError(f"its member {member.name!r} is neither file nor directory")
    if member.issym() or member.islnk():
        base = member.name.rpartition("/")[0] if member.issym() else ""
        _check_link(member.name, base, member.linkname)


def _check_link(name: str, base: str, target: str) -> None:
    depth = len([part for part in base.split("/") if part])
    for part in target.split("/"):
        depth += -1 if part == ".." else part not in ("", ".")
        # The first level is the directory NAME-VERSION.
        if depth < 1:
            raise ArchiveError(f"its link {name!r} leads out of it")
    if target.startswith("/"):
        raise ArchiveError(f"its link {name!r} leads out of it")
