"""Lock files: ``pylock.toml`` (PEP 751), ``uv.lock`` and ``poetry.lock``, from their documents.

A lock is for every platform: which of its files are fetched, the target's tags and the pins'
markers decide. Which of its packages a project needs for a target is left open where the lock
has only a graph for it: more is fetched then, and never less.

Of a document that is no such lock, all raise KeyError, TypeError, AttributeError or ValueError.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from packaging.markers import Marker

from indexfallback.names import is_project_name, normalize
from indexfallback.wanted import Elsewhere, Origin, Pin, Wanted

#: Kinds of a package in pylock.toml and uv.lock that are no files of an index.
_DIRECT = ("vcs", "directory", "archive", "git", "url", "path")
#: What uv calls the project itself.
_OWN = ("virtual", "editable", "directory")
#: Types of a poetry source that are no index.
_POETRY_DIRECT = ("git", "url", "file", "directory")


def pylock(document: Mapping[str, Any], origin: Origin) -> Wanted:
    """Return the pins of a ``pylock.toml``."""
    pins: list[Pin] = []
    elsewhere: list[Elsewhere] = []
    for package in document["packages"]:
        name, version = _project(package["name"]), package.get("version")
        if version is None or any(kind in package for kind in _DIRECT):
            if "directory" not in package:  # which is the project itself, or beside it
                elsewhere.append(Elsewhere(name, origin))
            continue
        files = [*package.get("wheels", ()), *filter(None, [package.get("sdist")])]
        hashes = [f"{kind}:{digest}" for file in files for kind, digest in file["hashes"].items()]
        marker = _either([package.get("marker", "")])
        pins.append(Pin(name, version, origin, frozenset(hashes), marker))
    groups = frozenset(document.get("default-groups", ()))
    return Wanted(pins=tuple(pins), elsewhere=tuple(elsewhere), default_groups=groups)


def uv_lock(document: Mapping[str, Any], origin: Origin) -> Wanted:
    """Return the pins of a ``uv.lock``."""
    pins: list[Pin] = []
    elsewhere: list[Elsewhere] = []
    for package in document.get("package", ()):
        name, source = _project(package["name"]), package["source"]
        if "registry" in source:
            files = [*package.get("wheels", ()), *filter(None, [package.get("sdist")])]
            markers = package.get("resolution-markers", ())
            hashes = _hashes(files)
            pins.append(
                Pin(name, package["version"], origin, hashes, _either(markers), is_needed=False)
            )
        elif not any(kind in source for kind in _OWN):
            elsewhere.append(Elsewhere(name, origin))
    return Wanted(pins=tuple(pins), elsewhere=tuple(elsewhere))


def poetry_lock(document: Mapping[str, Any], origin: Origin) -> Wanted:
    """Return the pins of a ``poetry.lock``."""
    pins: list[Pin] = []
    elsewhere: list[Elsewhere] = []
    # Before 1.5 the files of all packages stood together.
    together = document.get("metadata", {}).get("files", {})
    for package in document.get("package", ()):
        name, source = package["name"], package.get("source", {}).get("type", "")
        if source in _POETRY_DIRECT:
            if source != "directory":
                elsewhere.append(Elsewhere(name, origin))
            continue
        hashes = _hashes(package.get("files") or together.get(name, ()))
        markers = package.get("markers", "")  # a text, or one for each group
        marker = _either([markers] if isinstance(markers, str) else markers.values())
        pins.append(
            Pin(_project(name), package["version"], origin, hashes, marker, is_needed=False)
        )
    return Wanted(pins=tuple(pins), elsewhere=tuple(elsewhere))


def _hashes(files: Iterable[Mapping[str, str]]) -> frozenset[str]:
    return frozenset(file["hash"] for file in files if "hash" in file)


def _either(markers: Iterable[str]) -> str:
    """Return the marker that holds where one of several does; raises ValueError."""
    stated = [marker for marker in markers if marker]
    for marker in stated:
        Marker(marker)
    return stated[0] if len(stated) == 1 else " or ".join(f"({marker})" for marker in stated)


def _project(name: str) -> str:
    """Return a project's normalised name; raises ValueError for what cannot be one's."""
    if not is_project_name(name):
        raise ValueError(f"{name!r} cannot be a project's name")
    return normalize(name)
