"""Reads lock files: ``pylock.toml`` (PEP 751), and those of uv, poetry, pdm and pipenv.

A lock is for all platforms; `fetch` selects files by the tags of a target and the markers of the
pins. Where a lock states only a dependency graph, all of its packages are pinned: more than a
target needs.

Without groups, the packages are those that the tool's own ``sync`` or ``install`` installs. A
lock of poetry or pdm does not tell which groups these are, and all count.

All functions raise KeyError, TypeError, AttributeError or ValueError for an invalid document.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from packaging.markers import Marker
from packaging.requirements import Requirement

from indexfallback.errors import WantedError
from indexfallback.names import is_distribution, is_project_name, normalize
from indexfallback.wanted import Demand, DirectReference, Origin, Pin, Wanted

#: The keys of packages in pylock.toml that are not from an index.
_DIRECT = ("vcs", "directory", "archive", "git", "url", "path")
#: The kinds of source that uv has for the locked project itself.
_OWN = ("virtual", "editable", "directory")
#: The types of poetry sources that are not indexes.
_POETRY_DIRECT = ("git", "url", "file", "directory")
#: The keys of packages in the locks of pdm and pipenv that are not from an index.
_REPOSITORIES = ("git", "hg", "svn", "bzr", "url")
_PATHS = ("path", "file")
#: Names of a Pipfile for categories of its lock.
_CATEGORIES = {"packages": "default", "dev": "develop", "dev-packages": "develop"}


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


def poetry_lock(
    document: Mapping[str, Any], origin: Origin, groups: Collection[str] = ()
) -> Wanted:
    """Return the pins of a ``poetry.lock``, of some groups or of all.

    Locks of poetry 2 state the groups of a package; of older ones all packages are pinned.
    Raises `WantedError` for an unknown group.
    """
    pins: list[Pin] = []
    direct: list[DirectReference] = []
    # Before poetry 1.5 the files of all packages were in one table.
    together = document.get("metadata", {}).get("files", {})
    packages = document.get("package", ())
    stated = {group for package in packages for group in package.get("groups", ())}
    chosen = _chosen(groups, stated, "main", origin)
    for package in packages:
        name, source = package["name"], package.get("source", {}).get("type", "")
        if not _is_chosen(package, chosen):
            continue
        if source in _POETRY_DIRECT:
            if source != "directory":
                direct.append(DirectReference(name, origin))
            continue
        hashes = _hashes(package.get("files") or together.get(name, ()))
        marker = _poetry_marker(package, chosen)
        pins.append(
            Pin(_project(name), package["version"], origin, hashes, marker, is_needed=False)
        )
    return Wanted(pins=tuple(pins), direct_references=tuple(direct))


def _poetry_marker(package: Mapping[str, Any], chosen: Collection[str]) -> str:
    """Return the marker of a package: one text, or one for each group that has a marker."""
    markers = package.get("markers", "")
    if isinstance(markers, str):
        return _either([markers])
    groups = package.get("groups", tuple(markers))
    return _either([markers.get(each, "") for each in groups if not chosen or each in chosen])


def pdm_lock(document: Mapping[str, Any], origin: Origin, groups: Collection[str] = ()) -> Wanted:
    """Return the pins of a ``pdm.lock``, of some groups and extras or of all.

    With the strategy ``inherit_metadata``, each package states its groups and its marker. Without
    it, the lock is a dependency graph. Raises `WantedError` for an unknown group.
    """
    pins: list[Pin] = []
    direct: list[DirectReference] = []
    metadata = document.get("metadata", {})
    has_markers = "inherit_metadata" in metadata.get("strategy", ())
    # Before pdm 2.5 the files of all packages were in one table.
    together = metadata.get("files", {})
    chosen = _chosen(groups, metadata.get("groups", ()), "default", origin)
    for package in document.get("package", ()):
        name = _project(package["name"])
        if not _is_chosen(package, chosen):
            continue
        if _is_from_index(name, package, origin, direct):
            version = package["version"]
            files = package.get("files") or together.get(f"{package['name']} {version}", ())
            marker = _either([package.get("marker", "")])
            pins.append(Pin(name, version, origin, _hashes(files), marker, is_needed=has_markers))
    return Wanted(pins=tuple(pins), direct_references=tuple(direct))


def pipfile_lock(
    document: Mapping[str, Any], origin: Origin, groups: Collection[str] = ()
) -> Wanted:
    """Return the content of a ``Pipfile.lock``: of its default category, and of the given ones.

    Raises `WantedError` for an unknown category.
    """
    pins: list[Pin] = []
    demands: list[Demand] = []
    direct: list[DirectReference] = []
    categories = {name: listed for name, listed in document.items() if name != "_meta"}
    named = [_CATEGORIES.get(group, group) for group in groups]
    for category in sorted(_chosen(named, categories, "default", origin) or ("default",)):
        for stated, package in categories.get(category, {}).items():
            name = _project(stated)
            if not _is_from_index(name, package, origin, direct):
                continue
            marker = _either([package.get("markers", "")])
            version = package.get("version", "*")
            # pipenv states no version of what the marker leaves out where it locks.
            requirement = Requirement(f"{name}{'' if version == '*' else version}")
            exact = version.removeprefix("==")
            if exact != version and "," not in version and not version.endswith(".*"):
                pins.append(Pin(name, exact, origin, frozenset(package.get("hashes", ())), marker))
            else:
                demands.append(Demand(f"{requirement}; {marker}".removesuffix("; "), origin))
    return Wanted(pins=tuple(pins), demands=tuple(demands), direct_references=tuple(direct))


def _chosen(
    groups: Collection[str], known: Collection[str], default: str, origin: Origin
) -> frozenset[str]:
    """Return the known groups that are selected, the default one included; empty for no selection.

    Raises `WantedError` for an unknown one; where a lock states no groups, none is selected.
    """
    spelled = {normalize(group): group for group in known}
    if not groups or not spelled:
        return frozenset()
    for group in groups:
        if normalize(group) not in spelled:
            remedy = f"use one of: {', '.join(sorted(known))}"
            raise WantedError(str(origin), f"it has no group {group}", remedy)
    return frozenset((default, *(spelled[normalize(group)] for group in groups)))


def _is_chosen(package: Mapping[str, Any], chosen: Collection[str]) -> bool:
    """Tell whether a package is in a selected group, or no selection can be made."""
    groups = package.get("groups", ())
    return not chosen or not groups or not frozenset(groups).isdisjoint(chosen)


def _is_from_index(
    name: str, package: Mapping[str, Any], origin: Origin, direct: list[DirectReference]
) -> bool:
    """Tell whether a package of pdm or pipenv is from an index; if not, note what else it is."""
    paths = [str(package[key]) for key in _PATHS if key in package]
    is_local = any("://" not in path and not is_distribution(path) for path in paths)
    is_remote = any(key in package for key in _REPOSITORIES)
    if is_remote or (paths and not is_local):
        direct.append(DirectReference(name, origin))
    # A local directory is the project itself, or one beside it, whose dependencies are locked.
    return not (paths or is_remote)


def _files(package: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [*package.get("wheels", ()), *filter(None, [package.get("sdist")])]


def _hashes(files: Iterable[Mapping[str, str]]) -> frozenset[str]:
    return frozenset(file["hash"] for file in files if "hash" in file)


def _either(markers: Iterable[str]) -> str:
    """Return a marker that is true if one of several is, as an empty one is; raises ValueError."""
    stated = list(markers)
    if not all(stated):
        return ""
    for marker in stated:
        Marker(marker)
    return stated[0] if len(stated) == 1 else " or ".join(f"({marker})" for marker in stated)


def _project(name: str) -> str:
    """Return a project's normalised name; raises ValueError for an invalid one."""
    if not is_project_name(name):
        raise ValueError(f"{name!r} is not a valid project name")
    return normalize(name)
