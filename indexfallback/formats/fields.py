"""Values that both formats have: hashes, times, statuses, the API version."""

import hashlib
import logging
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Literal, get_args

from indexfallback.errors import PageError, redact
from indexfallback.names import is_sha256
from indexfallback.page import ProjectPage

Status = Literal["active", "archived", "quarantined", "deprecated"]

_log = logging.getLogger(__name__)

#: Characters of a name in a message: an index's own can be megabytes.
_SHOWN = 100
_STATUSES = frozenset(get_args(Status))
#: The highest minor version of the API that is understood in full (PEP 792).
_KNOWN_MINOR = 4
#: The version that a list of projects states: none of 1.x requires a field of it that 1.0 does not.
LIST_VERSION = f"1.{_KNOWN_MINOR}"
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - all times here are in UTC
_HEX = re.compile("[0-9a-f]+")
_TIME = re.compile(
    r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:\.(\d+))?(?:Z|([+-])(\d\d):?([0-5]\d)?)",
    re.ASCII | re.IGNORECASE,
)
#: Algorithm to the length of its digest in hexadecimal; 0 for the shakes, which have any length.
_HEX_LENGTHS = {
    name: size * 2
    for name in hashlib.algorithms_guaranteed
    if (size := hashlib.new(name, usedforsecurity=False).digest_size)
}
#: The order in which one hash is selected: sha256, which every client checks, then those that pip
#: checks, from strong to weak.
_BY_STRENGTH = (
    "sha256", "sha512", "sha384", "sha3_512", "blake2b", "sha3_384", "sha3_256", "blake2s",
    "sha224", "sha3_224", "sha1", "md5",
)  # fmt: skip


class MalformedHashError(ValueError):
    """A digest does not have the form of its algorithm."""

    def __init__(self, algorithm: str) -> None:
        super().__init__(f"a malformed {algorithm}")
        self.algorithm = algorithm


def not_a_page(url: str, problem: str) -> PageError:
    """Return the error for an answer of ``url`` that is not a page."""
    return PageError(redact(url), problem)


def check_version(stated: object, url: str) -> None:
    """Accept version 1 of the API in any minor version; None counts as 1.0 (PEP 629).

    Raises:
        PageError: It is another version, or not a version.

    """
    version = "1.0" if stated is None else str(stated).strip()[:20]
    major, _, minor = version.partition(".")
    if major != "1":
        raise not_a_page(url, f"it has API version {version!r}, only 1.x is known")
    if minor.isdecimal() and int(minor) > _KNOWN_MINOR:
        _log.debug("%s has API version %s, read as 1.%d", redact(url), version, _KNOWN_MINOR)


def api_version(page: ProjectPage) -> str:
    """Return the highest version whose required fields the page has (PEP 700 requires two)."""
    if page.versions is not None and all(file.size is not None for file in page.files):
        return f"1.{_KNOWN_MINOR}"
    return "1.0"


def valid_hashes(stated: Mapping[str, Any]) -> dict[str, str]:
    """Return the hashes with an algorithm of hashlib and a digest of the right form."""
    if len(stated) == 1 and isinstance(sha256 := stated.get("sha256"), str) and is_sha256(sha256):
        return {"sha256": sha256}  # nearly every file
    hashes = {}
    for name, digest in stated.items():
        if isinstance(digest, str) and len(digest) == _HEX_LENGTHS.get(name.lower()):
            lowered = digest.lower()
            if _HEX.fullmatch(lowered):
                hashes[name.lower()] = lowered
    return hashes


def stated_hashes(stated: Mapping[str, Any]) -> dict[str, str]:
    """Return the hashes with a known algorithm; None as a digest counts as not stated.

    Raises:
        MalformedHashError: The digest of a known algorithm has not its form.

    """
    hashes = valid_hashes(stated)
    if len(hashes) < len(stated):
        for name, digest in stated.items():
            algorithm = name.lower()
            if algorithm in _HEX_LENGTHS and algorithm not in hashes and digest is not None:
                raise MalformedHashError(algorithm)
    return hashes


def fragment_hashes(fragment: str) -> dict[str, str]:
    """Return the hashes in a link's fragment: ``sha256=...``, also beside ``egg=...``.

    Raises:
        MalformedHashError: As in `stated_hashes`.

    """
    if not fragment:
        return {}
    if fragment.startswith("sha256=") and is_sha256(digest := fragment[7:]):  # nearly every link
        return {"sha256": digest}
    pairs = (part.partition("=") for part in fragment.split("&"))
    return stated_hashes({name: value for name, equals, value in pairs if equals})


def say_left_out(name: str, reason: str) -> None:
    """Log that a file of a page is left out."""
    _log.info("%s is left out: %s", ascii(name[:_SHOWN]), reason)


def best_hash(hashes: Mapping[str, str]) -> str | None:
    """Return ``algorithm=digest`` for a place that can hold only one hash."""
    algorithm = strongest(hashes)
    return algorithm and f"{algorithm}={hashes[algorithm]}"


def strongest(hashes: Mapping[str, str]) -> str | None:
    """Return the preferred algorithm, sha256 if it is there, or None if there is none."""
    return next((name for name in _BY_STRENGTH if name in hashes), None)


def yanked(stated: bool | str) -> bool | str:
    """Return whether a file is yanked, or the reason if it is not empty."""
    return stated if isinstance(stated, bool) else stated.strip() or True


def status(stated: str | None) -> str | None:
    """Return the status if it is one of PEP 792's."""
    return stated if stated in _STATUSES else None


def time_text(nanoseconds: int) -> str | None:
    """Return a time since the epoch as PEP 700 spells it; None if no calendar has it."""
    try:
        moment = _EPOCH + timedelta(microseconds=nanoseconds // 1000)
    except OverflowError:
        return None
    return f"{moment.isoformat(timespec='microseconds')}Z"


def upload_time(stated: str | None) -> str | None:
    """Return a time as PEP 700 spells it, in UTC, or None.

    A time with an offset is converted; one without is of an unknown zone, and None. A fraction
    gets six digits: pip on Python 3.10 fails on a page with any other.
    """
    match = _TIME.fullmatch(stated) if stated else None
    if match is None:
        return None
    day, clock, digits, sign, hours, minutes = match.groups()
    try:
        offset = timedelta(hours=int(hours or 0), minutes=int(minutes or 0))
        local = datetime.fromisoformat(f"{day}T{clock}")
        moment = (local + offset if sign == "-" else local - offset).isoformat()
    except (ValueError, OverflowError):  # no such day, or one before or behind the calendar
        return None
    return f"{moment}.{digits[:6]:0<6}Z" if digits else f"{moment}Z"
