"""The metadata inside a wheel, read within limits, because a wheel may be malicious."""

import zipfile
import zlib
from email.parser import BytesHeaderParser
from pathlib import Path
from typing import BinaryIO

from indexfallback.names import normalize, project_of

#: The largest METADATA, bytes; known ones have some hundred KB, mostly a README.
MAX_METADATA = 5 * 1024 * 1024
#: The methods of installers; others can need gigabytes of memory to unpack a byte.
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
#: The exceptions for a damaged archive; OSError for an offset before its start.
_DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, ValueError, OSError)


def read_wheel_metadata(path: Path, filename: str) -> bytes | None:
    """Return the METADATA of a wheel, or None if it has none that is reliable.

    It must have exactly one ``*.dist-info/METADATA``, for the project in the file's name (PEP 427),
    so that all clients read the same one. Raises OSError.
    """
    with path.open("rb") as file:
        return metadata_in(file, filename)


def metadata_in(file: BinaryIO, filename: str) -> bytes | None:
    """Return the METADATA of an open wheel, as `read_wheel_metadata` does."""
    try:
        with zipfile.ZipFile(file) as archive:
            return _read(archive, project_of(filename))
    except _DAMAGED:
        return None  # not a zip, or one with features that wheels do not have


def _read(archive: zipfile.ZipFile, project: str | None) -> bytes | None:
    found = [
        info
        for info in archive.infolist()
        if info.filename.count("/") == 1 and info.filename.endswith(".dist-info/METADATA")
    ]
    if len(found) != 1 or found[0].file_size > MAX_METADATA:
        return None
    if found[0].compress_type not in _METHODS:
        return None
    if normalize(found[0].filename.partition("-")[0]) != project:
        return None
    with archive.open(found[0]) as member:
        return member.read(MAX_METADATA)


def requires_python(metadata: bytes) -> str | None:
    """Return the Requires-Python of a METADATA file, or None if it states none."""
    stated = BytesHeaderParser().parsebytes(metadata).get("Requires-Python")
    # A non-ASCII value has another type, and is not a specifier (PEP 440); lines may be folded.
    return " ".join(stated.split()) if isinstance(stated, str) else None
