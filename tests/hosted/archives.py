"""Wheels with some members changed, made in memory."""

import base64
import hashlib
import io
import zipfile
from collections.abc import Mapping
from pathlib import Path

from indexfallback.hosted.checks import Checked, check_file
from tests.fakes import Dist, wheel

LIB = wheel("acme-lib", "1.0")
INFO = "acme_lib-1.0.dist-info"
RECORD = f"{INFO}/RECORD"


def metadata(*lines: str, version: str = "2.2") -> bytes:
    """Return a METADATA of the wheel with more fields."""
    fixed = (f"Metadata-Version: {version}", "Name: acme-lib", "Version: 1.0")
    return "\n".join((*fixed, *lines, "", "")).encode()


def row(path: str, content: bytes, algorithm: str = "sha256") -> str:
    """Return the row of a member in RECORD."""
    digest = hashlib.new(algorithm, content, usedforsecurity=False).digest()
    encoded = base64.urlsafe_b64encode(digest).decode().rstrip("=")
    return f"{path},{algorithm}={encoded},{len(content)}"


def changed(
    members: Mapping[str, bytes | None] | None = None, rows: Mapping[str, str | None] | None = None
) -> bytes:
    """Return the wheel with members added, replaced or, with None, removed.

    RECORD follows, but for the rows of the paths in ``rows``.
    """
    with zipfile.ZipFile(io.BytesIO(LIB.data)) as archive:
        old = {name: archive.read(name) for name in archive.namelist() if name != RECORD}
    merged = {**old, **(members or {})}
    new = {name: content for name, content in merged.items() if content is not None}
    lines: dict[str, str | None] = {name: row(name, content) for name, content in new.items()}
    lines |= {RECORD: f"{RECORD},,"}
    lines |= rows or {}
    if merged.get(RECORD, b"") is not None:
        new.setdefault(RECORD, "".join(f"{line}\n" for line in lines.values() if line).encode())
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in new.items():
            archive.writestr(name, content)
    return data.getvalue()


def checked(directory: Path, data: bytes, dist: Dist = LIB) -> Checked:
    """Check bytes as an upload of ``dist``."""
    path = directory / dist.filename
    path.write_bytes(data)
    return check_file(path, dist.filename, None)
