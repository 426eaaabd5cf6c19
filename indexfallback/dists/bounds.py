"""What every archive must be before it is hosted: read in one way only, and small once unpacked."""

from collections.abc import Iterable

#: A wheel or sdist that unpacks to more than this, by more than this ratio, is a bomb (PyPI's own
#: limits): a file of zeros shrinks to a thousandth, and code to a fifth.
BOMB_SIZE, BOMB_RATIO = 64 * 1024**2, 50
#: Members of an archive; the largest wheels have some ten thousand.
MAX_MEMBERS = 100_000


class ArchiveError(Exception):
    """An archive is not one that every installer reads in the same way; says why."""


def check_size(unpacked: int, packed: int) -> None:
    """Refuse a bomb; raises `ArchiveError`."""
    if unpacked > BOMB_SIZE and unpacked > packed * BOMB_RATIO:
        raise ArchiveError(
            f"it unpacks to more than {BOMB_RATIO} times its size, which is {packed} bytes"
        )


def check_paths(names: Iterable[str]) -> None:
    """Refuse members that lead out of a directory, or two in one place; raises `ArchiveError`."""
    seen: set[str] = set()
    for name in names:
        parts = name.rstrip("/").split("/")
        if any(part in ("", ".", "..") for part in parts) or any(c in name for c in "\\\0:"):
            raise ArchiveError(f"its member {name!r} has no path of its own")
        if name in seen:
            raise ArchiveError(f"its member {name!r} is there twice")
        seen.add(name)
