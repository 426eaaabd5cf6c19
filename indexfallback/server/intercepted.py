"""What a request for a host of the chain asks for, by its address alone.

The index of an address is the one whose own address is its longest prefix. Paths are compared as in
`files.file_url`: a path that a server could take for another one must not be decided otherwise.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from indexfallback.config import Index
from indexfallback.files.file_url import FileUrl, segments
from indexfallback.names import (
    METADATA_ENDING,
    is_distribution,
    is_project_name,
    is_safe_filename,
    normalize,
    project_of,
)
from indexfallback.origin import origin_of

#: Segments before a file's name that may name its project.
_LOOKED_AT = 3


@dataclass(frozen=True)
class Names:
    """The list of names of an index."""

    index: Index


@dataclass(frozen=True)
class Page:
    """The page of a normalised project at an index."""

    index: Index
    project: str


@dataclass(frozen=True)
class Moved:
    """An address that the index would redirect; ``location`` is relative to its host."""

    location: str


@dataclass(frozen=True)
class Json:
    """The JSON of a project, or of one version of it, at the host of an index."""

    index: Index
    project: str
    version: str | None


Wanted = Names | Page | Moved | Json | FileUrl


def wanted(
    indexes: Iterable[Index], scheme: str, authority: str, path: str, query: str
) -> Wanted | None:
    """Return what an address asks for; None if it is nothing of the chain.

    ``path`` is without its percent-encoding, and ``query`` as it came.
    """
    origin = origin_of(f"{scheme.lower()}://{authority}")
    if origin is None or "@" in authority:
        return None
    here = [(root_of(i), i) for i in indexes if origin_of(i.url) == origin]
    parts = segments(path)
    is_directory = path.endswith(("/", "/.", "/..")) or not path
    found = _longest([(root, index) for root, index in here if parts[: len(root)] == root])
    if found is not None:
        root, index = found
        answer = _in_index(index, parts[len(root) :], is_directory=is_directory)
        if answer is not None:
            return answer
    if is_directory or not parts:
        return None
    below = parts[len(found[0]) :] if found is not None else ()
    return _json(here, parts) or _file(origin, parts, query, below)


def index_at(indexes: Iterable[Index], url: FileUrl) -> Index | None:
    """Return the index at whose address a file is: the longest prefix, or the only one there."""
    here = [(root_of(i), i) for i in indexes if origin_of(i.url) == url.origin]
    found = _longest([(root, i) for root, i in here if url.path[: len(root)] == root])
    if found is not None:
        return found[1]
    return here[0][1] if len(here) == 1 else None


def root_of(index: Index) -> tuple[str, ...]:
    """Return the path of an index, as `segments` does."""
    return segments(unquote(urlsplit(index.url).path))


def _in_index(index: Index, rest: Sequence[str], *, is_directory: bool) -> Wanted | None:
    """Return the page or list that the path below an index's address means, or None."""
    root = urlsplit(index.url).path
    if not rest:
        return Names(index) if is_directory else Moved(root)
    (name, *more) = rest
    is_file = not is_directory and is_distribution(name.removesuffix(METADATA_ENDING))
    if more or is_file or not is_project_name(name):
        return None
    project = normalize(name)
    return Page(index, project) if is_directory and name == project else Moved(f"{root}{project}/")


def _json(here: Iterable[tuple[tuple[str, ...], Index]], parts: Sequence[str]) -> Json | None:
    """Return the JSON that a path means: ``pypi/NAME[/VERSION]/json`` beside an index's root."""
    found = _longest([(r, i) for r, i in here if parts[: len(r[:-1])] == r[:-1]])
    match parts[len(found[0][:-1]) :] if found is not None else ():
        case ("pypi", name, *version, "json") if len(version) <= 1 and is_project_name(name):
            assert found is not None  # noqa: S101 - or there would be no parts
            return Json(found[1], normalize(name), next(iter(version), None))
    return None


def _file(origin: str, parts: tuple[str, ...], query: str, below: Sequence[str]) -> FileUrl | None:
    """Return the file that a path means, or None; ``below`` are the parts inside an index."""
    listed = parts[-1].removesuffix(METADATA_ENDING)
    if not is_distribution(listed) or not is_safe_filename(parts[-1]):
        return None
    folder = [below[0]] if len(below) > 1 else []
    above = () if project_of(listed) is not None else reversed(parts[-1 - _LOOKED_AT : -1])
    in_index, in_path = _names(folder), _names([*folder, *above])
    project = project_of(listed) or next(iter(in_index), None)
    others = tuple(name for name in in_path if name != project)
    return FileUrl(origin, parts, query, project, others)


def _names(folders: Iterable[str]) -> list[str]:
    """Return the normalised projects that folders are named after."""
    return list(dict.fromkeys(normalize(name) for name in folders if is_project_name(name)))


def _longest(
    found: Sequence[tuple[tuple[str, ...], Index]],
) -> tuple[tuple[str, ...], Index] | None:
    return max(found, key=lambda each: len(each[0]), default=None)
