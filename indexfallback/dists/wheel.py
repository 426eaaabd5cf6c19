"""The metadata inside a wheel, read within limits, because a wheel may be malicious."""

import zipfile
import zlib
from collections.abc import Callable
from email.parser import BytesHeaderParser
from pathlib import Path
from typing import Protocol

from indexfallback.dists.bounds import (
    MAX_METADATA,
    ArchiveError,
    ContradictionError,
    MetadataSizeError,
)
from indexfallback.names import normalize, project_of

#: The methods of installers; others can need gigabytes of memory to unpack a byte.
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
#: The exceptions for a damaged archive; OSError for an offset before its start.
DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, ValueError, OSError)
#: Bytes in front of a member's content: its header, and room for its name and extra fields.
_MEMBER_HEADER = 30 + 1024


class Readable(Protocol):
    """What `zipfile` needs of an open archive."""

    def read(self, size: int = -1, /) -> bytes:
        """Return the next ``size`` bytes, fewer only at the end; all of them if it is negative."""

    def seek(self, offset: int, whence: int = 0, /) -> int:
        """Go to a position, as `io.IOBase.seek` does."""

    def tell(self) -> int:
        """Return the position."""

    def seekable(self) -> bool:
        """Return True."""


def read_wheel_metadata(path: Path, filename: str) -> bytes | None:
    """Return the METADATA of a wheel, or None if it has none that is reliable. Raises OSError."""
    with path.open("rb") as file:
        return metadata_in(file, filename)


def metadata_in(file: Readable, filename: str) -> bytes | None:
    """Return the METADATA of an open wheel, as `read_wheel_metadata` does."""
    try:
        return read_open_wheel(file, filename)
    except ArchiveError:
        return None


def read_open_wheel(
    file: Readable, filename: str, ahead: Callable[[int, int], None] = lambda _, __: None
) -> bytes:
    """Return the METADATA of an open wheel; ``ahead`` gets the range of bytes that is read last.

    It must have exactly one ``*.dist-info/METADATA``, for the project in the file's name (PEP 427),
    as pip and uv demand: all clients then read the same one. Raises `ArchiveError`.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            info = metadata_member(archive, filename)
            ahead(info.header_offset, info.header_offset + _MEMBER_HEADER + info.compress_size)
            with archive.open(info) as member:
                return member.read(MAX_METADATA)
    except DAMAGED as error:  # or with features that wheels do not have
        raise ArchiveError(f"it is not a well-formed wheel ({error})") from error


def metadata_member(archive: zipfile.ZipFile, filename: str) -> zipfile.ZipInfo:
    """Return the METADATA of an open wheel as a member of it; raises `ArchiveError`."""
    found = [
        info
        for info in archive.infolist()
        if info.filename.count("/") == 1 and info.filename.endswith(".dist-info/METADATA")
    ]
    if len(found) != 1:
        raise ArchiveError(f"it has {len(found)} members *.dist-info/METADATA, not one")
    (info,) = found
    project = project_of(filename)
    # Old tools did not write "_" for "-".
    if project is None or not normalize(info.filename).startswith(f"{project}-"):
        raise ContradictionError(f"its {info.filename} is of another project")
    if info.file_size > MAX_METADATA:
        raise MetadataSizeError(info.filename, info.file_size)
    if info.compress_type not in _METHODS:
        raise ArchiveError(f"its metadata is compressed by method {info.compress_type}")
    return info


def requires_python(metadata: bytes) -> str | None:
    """Return the Requires-Python of a METADATA file, or None if it states none."""
    stated = BytesHeaderParser().parsebytes(metadata).get("Requires-Python")
    # A non-ASCII value has another type, and is not a specifier (PEP 440); lines may be folded.
    return " ".join(stated.split()) if isinstance(stated, str) else None
