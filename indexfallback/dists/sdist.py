"""The metadata inside an sdist, and whether it is valid for the wheels that are built from it."""

import zipfile
import zlib
from email.message import Message
from email.parser import BytesHeaderParser
from pathlib import Path

from packaging.version import InvalidVersion, Version

from indexfallback.dists import tars
from indexfallback.dists.bounds import MAX_METADATA, ArchiveError, MetadataSizeError
from indexfallback.dists.tars import is_pkg_info, read_tar
from indexfallback.dists.zips import check_zip

_ZIP = b"PK\x03\x04"
#: The exceptions for a damaged member, or one with features that sdists do not have.
_DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError)
#: The first version with fields that a build does not change, unless they are dynamic (PEP 643).
_STATIC_SINCE = Version("2.2")


def read_pkg_info(path: Path, filename: str) -> bytes | None:
    """Return the PKG-INFO of an sdist as `read_sdist` does."""
    return read_sdist(path, filename)[1]


def read_sdist(path: Path, filename: str) -> tuple[list[str], bytes | None]:
    """Return the members' names of an sdist, ``.tar.gz`` or ``.zip``, and its PKG-INFO or None.

    The whole archive is checked. Raises `ArchiveError` for one that must not be unpacked, and
    OSError.
    """
    if not filename.endswith(".zip"):
        return read_tar(path)
    names = check_zip(path)
    found = [name for name in names if is_pkg_info(name)]
    if len(found) != 1:
        return names, None
    with zipfile.ZipFile(path) as archive:
        return names, _member(archive, archive.getinfo(found[0]))


def find_pkg_info(path: Path) -> bytes | None:
    """Return the PKG-INFO of an sdist in any format, or None; it alone is read.

    Raises `ArchiveError` for a damaged archive, and OSError.
    """
    with path.open("rb") as file:
        if file.read(len(_ZIP)) != _ZIP:
            return tars.find_pkg_info(path)
        try:
            with zipfile.ZipFile(file) as archive:
                found = [each for each in archive.infolist() if is_pkg_info(each.filename)]
                return _member(archive, found[0]) if len(found) == 1 else None
        except zipfile.BadZipFile as error:
            raise ArchiveError(f"it is not a well-formed zip archive ({error})") from error


def _member(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    if info.file_size > MAX_METADATA:
        raise MetadataSizeError(info.filename, info.file_size)
    try:
        with archive.open(info) as member:
            return member.read(MAX_METADATA)
    except _DAMAGED as error:
        raise ArchiveError(f"its metadata cannot be read ({error})") from error


def is_static(metadata: bytes) -> bool:
    """Tell whether a build changes no field: only then may an index serve it (PEP 658)."""
    headers = BytesHeaderParser().parsebytes(metadata)
    return _has_dynamic(headers) and "Dynamic" not in headers


def states_requirements(metadata: bytes) -> bool:
    """Tell whether a build changes no requirement (PEP 643), so that those stated are all."""
    headers = BytesHeaderParser().parsebytes(metadata)
    dynamic = (str(field).strip().lower() for field in headers.get_all("Dynamic", []))
    return _has_dynamic(headers) and "requires-dist" not in dynamic


def _has_dynamic(headers: Message) -> bool:
    """Tell whether metadata is of a version that says which fields are dynamic."""
    try:
        return Version(str(headers.get("Metadata-Version", "0"))) >= _STATIC_SINCE
    except InvalidVersion:
        return False
