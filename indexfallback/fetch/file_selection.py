"""Selects the file of a page that a target installs for a pin."""

from collections.abc import Collection
from collections.abc import Set as AbstractSet

from packaging.markers import Marker, UndefinedEnvironmentName
from packaging.version import InvalidVersion, Version

from indexfallback.dists.fitting import SDISTS, best_wheel, takes_python
from indexfallback.errors import FileMissingError, FileRefusedError
from indexfallback.fetch.target import Target
from indexfallback.names import project_of, version_of
from indexfallback.page import File, ProjectPage
from indexfallback.wanted import ALL, Pin, Wanted


def is_wanted(pin: Pin, target: Target, extras: Collection[str], groups: Collection[str]) -> bool:
    """Tell whether a pin applies to a target, by its marker."""
    if not pin.marker:
        return True
    marker = Marker(pin.marker)
    environment: dict[str, str | AbstractSet[str]] = {
        **target.markers,
        "extras": frozenset(extras),
        "dependency_groups": frozenset(groups),
    }
    try:
        return marker.evaluate(environment, context="lock_file")
    # `extra` is undefined, because the lock is for all extras; packaging 25 raises KeyError.
    except (UndefinedEnvironmentName, KeyError):
        return True


def select_file(page: ProjectPage, pin: Pin, target: Target, wanted: Wanted) -> File | None:
    """Return the file that an installer would select: the best wheel, else the sdist.

    None if a pin that is not needed has no file for this target. Raises `FileError` if the version
    is not on the page, or none of its files has a required hash or is for the target.
    """
    name = f"{pin.project} {pin.version}"
    known = [file for file in page.files if _is_of(file, pin)]
    if not known:
        cause = f"it is not on the page of {pin.project}, and {pin.origin} requires it"
        raise FileMissingError(name, cause, "Require a version that is on the page.")
    right = [file for file in known if _has_hash(file, pin.hashes)]
    if not right:
        raise _refused(name, known[0], pin)
    python = target.markers["python_full_version"]
    fitting = [file for file in right if takes_python(file, python)]
    best = _best([file for file in fitting if _takes_format(file, pin.project, wanted)], target)
    if best is None and pin.is_needed:
        cause = f"none of its {len(right)} files is for {target}"
        remedy = "Require a version that has one, or allow sdists."
        raise FileMissingError(name, cause, remedy)
    return best


def _is_of(file: File, pin: Pin) -> bool:
    version = version_of(file.filename)
    if version is None or project_of(file.filename) != pin.project:
        return False
    try:
        return Version(version) == Version(pin.version)
    except InvalidVersion:
        return version == pin.version


def _has_hash(file: File, hashes: Collection[str]) -> bool:
    """Tell whether a file can have one of the hashes; true if its page states none."""
    stated = {f"{kind}:{digest}" for kind, digest in file.hashes.items()}
    kinds = {each.partition(":")[0] for each in hashes}
    return not hashes or kinds.isdisjoint(file.hashes) or not stated.isdisjoint(hashes)


def _refused(name: str, file: File, pin: Pin) -> FileRefusedError:
    cause = (
        f"none of its files has a hash that {pin.origin} requires; "
        f"{file.filename} has sha256 {file.sha256}"
    )
    return FileRefusedError(name, cause, "Find out which one is right before you install it.")


def _takes_format(file: File, project: str, wanted: Wanted) -> bool:
    refused = wanted.no_binary if file.filename.endswith(".whl") else wanted.only_binary
    return refused.isdisjoint((ALL, project))


def _best(files: list[File], target: Target) -> File | None:
    """Return the best wheel, else the sdist that is preferred."""
    wheel = best_wheel(files, target.tags)
    sdists = (file for ending in SDISTS for file in files if file.filename.endswith(ending))
    return wheel or next(sdists, None)
