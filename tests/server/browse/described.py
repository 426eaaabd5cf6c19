"""Distributions with more metadata than the fakes have."""

import gzip
import io
import tarfile
import zipfile
from dataclasses import replace

from tests.fakes import Dist


def described(dist: Dist, *fields: str, text: str = "", kind: str = "text/markdown") -> Dist:
    """Return a wheel or sdist whose metadata have more fields and a description, also inside."""
    lines = [*dist.metadata.decode().splitlines()[:-1], *fields]
    lines += [f"Description-Content-Type: {kind}"] if kind else []
    metadata = "\n".join([*lines, "", text]).encode()
    rebuilt = _wheel(dist, metadata) if dist.is_wheel else _sdist(dist, metadata)
    return replace(dist, metadata=metadata, data=rebuilt)


def _wheel(dist: Dist, metadata: bytes) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(dist.data)) as old, zipfile.ZipFile(data, "w") as new:
        for info in old.infolist():
            is_it = info.filename.endswith("/METADATA")
            new.writestr(info, metadata if is_it else old.read(info))
    return data.getvalue()


def _sdist(dist: Dist, metadata: bytes) -> bytes:
    stem = dist.filename.removesuffix(".tar.gz")
    return tar({f"{stem}/PKG-INFO": metadata})


def tar(files: dict[str, bytes]) -> bytes:
    """Return a ``.tar.gz``."""
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as archive:
        for path, content in files.items():
            member = tarfile.TarInfo(path)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return gzip.compress(data.getvalue(), compresslevel=1, mtime=0)
