"""Selects the file of a page that a target installs for a pin."""

from collections.abc import Collection
from collections.abc import Set as AbstractSet

from packaging.markers import Marker, UndefinedEnvironmentName
from packaging.version import InvalidVersion, Version

from indexfallback.errors import FileMissingError, FileRefusedError
from indexfallback.fetch.installable import best_file
from indexfallback.fetch.target import Target
from indexfallback.fetch.unsatisfied import Asked, Offer, unsatisfied
from indexfallback.names import version_in
from indexfallback.page import File
from indexfallback.wanted import Pin, Wanted
from indexfallback.words import counted


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


def select_file(offer: Offer, pin: Pin, target: Target, wanted: Wanted) -> File | None:
    """Return the file that an installer would select: the best wheel, else the sdist.

    None if a pin that is not needed has no file for this target. Raises `FileError` if the version
    is not offered, or none of its files has a required hash or is for the target.
    """
    known = [file for file in offer.offered.files if _is_of(file, pin)]
    right = [file for file in known if _has_hash(file, pin.hashes)]
    best = best_file(right, pin.project, target, wanted)
    if best is not None or (right and not pin.is_needed):
        return best
    name = f"{pin.project} {pin.version}"
    other = best_file(known, pin.project, target, wanted)
    if known and not right:
        raise _refused(name, other or known[0], len(known), pin)
    if other is not None:
        have = counted(len(right), "file")
        which = "which is not" if len(right) == 1 else "none of which is"
        cause = f"{pin.origin} has the hashes of {have}, {which} for {target}"
        remedy = f"{other.filename} is for it: lock again, for this target too."
        raise FileMissingError(name, cause, remedy)
    cause = unsatisfied(offer, Asked.pinned(pin.version), target, wanted) or "no file fits"
    raise FileMissingError(name, cause, "Require a version that this target can install.")


def _is_of(file: File, pin: Pin) -> bool:
    version = version_in(file.filename, pin.project)
    if version is None:
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


def _refused(name: str, file: File, count: int, pin: Pin) -> FileRefusedError:
    files = "its file has not" if count == 1 else f"none of its {count:,} files has"
    required = (
        f"the hash that {pin.origin} requires"
        if len(pin.hashes) == 1
        else (f"one of the {len(pin.hashes):,} hashes that {pin.origin} requires")
    )
    cause = f"{files} {required}; {file.filename} has sha256 {file.sha256}"
    return FileRefusedError(name, cause, "Find out which one is right before you install it.")
