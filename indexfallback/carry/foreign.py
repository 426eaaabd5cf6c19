"""What other tools keep: wheelhouses, the caches of pip and uv, and trees of bandersnatch.

Read only. What is found here is a candidate, whatever it is called: `adopting` decides.
"""

import io
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from gzip import BadGzipFile, GzipFile
from pathlib import Path
from typing import NamedTuple

from indexfallback.names import project_of
from indexfallback.upstream.listing import look

#: What a directory can be, in the words in which it is said.
WHEELHOUSE, PIP, UV, BANDERSNATCH = "wheelhouse", "cache of pip", "cache of uv", "bandersnatch tree"
#: The name of a project stands within so many unpacked bytes of an sdist.
_BEGIN = 1 << 20
_ZIP, _GZIP = b"PK\x03\x04", b"\x1f\x8b"
#: What reading a damaged archive raises.
_DAMAGED = (
    zipfile.BadZipFile, tarfile.TarError, BadGzipFile, zlib.error, EOFError, ValueError,
    NotImplementedError,
)  # fmt: skip


class Candidate(NamedTuple):
    """A file that may be a distribution."""

    path: Path
    project: str
    #: None in a cache that does not say.
    filename: str | None


class Left(NamedTuple):
    """What is no candidate, and why."""

    what: str
    reason: str


def kind_of(directory: Path) -> str:
    """Return what a directory seems to be."""
    if simple_of(directory) is not None:
        return BANDERSNATCH
    if any((directory / name).is_dir() for name in ("http-v2", "http")):
        return PIP
    if any(directory.glob("archive-v*")):
        return UV
    return WHEELHOUSE


def simple_of(directory: Path) -> Path | None:
    """Return where a bandersnatch tree has its pages, or None if it is none."""
    for root in (directory / "web", directory):
        if (root / "simple").is_dir() and (root / "packages").is_dir():
            return root / "simple"
    return None


def candidates(directory: Path) -> Iterator[Candidate | Left]:
    """Yield what a directory has, by what it is; raises OSError."""
    kind = kind_of(directory)
    if kind == PIP:
        yield from _of_pip(directory)
    elif kind == UV:
        yield from _of_uv(directory)
    else:
        yield from _files(directory)


def pages(directory: Path) -> Iterator[tuple[str, Path]]:
    """Yield the projects of a bandersnatch tree and their pages, JSON where there is one."""
    simple = simple_of(directory)
    found: dict[str, Path] = {}
    for pattern in ("index.html", "index.v1_json"):
        # The second form is that of `hash-index`.
        for path in (
            (*simple.glob(f"*/{pattern}"), *simple.glob(f"?/*/{pattern}")) if simple else ()
        ):
            found[path.parent.name] = path
    yield from sorted(found.items())


def _files(directory: Path) -> Iterator[Candidate | Left]:
    listing = look(directory)
    for project, paths in sorted(listing.projects.items()):
        for path in map(Path, paths):
            yield Candidate(path, project, path.name)
    for skipped in listing.skipped:
        yield Left(skipped.path, skipped.reason)


def _of_pip(directory: Path) -> Iterator[Candidate | Left]:
    old = directory / "http"
    if old.is_dir():
        yield Left(str(old), "as pip before 23.3 kept answers; those of a newer pip can be read")
    # What pip got stands in a file of its own, without a name: its content has to say.
    for path in sorted(directory.glob("http-v2/*/*/*/*/*/*.body")):
        project = project_inside(path)
        if project is None:
            yield Left(str(path), "a page, metadata or something else that is no distribution")
        else:
            yield Candidate(path, project, None)
    if (directory / "wheels").is_dir():
        yield from _files(directory / "wheels")


def _of_uv(directory: Path) -> Iterator[Candidate | Left]:
    for path in sorted(directory.iterdir()):
        if path.name.startswith("archive-v"):
            for wheel in sorted(path.iterdir()):
                yield Left(str(wheel), "an unpacked wheel, whose own bytes cannot be had back")
        elif path.is_dir():
            yield from _files(path)


def project_inside(path: Path) -> str | None:
    """Return the project that a wheel or an sdist says it is of, or None if it is neither."""
    with path.open("rb") as file:
        magic = file.read(len(_ZIP))
        file.seek(0)
        try:
            if magic == _ZIP:
                return _project_of_names(zipfile.ZipFile(file).namelist())
            if magic.startswith(_GZIP):
                begin = io.BytesIO(GzipFile(fileobj=file).read(_BEGIN))
                first = tarfile.TarFile(fileobj=begin).next()
                return _project_of_names([first.name] if first is not None else [])
        except _DAMAGED:
            return None
    return None


def _project_of_names(names: list[str]) -> str | None:
    """Return the project of an archive's members: by its ``.dist-info``, or its one directory."""
    tops = {name.partition("/")[0] for name in names}
    infos = [top.removesuffix(".dist-info") for top in tops if top.endswith(".dist-info")]
    stated = infos or list(tops)
    return project_of(f"{stated[0]}.tar.gz") if len(stated) == 1 else None
