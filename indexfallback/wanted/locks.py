"""Reads lock files: ``pylock.toml`` (PEP 751), ``uv.lock`` and ``poetry.lock``.

A lock is for all platforms; `fetch` selects files by the tags of a target and the markers of the
pins. Where a lock states only a dependency graph, all of its packages are pinned, so that rather
more is fetched than a target needs.

All functions raise KeyError, TypeError, AttributeError or ValueError for an invalid document.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from packaging.markers import Marker

from indexfallback.names import is_project_name, normalize
from indexfallback.wanted import DirectReference, Origin, Pin, Wanted

#: The keys of packages in pylock.toml that are not from an index.
_DIRECT = ("vcs", "directory", "archive", "git", "url", "path")
#: The kinds of source that uv has for the locked project itself.
_OWN = ("virtual", "editable", "directory")
#: The types of poetry sources that are not indexes.
_POETRY_DIRECT = ("git", "url", "file", "directory")


def pylock(document: Mapping[str, Any], origin: Origin) -> Wanted:
    """Return the pins of a ``pylock.toml``."""
    pins: list[Pin] = []
    direct: list[DirectReference] = []
    for package in document["packages"]:
        name, version = _project(package["name"]), package.get("version")
        if version is None or any(kind in package for kind in _DIRECT):
            if "directory" not in package:  # the project itself, or one beside it
                direct.append(DirectReference(name, origin))
            continue
        stated = [pair for file in _files(package) for pair in file["hashes"].items()]
        hashes = frozenset(f"{kind}:{digest}" for kind, digest in stated)
        marker = _either([package.get("marker", "")])
        pins.append(Pin(name, version, origin, hashes, marker))
    groups = frozenset(document.get("default-groups", ()))
    return Wanted(pins=tuple(pins), direct_references=tuple(direct), default_groups=groups)


def uv_lock(document: Mapping[str, Any], origin: Origin) -> Wanted:
    """Return the pins of a ``uv.lock``."""
    pins: list[Pin] = []
    direct: list[DirectReference] = []
    for package in document.get("package", ()):
        name, source = _project(package["name"]), package["source"]
        if "registry" in source:
            markers = package.get("resolution-markers", ())
            hashes = _hashes(_files(package))
            pins.append(
                Pin(name, package["version"], origin, hashes, _either(markers), is_needed=False)
            )
        elif not any(kind in source for kind in _OWN):
            direct.append(DirectReference(name, origin))
    return Wanted(pins=tuple(pins), direct_references=tuple(direct))


def poetry_lock(document: Mapping[str, Any], origin: Origin) -> Wanted:
    """Return the pins of a ``poetry.lock``."""
    pins: list[Pin] = []
    direct: list[DirectReference] = []
    # Before poetry 1.5 the files of all packages were in one table.
    together = document.get("metadata", {}).get("files", {})
    for package in document.get("package", ()):
        name, source = package["name"], package.get("source", {}).get("type", "")
        if source in _POETRY_DIRECT:
            if source != "directory":
                direct.append(DirectReference(name, origin))
            continue
        hashes = _hashes(package.get("files") or together.get(name, ()))
        markers = package.get("markers", "")  # one text, or one for each group
        marker = _either([markers] if isinstance(markers, str) else markers.values())
        pins.append(
            Pin(_project(name), package["version"], origin, hashes, marker, is_needed=False)
        )
    return Wanted(pins=tuple(pins), direct_references=tuple(direct))


def _files(package: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [*package.get("wheels", ()), *filter(None, [package.get("sdist")])]


def _hashes(files: Iterable[Mapping[str, str]]) -> frozenset[str]:
    return frozenset(file["hash"] for file in files if "hash" in file)


def _either(markers: Iterable[str]) -> str:
    """Return a marker that is true if one of several is; raises ValueError."""
    stated = [marker for marker in markers if marker]
    for marker in stated:
        Marker(marker)
    return stated[0] if len(stated) == 1 else " or ".join(f"({marker})" for marker in stated)


def _project(name: str) -> str:
    """Return a project's normalised name; raises ValueError for an invalid one."""
    if not is_project_name(name):
        raise ValueError(f"{name!r} is not a valid project name")
    return normalize(name)
