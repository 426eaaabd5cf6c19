"""Which files of a project an interpreter can install, and which of them it prefers. Pure.

Sources: PEP 425 (tags of wheels), 440 (pre-releases), 503 (requires-python), 592 (yanked files).
"""

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.tags import Tag
from packaging.utils import InvalidWheelFilename, parse_wheel_filename
from packaging.version import InvalidVersion, Version

from indexfallback.dists.interpreters import Interpreter
from indexfallback.page import File, ProjectPage

#: Endings of sdists that installers build, in the order of preference.
SDISTS = (".tar.gz", ".zip", ".tar.bz2", ".tgz", ".tar.xz")


@lru_cache(maxsize=256)
def _specifier(text: str) -> SpecifierSet | None:
    try:
        return SpecifierSet(text)
    except InvalidSpecifier:
        return None


def takes_python(file: File, python: str) -> bool:
    """Tell whether a file is for a full version of Python; installers ignore invalid limits."""
    allowed = _specifier(file.requires_python or "")
    return allowed is None or allowed.contains(python, prereleases=True)


def best_wheel(files: Iterable[File], ranks: Mapping[Tag, int]) -> File | None:
    """Return the best wheel as pip ranks them, by tag, then by build number; None if none fits."""
    wheels = []
    for file in files:
        if not file.filename.endswith(".whl"):
            continue
        try:
            _, _, build, tags = parse_wheel_filename(file.filename)
        except InvalidWheelFilename:
            continue
        found = [ranks[tag] for tag in tags if tag in ranks]
        if found:
            wheels.append((-min(found), build, file.filename, file))
    # A page may list a file twice, and files have no order.
    return max(wheels, key=lambda wheel: wheel[:-1])[-1] if wheels else None


def newest_wheel(page: ProjectPage, interpreter: Interpreter, allowed: SpecifierSet) -> File | None:
    """Return the wheel that an installer chooses from a page if it does not have to build one.

    That is the best wheel of the newest version that is allowed, for this Python, and not yanked;
    a pre-release only if there is nothing else. None if that version has only an sdist.
    """
    versions = _by_version(page.files)
    # A specifier that names a pre-release allows all of them.
    with_pre = bool(allowed.prereleases)
    for pre in (False, True):
        for version in sorted(versions, reverse=True):
            if (version.is_prerelease and not with_pre) is not pre:
                continue
            if not allowed.contains(version, prereleases=True):
                continue
            fitting = [f for f in versions[version] if takes_python(f, interpreter.python)]
            wheel = best_wheel(fitting, interpreter.tags)
            if wheel is not None or any(f.filename.endswith(SDISTS) for f in fitting):
                return wheel
    return None


def _by_version(files: Iterable[File]) -> dict[Version, list[File]]:
    """Return the files that are not yanked, by version.

    Names are only cut, since to check each of some thousands takes a tenth of a second.
    """
    versions: dict[str, list[File]] = {}
    for file in files:
        if file.yanked is False:
            versions.setdefault(_version_text(file.filename), []).append(file)
    found: dict[Version, list[File]] = {}
    for text, listed in versions.items():
        for version in _version(text):
            found.setdefault(version, []).extend(listed)
    return found


def _version_text(filename: str) -> str:
    if filename.endswith(".whl"):
        return filename.split("-", 2)[1] if "-" in filename else ""
    stem = next((filename.removesuffix(end) for end in SDISTS if filename.endswith(end)), "")
    return stem.rpartition("-")[2]


def _version(text: str) -> Iterator[Version]:
    try:
        yield Version(text)
    except InvalidVersion:  # installers leave it out
        return
