"""Names: of projects, of files, of patterns that claim projects, and safe keys made of them.

Sources: PEP 503 (normalisation), PEP 508 (valid names), PEP 427 and 625 (file names).
Nothing here is derived from a path, and nothing that comes out of here can leave a directory.
"""

import re
from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import NamedTuple

from packaging.utils import canonicalize_name, parse_sdist_filename, parse_wheel_filename
from packaging.version import Version

#: Endings of files that an index may offer; the legacy ones are passed on for old buildouts.
DISTRIBUTION_ENDINGS = (
    ".whl", ".tar.gz", ".zip", ".tar.bz2", ".tgz", ".tar.xz", ".tar.Z", ".tar",
    ".egg", ".exe", ".msi", ".rpm", ".deb", ".dmg",
)  # fmt: skip
#: Those of sdists, besides the two that packaging knows.
_OLD_SDIST_ENDINGS = (".tar.bz2", ".tgz", ".tar.xz", ".tar.Z", ".tar")
#: The ending of a metadata file beside a distribution (PEP 658).
METADATA_ENDING = ".metadata"
#: The longest file name that every supported file system takes.
MAX_FILENAME_BYTES = 255

_PROJECT = re.compile(r"[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?", re.IGNORECASE | re.ASCII)
_NORMALIZED = re.compile(r"[a-z0-9](?:-?[a-z0-9])*", re.ASCII)
_FILENAME = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9._+!~@=,() -]*[A-Za-z0-9_+)-])?", re.ASCII)
_SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)


def normalize(name: str) -> str:
    """Return a project's name as it is looked up: ``Zope.Interface`` -> ``zope-interface``."""
    return canonicalize_name(name)


def is_project_name(name: str) -> bool:
    """Tell whether ``name`` can be a project's, normalised or not (PEP 508)."""
    return len(name) <= MAX_FILENAME_BYTES and _PROJECT.fullmatch(name) is not None


def is_normalized(name: str) -> bool:
    """Tell whether ``name`` is a project's name in the form in which it is looked up."""
    return len(name) <= MAX_FILENAME_BYTES and _NORMALIZED.fullmatch(name) is not None


def is_claimed(project: str, patterns: Iterable[str]) -> bool:
    """Tell whether one of ``patterns`` (``acme-*``; normalised) matches the normalised project."""
    return any(fnmatchcase(project, pattern) for pattern in patterns)


def is_safe_filename(filename: str) -> bool:
    """Tell whether ``filename`` is one plain path segment on every supported system.

    ASCII only, so that no look-alike of a known name gets through; no separator, no drive,
    no control character, no leading or trailing dot.
    """
    return len(filename) <= MAX_FILENAME_BYTES and _FILENAME.fullmatch(filename) is not None


def is_distribution(filename: str) -> bool:
    """Tell whether ``filename`` ends like a distribution, legacy formats included."""
    return filename.endswith(DISTRIBUTION_ENDINGS)


def is_sha256(text: str) -> bool:
    """Tell whether ``text`` is a sha256 in lower-case hexadecimal."""
    return _SHA256.fullmatch(text) is not None


def project_of(filename: str) -> str | None:
    """Return the normalised project of a distribution, or None for names that do not tell."""
    parsed = _parse(filename)
    return parsed[0] if parsed is not None else None


def version_of(filename: str) -> str | None:
    """Return the version in a distribution's name as packaging spells it, or None."""
    parsed = _parse(filename)
    return parsed[1] if parsed is not None else None


def _parse(filename: str) -> tuple[str, str] | None:
    """Return project and version of a distribution, or None."""
    try:
        if filename.endswith(".whl"):
            name, version = parse_wheel_filename(filename)[:2]
        elif filename.endswith(".egg"):
            # Setuptools writes "_" for every "-" inside the parts.
            stated, version_text, *_ = filename.removesuffix(".egg").split("-")
            name, version = canonicalize_name(stated), Version(version_text.replace("_", "-"))
        else:
            ending = next((end for end in _OLD_SDIST_ENDINGS if filename.endswith(end)), "")
            usual = f"{filename.removesuffix(ending)}.tar.gz" if ending else filename
            name, version = parse_sdist_filename(usual)
    except ValueError:  # of an unpacking, or packaging's own
        return None
    return (name, str(version)) if is_normalized(name) else None


class FileKey(NamedTuple):
    """The middle part of a file's address: its project and, where known, its sha256.

    The project makes the address readable and lets the file be found again when the cache is
    empty; the hash makes it immutable. A normalised name has no dot, so the two never mix.
    """

    project: str
    sha256: str | None

    def __str__(self) -> str:
        return f"{self.project}.{self.sha256}" if self.sha256 else self.project

    @classmethod
    def parse(cls, text: str) -> "FileKey | None":
        """Return the key that ``text`` spells, or None if it spells none."""
        project, dot, sha256 = text.partition(".")
        if not is_normalized(project) or (dot and not is_sha256(sha256)):
            return None
        return cls(project, sha256 or None)
