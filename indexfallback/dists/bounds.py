"""Checks of archives before they are hosted: unambiguous, and not too large when unpacked."""

from collections.abc import Iterable

#: The largest METADATA or PKG-INFO, bytes; known ones have some hundred KB, mostly a README.
MAX_METADATA = 5 * 1024 * 1024
#: An archive above this unpacked size and ratio is a bomb (PyPI's limits). A file of zeros shrinks
#: to a thousandth, code to a fifth.
BOMB_SIZE, BOMB_RATIO = 64 * 1024**2, 50
#: The most members of an archive; the largest wheels have about ten thousand.
MAX_MEMBERS = 100_000


class ArchiveError(Exception):
    """An archive is damaged, or installers could read it in different ways; says why."""

    #: For a person who wants to publish the archive.
    remedy = "Build it again"


class ContradictionError(ArchiveError):
    """The metadata in an archive is of another project or version than its file name."""

    remedy = "Build it again, and do not rename it"


class MetadataSizeError(ArchiveError):
    """The metadata in an archive is larger than `MAX_METADATA`."""

    remedy = "Shorten the description, most of which is the README, and build it again"

    def __init__(self, member: str, size: int) -> None:
        super().__init__(f"its {member} has {size} bytes, and the limit is {MAX_METADATA}")


def check_size(unpacked: int, packed: int) -> None:
    """Refuse a bomb; raises `ArchiveError`."""
    if unpacked > BOMB_SIZE and unpacked > packed * BOMB_RATIO:
        raise ArchiveError(
            f"it unpacks to more than {BOMB_RATIO} times its size, which is {packed} bytes"
        )


def check_paths(names: Iterable[str]) -> None:
    """Refuse members outside of the directory, or with the same path; raises `ArchiveError`."""
    seen: set[str] = set()
    for name in names:
        parts = name.rstrip("/").split("/")
        if any(part in ("", ".", "..") for part in parts) or any(c in name for c in "\\\0:"):
            raise ArchiveError(f"the path of its member {name!r} is not allowed")
        if name in seen:
            raise ArchiveError(f"it has the member {name!r} twice")
        seen.add(name)
