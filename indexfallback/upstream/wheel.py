"""The metadata inside a wheel, read with bounds: a wheel is somebody else's archive."""

import zipfile
from email.parser import BytesHeaderParser
from pathlib import Path

from indexfallback.names import normalize, project_of

#: The largest METADATA in the wild is a README of some hundred KB; bytes.
MAX_METADATA = 5 * 1024 * 1024


def read_metadata(path: Path, filename: str) -> bytes | None:
    """Return the METADATA of the wheel of that name, or None where there is none to trust.

    There must be exactly one ``*.dist-info/METADATA``, of the project in the file's name
    (PEP 427): an archive that can be read in two ways is not read at all. Raises OSError.
    """
    if not filename.endswith(".whl"):
        return None
    project = project_of(filename)
    try:
        with zipfile.ZipFile(path) as archive:
            found = [
                info
                for info in archive.infolist()
                if info.filename.count("/") == 1 and info.filename.endswith(".dist-info/METADATA")
            ]
            if len(found) != 1 or found[0].file_size > MAX_METADATA:
                return None
            name = found[0].filename.partition("-")[0]
            if normalize(name) != project:
                return None
            with archive.open(found[0]) as file:
                return file.read(MAX_METADATA)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError):
        return None  # not a zip, or one with features that no wheel has: no metadata to offer


def requires_python(metadata: bytes) -> str | None:
    """Return the Requires-Python of a METADATA file, or None if it states none."""
    return BytesHeaderParser().parsebytes(metadata).get("Requires-Python")
