"""The RECORD of a wheel: its members with their hashes and sizes.

Source: the binary distribution format (PEP 427) and the RECORD specification (PEP 376, 627).
"""

import base64
import binascii
import csv
import hashlib
import re
from collections.abc import Iterable
from typing import NamedTuple

from indexfallback.dists.bounds import MAX_MEMBERS, ArchiveError

_COLUMNS = 3
#: PEP 427 asks for sha256 or better; these are the algorithms of that kind that installers know.
_ALGORITHMS = frozenset(
    ("sha256", "sha384", "sha512", "sha3_256", "sha3_384", "sha3_512", "blake2b", "blake2s")
)
#: Signatures of RECORD are made after it; it cannot have their hashes, nor its own.
_WITHOUT_HASH = ("RECORD", "RECORD.jws", "RECORD.p7s")


#: Of a file of a file system.
_SIZE = re.compile(r"\d{1,19}", re.ASCII)


class RecordError(ArchiveError):
    """The RECORD of a wheel is not valid, or differs from the wheel's members."""

    remedy = "Build it again, and change nothing in it afterwards"


class Recorded(NamedTuple):
    """What RECORD says of one member."""

    algorithm: str
    digest: bytes
    #: Bytes; None if it is not stated.
    size: int | None


def read_record(lines: Iterable[str], folder: str) -> dict[str, Recorded]:
    """Return what RECORD says of each member, by path; ``folder`` is the ``.dist-info``.

    Raises `RecordError` for a row that is not valid, or text that is not UTF-8.
    """
    excepted = without_hash(folder)
    records: dict[str, Recorded] = {}
    try:
        for row in csv.reader(lines):
            if not row:
                continue
            if len(row) != _COLUMNS:
                raise RecordError(f"its RECORD has a row of {len(row)} columns, not {_COLUMNS}")
            path, stated, size = row
            if path in excepted and not stated:
                continue
            record = _recorded(path, stated, size)
            if records.setdefault(path, record) != record:
                raise RecordError(f"its RECORD lists {path!r} twice, with different hashes")
            if len(records) > MAX_MEMBERS:
                raise RecordError(f"its RECORD lists more than {MAX_MEMBERS} members")
    except UnicodeDecodeError as error:
        raise RecordError("its RECORD is not UTF-8") from error
    except csv.Error as error:
        raise RecordError(f"its RECORD is not valid CSV ({error})") from error
    return records


def without_hash(folder: str) -> frozenset[str]:
    """Return the paths of which RECORD states no hash."""
    return frozenset(f"{folder}/{name}" for name in _WITHOUT_HASH)


def compare_members(records: Iterable[str], members: Iterable[str], folder: str) -> None:
    """Compare the paths that RECORD lists with the wheel's files; raises `RecordError`."""
    listed, present = set(records), set(members)
    unlisted = present - listed - without_hash(folder)
    if unlisted:
        raise RecordError(f"its RECORD does not list {_shown(unlisted)}")
    missing = listed - present
    if missing:
        raise RecordError(f"its RECORD lists {_shown(missing)}, which the wheel does not contain")


def compare_content(path: str, recorded: Recorded, digest: bytes, size: int) -> None:
    """Compare the content of a member with its RECORD; raises `RecordError`."""
    if recorded.size not in (None, size):
        raise RecordError(f"{path!r} has {size} bytes, but its RECORD says {recorded.size}")
    if recorded.digest != digest:
        raise RecordError(
            f"{path!r} has the {recorded.algorithm} {digest.hex()}, but its RECORD says "
            f"{recorded.digest.hex()}"
        )


def _recorded(path: str, stated: str, size: str) -> Recorded:
    algorithm, equals, encoded = stated.partition("=")
    if not equals:
        raise RecordError(f"its RECORD states no hash of {path!r}")
    if algorithm not in _ALGORITHMS:
        raise RecordError(f"its RECORD has a hash of {path!r} that is not sha256 or better")
    try:
        unpadded = encoded.rstrip("=")
        digest = base64.b64decode(
            unpadded + "=" * (-len(unpadded) % 4), altchars=b"-_", validate=True
        )
    except (binascii.Error, ValueError) as error:  # ValueError: not ASCII
        raise RecordError(f"its RECORD has a malformed hash of {path!r}") from error
    if len(digest) != hashlib.new(algorithm).digest_size:
        raise RecordError(f"its RECORD has a malformed hash of {path!r}")
    if size and not _SIZE.fullmatch(size):
        raise RecordError(f"its RECORD has a malformed size of {path!r}")
    return Recorded(algorithm, digest, int(size) if size else None)


def _shown(paths: set[str]) -> str:
    """Return the first path, and the number of others."""
    first = repr(min(paths))
    return f"{first} and {len(paths) - 1} more" if len(paths) > 1 else first
