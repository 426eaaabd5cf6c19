"""The metadata inside a wheel, read with bounds: a wheel is somebody else's archive."""

import zipfile
import zlib
from email.parser import BytesHeaderParser
from pathlib import Path
from typing import BinaryIO

from indexfallback.names import normalize, project_of

#: The largest METADATA in the wild is a README of some hundred KB; bytes.
MAX_METADATA = 5 * 1024 * 1024
#: What installers take; the others may ask for gigabytes of memory to unpack a byte.
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
#: What reading a damaged archive raises; OSError for an offset before its start.
_DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, ValueError, OSError)


def read_wheel_metadata(path: Path, filename: str) -> bytes | None:
    """Return the METADATA of the wheel of that name, or None where there is none to trust.

    There must be exactly one ``*.dist-info/METADATA``, of the project in the file's name
    (PEP 427): an archive that can be read in two ways is not read at all. Raises OSError.
    """
    with path.open("rb") as file:
        return metadata_in(file, filename)


def metadata_in(file: BinaryIO, filename: str) -> bytes | None:
    """Return the METADATA of an open wheel, as `read_wheel_metadata` does."""
    try:
        with zipfile.ZipFile(file) as archive:
            return _read(archive, project_of(filename))
    except _DAMAGED:
        return None  # not a zip, or one with features that no wheel has: no metadata to offer


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
    # What is not ASCII comes as another type, and is no specifier (PEP 440); lines may be folded.
    return " ".join(stated.split()) if isinstance(stated, str) else None
