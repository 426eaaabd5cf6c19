"""Tiny wheels and sdists, made in memory and the same in every run, that pip and uv install."""

import base64
import gzip
import hashlib
import io
import random
import re
import tarfile
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from indexfallback.names import normalize

#: The earliest time a zip can hold; a fixed one keeps the bytes, and so the hash, the same.
_ZIP_TIME = (1980, 1, 1, 0, 0, 0)

#: An extra in the marker of a requirement.
_EXTRA = re.compile(r"extra == [\"']([^\"']+)")
#: The backend inside an sdist: the wheel is there already, so it needs no build dependency.
_BACKEND = """\
import pathlib, shutil

def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    (wheel,) = pathlib.Path(__file__).parent.glob("*.whl")
    shutil.copy(wheel, wheel_directory)
    return wheel.name
"""
_PYPROJECT = """\
[build-system]
requires = {requires}
build-backend = "_backend"
backend-path = ["."]
"""


@dataclass(frozen=True)
class Dist:
    """One distribution: its bytes and what an index says of it."""

    #: As its author spells it.
    name: str
    version: str
    filename: str
    data: bytes
    #: METADATA of a wheel, PKG-INFO of an sdist.
    metadata: bytes
    requires_python: str | None = None

    @cached_property
    def sha256(self) -> str:
        """The hash of the file, in hexadecimal."""
        return hashlib.sha256(self.data).hexdigest()

    @cached_property
    def metadata_sha256(self) -> str:
        """The hash of the metadata file, in hexadecimal."""
        return hashlib.sha256(self.metadata).hexdigest()

    @property
    def project(self) -> str:
        """The normalised name."""
        return normalize(self.name)

    @property
    def is_wheel(self) -> bool:
        """Whether it is a wheel."""
        return self.filename.endswith(".whl")


def wheel(
    name: str,
    version: str = "1.0",
    *,
    requires: Iterable[str] = (),
    requires_python: str | None = None,
    size: int = 0,
    extra_files: Mapping[str, bytes] | None = None,
    tag: str = "py3-none-any",
) -> Dist:
    """Return a wheel with one module that knows its ``__version__``.

    ``size`` adds that many bytes that do not compress.
    """
    module = normalize(name).replace("-", "_")
    info = f"{module}-{version}.dist-info"
    metadata = _metadata(name, version, requires, requires_python)
    files = {f"{module}.py": f'__version__ = "{version}"\n'.encode(), **(extra_files or {})}
    if size:
        files[f"{module}_padding.bin"] = random.Random(f"{name} {version}").randbytes(size)
    files[f"{info}/METADATA"] = metadata
    files[f"{info}/WHEEL"] = (
        f"Wheel-Version: 1.0\nGenerator: fakes\nRoot-Is-Purelib: true\nTag: {tag}\n".encode()
    )
    files[f"{info}/RECORD"] = _record(files, f"{info}/RECORD")
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for path, content in files.items():
            archive.writestr(zipfile.ZipInfo(path, _ZIP_TIME), content)
    filename = f"{module}-{version}-{tag}.whl"
    return Dist(name, version, filename, data.getvalue(), metadata, requires_python)


def sdist(
    name: str,
    version: str = "1.0",
    *,
    requires: Iterable[str] = (),
    requires_python: str | None = None,
    size: int = 0,
    extra_files: Mapping[str, bytes] | None = None,
    build_requires: Iterable[str] = (),
    metadata: bytes | None = None,
) -> Dist:
    """Return an sdist that builds into the `wheel` of the same arguments.

    Offline, unless it has build requirements, which it has installed and does not use. Its PKG-INFO
    is the wheel's ``METADATA`` unless ``metadata`` is given.
    """
    built = wheel(
        name,
        version,
        requires=requires,
        requires_python=requires_python,
        size=size,
        extra_files=extra_files,
    )
    stem = f"{normalize(name).replace('-', '_')}-{version}"
    files = {
        "PKG-INFO": built.metadata if metadata is None else metadata,
        "pyproject.toml": _PYPROJECT.format(requires=list(build_requires)).encode(),
        "_backend.py": _BACKEND.encode(),
        built.filename: built.data,
    }
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for path, content in files.items():
            member = tarfile.TarInfo(f"{stem}/{path}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    packed = gzip.compress(data.getvalue(), compresslevel=1, mtime=0)
    return Dist(name, version, f"{stem}.tar.gz", packed, files["PKG-INFO"], requires_python)


def tree(n: int, *, fanout: int | None = None, prefix: str = "tree", size: int = 0) -> list[Dist]:
    """Return ``n`` wheels, ``<prefix>-0`` and so on, of which the first pulls in all others.

    Directly, or through levels where each requires at most ``fanout`` others.
    """
    step = fanout or n
    return [
        wheel(
            f"{prefix}-{i}",
            requires=[f"{prefix}-{child}" for child in range(i * step + 1, i * step + step + 1)
                      if child < n],
            size=size,
        )
        for i in range(n)
    ]  # fmt: skip


def _metadata(
    name: str, version: str, requires: Iterable[str], requires_python: str | None
) -> bytes:
    """Return the METADATA of a distribution."""
    lines = ["Metadata-Version: 2.2", f"Name: {name}", f"Version: {version}"]
    lines += [f"Requires-Python: {requires_python}"] if requires_python else []
    requires = tuple(requires)
    extras = dict.fromkeys(_EXTRA.findall("\n".join(requires)))
    lines += [f"Provides-Extra: {extra}" for extra in extras]
    lines += [f"Requires-Dist: {requirement}" for requirement in requires]
    return "\n".join([*lines, "", ""]).encode()


def _record(files: Mapping[str, bytes], record: str) -> bytes:
    """Return the RECORD of a wheel, itself listed without a hash."""
    lines = [f"{record},,"]
    for path, content in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
        lines.append(f"{path},sha256={digest},{len(content)}")
    return "\n".join([*lines, ""]).encode()
