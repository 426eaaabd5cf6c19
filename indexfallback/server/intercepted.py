"""What a request for a host of the chain asks for, by its address alone.

The index of an address is the one whose own address is its longest prefix. PyPI's address belongs
to the whole chain if no index of the chain has it, since clients ask there by default. Paths are
compared as in `files.file_url`: a path that a server could take for another one must not be decided
otherwise.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from indexfallback.config import Index
from indexfallback.config.pip import default_url, is_default_url
from indexfallback.files.file_url import FileUrl, ProvenanceUrl, segments
from indexfallback.names import (
    METADATA_ENDING,
    PROVENANCE_ENDING,
    is_distribution,
    is_project_name,
    is_safe_filename,
    normalize,
    project_of,
)
from indexfallback.origin import origin_of

#: The last segment of a provenance object's address at PyPI.
_PROVENANCE = "provenance"
#: Segments before a file's name that may name its project.
_LOOKED_AT = 3


@dataclass(frozen=True)
class Names:
    """The list of names of an index, or of the whole chain."""

    index: Index | None


@dataclass(frozen=True)
class Page:
    """The page of a normalised project at an index, or at the address of the whole chain."""

    index: Index | None
    project: str


@dataclass(frozen=True)
class Moved:
    """An address that the index would redirect; ``location`` is relative to its host."""

    location: str


@dataclass(frozen=True)
class Json:
    """The JSON of a project, or of one version of it, at the host of an index or of the chain."""

    index: Index | None
    project: str
    version: str | None


Wanted = Names | Page | Moved | Json | FileUrl | ProvenanceUrl


@dataclass(frozen=True)
class _Place:
    """An address that is answered at."""

    #: As `files.file_url.segments` returns it.
    path: tuple[str, ...]
    url: str
    #: None for the whole chain.
    index: Index | None


def wanted(
    indexes: Iterable[Index], scheme: str, authority: str, path: str, query: str
) -> Wanted | None:
    """Return what an address asks for; None if it is nothing of the chain.

    ``path`` is without its percent-encoding, and ``query`` as it came.
    """
    origin = origin_of(f"{scheme.lower()}://{authority}")
    if origin is None or "@" in authority:
        return None
    here = [place for place in _places(indexes) if origin_of(place.url) == origin]
    parts = segments(path)
    is_directory = path.endswith(("/", "/.", "/..")) or not path
    found = _longest([place for place in here if parts[: len(place.path)] == place.path])
    if found is not None:
        answer = _in_index(found, parts[len(found.path) :], is_directory=is_directory)
        if answer is not None:
            return answer
    if is_directory or not parts:
        return None
    below = parts[len(found.path) :] if found is not None else ()
    return (
        _json(here, parts)
        or _file(origin, parts, query, below)
        or _provenance(origin, parts, query)
    )


def index_at(indexes: Iterable[Index], url: FileUrl) -> Index | None:
    """Return the index at whose address a file is: the longest prefix, or the only one there."""
    here = [_place(index.url, index) for index in indexes if origin_of(index.url) == url.origin]
    found = _longest([place for place in here if url.path[: len(place.path)] == place.path])
    if found is not None:
        return found.index
    return here[0].index if len(here) == 1 else None


def _places(indexes: Iterable[Index]) -> list[_Place]:
    places = [_place(index.url, index) for index in indexes]
    if not any(is_default_url(place.url) for place in places):
        places.append(_place(default_url(), None))
    return places


def _place(url: str, index: Index | None) -> _Place:
    return _Place(segments(unquote(urlsplit(url).path)), url, index)


def _in_index(place: _Place, rest: Sequence[str], *, is_directory: bool) -> Wanted | None:
    """Return the page or list that the path below an index's address means, or None."""
    root, index = urlsplit(place.url).path, place.index
    if not rest:
        return Names(index) if is_directory else Moved(root)
    (name, *more) = rest
    listed = name.removesuffix(METADATA_ENDING).removesuffix(PROVENANCE_ENDING)
    is_file = not is_directory and is_distribution(listed)
    if more or is_file or not is_project_name(name):
        return None
    project = normalize(name)
    return Page(index, project) if is_directory and name == project else Moved(f"{root}{project}/")


def _json(here: Iterable[_Place], parts: Sequence[str]) -> Json | None:
    """Return the JSON that a path means: ``pypi/NAME[/VERSION]/json`` beside an index's root."""
    found = _longest([place for place in here if parts[: len(place.path[:-1])] == place.path[:-1]])
    if found is None:
        return None
    match parts[len(found.path[:-1]) :]:
        case ("pypi", name, *version, "json") if len(version) <= 1 and is_project_name(name):
            return Json(found.index, normalize(name), next(iter(version), None))
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


def _provenance(origin: str, parts: tuple[str, ...], query: str) -> ProvenanceUrl | None:
    """Return the provenance object that a path means: ``FILE/provenance``, ``FILE.provenance``."""
    *above, name = parts
    filename = above[-1] if name == _PROVENANCE and above else name.removesuffix(PROVENANCE_ENDING)
    project = project_of(filename) if is_safe_filename(filename) else None
    if filename == name or project is None:
        return None
    return ProvenanceUrl(origin, parts, query, filename, project)


def _names(folders: Iterable[str]) -> list[str]:
    """Return the normalised projects that folders are named after."""
    return list(dict.fromkeys(normalize(name) for name in folders if is_project_name(name)))


def _longest(found: Sequence[_Place]) -> _Place | None:
    return max(found, key=lambda place: len(place.path), default=None)
