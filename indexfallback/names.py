"""Names of projects and files, patterns of project names, and the keys of files.

Sources: PEP 503 (normalisation), PEP 508 (valid names), PEP 427 and 625 (file names).
A name or key that is accepted here cannot lead out of a directory.
"""

import re
from collections.abc import Iterable
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:  # it takes 20 ms
    from packaging.version import Version

#: Endings of sdists in addition to the two that packaging knows; pip installs all but ``.tar.Z``.
_OLD_SDIST_ENDINGS = (
    ".tar.bz2", ".tbz", ".tgz", ".tar.xz", ".txz", ".tar.lz", ".tlz", ".tar.lzma", ".tar.Z", ".tar",
)  # fmt: skip
_SDIST_ENDINGS = (".tar.gz", ".zip", *_OLD_SDIST_ENDINGS)
#: File name endings of distributions; old buildouts still use the legacy ones.
DISTRIBUTION_ENDINGS = (
    ".whl", *_SDIST_ENDINGS,
    ".egg", ".exe", ".msi", ".rpm", ".deb", ".dmg",
)  # fmt: skip
#: The ending of a metadata file beside a distribution (PEP 658).
METADATA_ENDING = ".metadata"
#: The ending of a provenance object beside a distribution, as this server has it (PEP 740).
PROVENANCE_ENDING = ".provenance"
#: The longest file name that every supported file system takes.
MAX_FILENAME_BYTES = 255

_SEPARATORS = re.compile(r"[-_.]+")
_PROJECT = re.compile(r"[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?", re.IGNORECASE | re.ASCII)
_NORMALIZED = re.compile(r"[a-z0-9](?:-?[a-z0-9])*", re.ASCII)
_FILENAME = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9._+!~@=,() -]*[A-Za-z0-9_+)-])?", re.ASCII)
_SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)
#: What a version may look like: any of PEP 440, and those of before.
_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+!-]{0,99}", re.ASCII)
#: Where a version may begin in the name of an sdist; versions of old tools begin with a digit.
_VERSION_BEGIN = re.compile(r"-v?[0-9]", re.ASCII)


def normalize(name: str) -> str:
    """Return the normalised name of a project: ``Zope.Interface`` -> ``zope-interface``."""
    return _SEPARATORS.sub("-", name).lower()


def is_project_name(name: str) -> bool:
    """Tell whether ``name`` is a valid project name, normalised or not (PEP 508)."""
    return len(name) <= MAX_FILENAME_BYTES and _PROJECT.fullmatch(name) is not None


def is_normalized(name: str) -> bool:
    """Tell whether ``name`` is a normalised project name."""
    return len(name) <= MAX_FILENAME_BYTES and _NORMALIZED.fullmatch(name) is not None


def is_version(text: str) -> bool:
    """Tell whether ``text`` can be a version, also one from before PEP 440."""
    return _VERSION.fullmatch(text) is not None


def is_claimed(project: str, patterns: Iterable[str]) -> bool:
    """Tell whether one of ``patterns`` (``acme-*``; normalised) matches the normalised project."""
    return any(fnmatchcase(project, pattern) for pattern in patterns)


def is_safe_filename(filename: str) -> bool:
    """Tell whether ``filename`` is one plain path segment on every supported system.

    It must be ASCII, which excludes look-alikes of known names, and must have no separator,
    drive, control character, or leading or trailing dot.
    """
    return len(filename) <= MAX_FILENAME_BYTES and _FILENAME.fullmatch(filename) is not None


def is_distribution(filename: str) -> bool:
    """Tell whether ``filename`` has the ending of a distribution, legacy formats included."""
    return filename.endswith(DISTRIBUTION_ENDINGS)


def is_sha256(text: str) -> bool:
    """Tell whether ``text`` is a sha256 in lower-case hexadecimal."""
    return _SHA256.fullmatch(text) is not None


def project_of(filename: str) -> str | None:
    """Return the normalised project of a distribution, or None if its name does not tell."""
    parsed = _parse(filename)
    return parsed[0] if parsed is not None else None


def version_of(filename: str) -> str | None:
    """Return the version in a distribution's name as packaging spells it, or None."""
    parsed = _parse(filename)
    return parsed[1] if parsed is not None else None


@lru_cache(maxsize=8192)
def canonical_version(text: str | None) -> str | None:
    """Return the one text of a version that equal versions share, or None for none (PEP 440)."""
    from packaging.utils import canonicalize_version  # noqa: PLC0415 - as in `_parse`
    from packaging.version import InvalidVersion, Version  # noqa: PLC0415 - as in `_parse`

    try:
        return canonicalize_version(Version(text)) if text is not None else None
    except InvalidVersion:
        return None


def version_order(text: str) -> tuple[bool, "Version"]:
    """Return what sorts versions; a text that is none (PEP 440) is older than all of them."""
    from packaging.version import InvalidVersion, Version  # noqa: PLC0415 - as in `_parse`

    try:
        return True, Version(text)
    except InvalidVersion:
        return False, Version("0")


def is_ambiguous(filename: str) -> bool:
    """Tell whether the name of an sdist does not show where its project ends.

    PEP 625 allows one dash. Old tools wrote dashes into names and versions: ``foo-bar-1.0-2`` is
    foo-bar 1.0-2 or foo-bar-1.0 2, and ``foo-1.0-rc1`` cannot be split at its last dash.
    """
    stem = _sdist_stem(filename)
    if stem is None or "-" not in stem:
        return False
    return len(_VERSION_BEGIN.findall(stem)) != 1 or project_of(filename) is None


@lru_cache(maxsize=8192)
def version_in(filename: str, project: str) -> str | None:
    """Return the version in the name of a distribution of the normalised ``project``, or None.

    As pip and uv do, the name of an sdist is split behind the project. What was asked last is
    remembered: one name takes 10 microseconds, and the largest pages have thousands.
    """
    stem = _sdist_stem(filename)
    if stem is None:
        parsed = _parse(filename)
        return parsed[1] if parsed is not None and parsed[0] == project else None
    from packaging.version import InvalidVersion, Version  # noqa: PLC0415 - as in `_parse`

    for dash in re.finditer("-", stem):
        if normalize(stem[: dash.start()]) == project:
            try:
                return str(Version(stem[dash.end() :]))
            except InvalidVersion:
                return None
    return None


def begins_with(filename: str, project: str) -> bool:
    """Tell whether a file name can be of the normalised ``project``: the name, then a dash."""
    return any(
        normalize(filename[: dash.start()]) == project for dash in re.finditer("-", filename)
    )


def _sdist_stem(filename: str) -> str | None:
    """Return the file name of an sdist without its ending, or None for another format."""
    ending = next((end for end in _SDIST_ENDINGS if filename.endswith(end)), None)
    return filename.removesuffix(ending) if ending is not None else None


def _parse(filename: str) -> tuple[str, str] | None:
    """Return project and version of a distribution, or None."""
    from packaging.utils import (  # noqa: PLC0415 - 10 ms, and many commands read no file name
        parse_sdist_filename,
        parse_wheel_filename,
    )
    from packaging.version import Version  # noqa: PLC0415 - as above

    name: str
    try:
        if filename.endswith(".whl"):
            name, version = parse_wheel_filename(filename)[:2]
        elif filename.endswith(".egg"):
            # Setuptools writes "_" for every "-" inside the parts.
            stated, version_text, *_ = filename.removesuffix(".egg").split("-")
            name, version = normalize(stated), Version(version_text.replace("_", "-"))
        else:
            stem = _sdist_stem(filename)
            if stem is None:
                return None
            name, version = parse_sdist_filename(f"{stem}.tar.gz")
    except ValueError:  # from unpacking, or one of packaging's subclasses
        return None
    return (name, str(version)) if is_normalized(name) else None


class FileKey(NamedTuple):
    """The middle part of a file's address: its project and, if known, its sha256.

    The project makes the address readable, and finds the file again when the cache is empty.
    The hash makes the address immutable. A dot separates them: normalised names have none.
    """

    project: str
    sha256: str | None

    def __str__(self) -> str:
        return f"{self.project}.{self.sha256}" if self.sha256 else self.project

    @classmethod
    def parse(cls, text: str) -> "FileKey | None":
        """Return the key that ``text`` stands for, or None if it is not a key."""
        project, dot, sha256 = text.partition(".")
        if not is_normalized(project) or (dot and not is_sha256(sha256)):
            return None
        return cls(project, sha256 or None)
