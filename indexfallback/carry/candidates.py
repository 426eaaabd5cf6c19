"""Finds distributions in wheelhouses, in the caches of pip and uv, and in bandersnatch trees.

It only reads. `adopt` decides which of the candidates are taken.
"""

import io
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from gzip import BadGzipFile, GzipFile
from pathlib import Path
from typing import NamedTuple

from indexfallback.dists.bounds import ContradictionError
from indexfallback.dists.identity import project_at
from indexfallback.names import project_of
from indexfallback.upstream.scan import scan

#: The kinds of directories, as messages name them.
WHEELHOUSE, PIP, UV, BANDERSNATCH = "wheelhouse", "cache of pip", "cache of uv", "bandersnatch tree"
#: The project of an sdist is read from so many unpacked bytes.
_BEGIN = 1 << 20
_ZIP, _GZIP = b"PK\x03\x04", b"\x1f\x8b"
#: The exceptions for a damaged archive.
_DAMAGED = (
    zipfile.BadZipFile, tarfile.TarError, BadGzipFile, zlib.error, EOFError, ValueError,
    NotImplementedError,
)  # fmt: skip


class Candidate(NamedTuple):
    """A file that may be a distribution."""

    path: Path
    project: str
    #: None in a cache that does not keep names.
    filename: str | None


class Skipped(NamedTuple):
    """A file or directory that is not taken, and why."""

    what: str
    reason: str


def kind_of(directory: Path) -> str:
    """Return the kind of a directory."""
    if simple_of(directory) is not None:
        return BANDERSNATCH
    if any((directory / name).is_dir() for name in ("http-v2", "http")):
        return PIP
    if any(directory.glob("archive-v*")):
        return UV
    return WHEELHOUSE


def simple_of(directory: Path) -> Path | None:
    """Return the directory with the pages of a bandersnatch tree, or None if it is another kind."""
    for root in (directory / "web", directory):
        if (root / "simple").is_dir() and (root / "packages").is_dir():
            return root / "simple"
    return None


def candidates(directory: Path) -> Iterator[Candidate | Skipped]:
    """Yield the candidates in a directory of any kind; raises OSError."""
    kind = kind_of(directory)
    if kind == PIP:
        yield from _of_pip(directory)
    elif kind == UV:
        yield from _of_uv(directory)
    else:
        yield from _files(directory)


def pages(directory: Path) -> Iterator[tuple[str, Path]]:
    """Yield each project of a bandersnatch tree with its page, preferably in JSON."""
    simple = simple_of(directory)
    found: dict[str, Path] = {}
    for pattern in ("index.html", "index.v1_json"):
        # The second pattern is for the option `hash-index`.
        for path in (
            (*simple.glob(f"*/{pattern}"), *simple.glob(f"?/*/{pattern}")) if simple else ()
        ):
            found[path.parent.name] = path
    yield from sorted(found.items())


def _files(directory: Path) -> Iterator[Candidate | Skipped]:
    listing = scan(directory)
    for project, paths in sorted(listing.projects.items()):
        for path in map(Path, paths):
            yield Candidate(path, project, path.name)
    for skipped in listing.skipped:
        yield Skipped(skipped.path, skipped.reason)


def _of_pip(directory: Path) -> Iterator[Candidate | Skipped]:
    old = directory / "http"
    if old.is_dir():
        yield Skipped(str(old), "written by pip before 23.3; caches of newer versions can be read")
    # pip keeps bodies without their names: the content has to show the project.
    for path in sorted(directory.glob("http-v2/*/*/*/*/*/*.body")):
        project = project_inside(path)
        if project is None:
            yield Skipped(str(path), "a page, metadata or another file that is not a distribution")
        else:
            yield Candidate(path, project, None)
    if (directory / "wheels").is_dir():
        yield from _files(directory / "wheels")


def _of_uv(directory: Path) -> Iterator[Candidate | Skipped]:
    for path in sorted(directory.iterdir()):
        if path.name.startswith("archive-v"):
            for wheel in sorted(path.iterdir()):
                yield Skipped(str(wheel), "an unpacked wheel, whose file cannot be restored")
        elif path.is_dir():
            yield from _files(path)


def project_inside(path: Path) -> str | None:
    """Return the project that a wheel or an sdist states, or None if the file is neither."""
    with path.open("rb") as file:
        magic = file.read(len(_ZIP))
        file.seek(0)
        try:
            if magic == _ZIP:
                tops = {name.partition("/")[0] for name in zipfile.ZipFile(file).namelist()}
            elif magic.startswith(_GZIP):
                begin = io.BytesIO(GzipFile(fileobj=file).read(_BEGIN))
                first = tarfile.TarFile(fileobj=begin).next()
                tops = {first.name.partition("/")[0]} if first is not None else set()
            else:
                return None
        except _DAMAGED:
            return None
    infos = [top.removesuffix(".dist-info") for top in tops if top.endswith(".dist-info")]
    if infos:
        return project_of(f"{infos[0]}.tar.gz") if len(infos) == 1 else None
    return _project_at(path, f"{tops.pop()}.tar.gz") if len(tops) == 1 else None


def _project_at(path: Path, filename: str) -> str | None:
    """Return the project of an sdist with the file name that its only directory suggests."""
    try:
        return project_at(path, filename)
    except ContradictionError:  # its name is not known, and so not wrong
        return None
