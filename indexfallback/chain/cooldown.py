"""Which files of a page are too young to be offered: the cooldown of its index.

A file is withheld until its upload-time (PEP 700) and the cooldown are over. Where the index states
no time, or one that cannot be read, that of another index of its group counts, whose files are the
same; where none is known, the time counts at which the file was first seen. A time in the
future counts as the time at which the file was first seen: a wrong clock, of the index or of this
machine, withholds a file for one cooldown and not for longer, and never offers it earlier.

Two kinds of files are never withheld: those of a release that the user has accepted, and those that
were served before and whose bytes are in the cache.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timezone
from typing import Any, NamedTuple

import msgspec
from packaging.version import Version

from indexfallback.config.units import format_duration
from indexfallback.names import canonical_version, version_in, version_order
from indexfallback.page import File, ProjectPage
from indexfallback.store.pins import Pin
from indexfallback.words import minute

#: Digits of a time up to its seconds.
_SECONDS = len("2026-12-04T14:02:11")

#: The choice among no versions.
_NONE = False, False, Version("0")


class Cooldown(NamedTuple):
    """The cooldown of a project at one index, and what decides when it is over.

    Times are seconds since the epoch.
    """

    #: The name of the index.
    owner: str
    #: How old a file must be.
    seconds: float
    now: float
    #: File name to when it was first seen: of files whose upload-time does not tell.
    seen: Mapping[str, float]
    #: File name to the upload-time that another index of the group states: of files whose own
    #: index states none.
    elsewhere: Mapping[str, str]
    #: The versions that the user has accepted, canonical (`names.canonical_version`).
    accepted: Collection[str]
    #: The sha256 of the young files that are stored.
    held: Collection[str] = ()


class Young(NamedTuple):
    """A file whose cooldown is not over. Times are seconds since the epoch."""

    file: File
    #: None if the file's name does not tell.
    version: str | None
    #: When it was uploaded, or was first seen.
    since: float
    #: Whether the index states that time.
    is_stated: bool
    #: From when it is offered.
    until: float


class TooYoung(NamedTuple):
    """The files of a page that are younger than its cooldown."""

    #: None for an index without one.
    cooldown: Cooldown | None
    #: All of them, and those that are withheld.
    young: tuple[Young, ...] = ()
    withheld: tuple[Young, ...] = ()


class YoungRelease(NamedTuple):
    """The withheld files of one version. Times are as in `Young`, of the file that is first."""

    #: Empty if the files' names do not tell.
    version: str
    files: tuple[str, ...]
    since: float
    is_stated: bool
    until: float
    #: Whether the page offers no other file of the version.
    is_whole: bool
    #: Whether clients would choose it if it were offered: it is newer than all that is offered, and
    #: neither yanked nor a pre-release beside final ones.
    is_newest: bool


def with_times(page: ProjectPage, known: ProjectPage) -> ProjectPage:
    """Return a page with the upload-times that an earlier page of its index stated.

    An index that states no times any more, as one that answers with HTML for once, makes no file
    younger than it was.
    """
    before = {file.filename: file for file in known.files if file.upload_time is not None}
    files = tuple(_with_time(file, before.get(file.filename)) for file in page.files)
    return msgspec.structs.replace(page, files=files)


def _with_time(file: File, known: File | None) -> File:
    if known is None or file.upload_time is not None:
        return file
    if None not in (file.sha256, known.sha256) and file.sha256 != known.sha256:
        return file  # it is another file
    return msgspec.structs.replace(file, upload_time=known.upload_time)


def undated(
    page: ProjectPage, elsewhere: Mapping[str, str], now: float
) -> tuple[list[str], list[str]]:
    """Return the files whose upload-time does not tell, and those whose time is after ``now``.

    ``elsewhere`` is as in `Cooldown`: a time that it has may be after ``now``, too.
    """
    unknown: list[str] = []
    ahead: list[str] = []
    latest = _text(now)
    for file in page.files:
        stated = file.upload_time or elsewhere.get(file.filename)
        if stated is not None and not "0" < stated[:_SECONDS] <= latest:
            (unknown if _time(stated) is None else ahead).append(file.filename)
        elif file.upload_time is None:
            unknown.append(file.filename)
    return unknown, ahead


def young_files(page: ProjectPage, cooldown: Cooldown | None) -> tuple[Young, ...]:
    """Return the files of a page that are younger than the cooldown, withheld or not."""
    if cooldown is None or page.status == "quarantined":  # nothing of it is offered anyway
        return ()
    return tuple(_young(page, cooldown))


def withheld_files(
    young: Iterable[Young], pins: Mapping[str, Sequence[Pin]], cooldown: Cooldown
) -> tuple[Young, ...]:
    """Return those of some young files that are withheld; ``pins`` are the project's by name."""
    return tuple(
        each
        for each in young
        if canonical_version(each.version) not in cooldown.accepted
        and not _was_served(each.file, pins.get(each.file.filename, ()), cooldown)
    )


def releases(page: ProjectPage, withheld: Sequence[Young]) -> list[YoungRelease]:
    """Return the versions of withheld files, the newest first; ``page`` is as it is offered."""
    found: dict[str, list[Young]] = {}
    for each in withheld:
        found.setdefault(each.version or "", []).append(each)
    if not found:
        return []
    offered = {version_in(file.filename, page.name) for file in page.files}
    chosen = _choice(version_in(file.filename, page.name) for file in page.files if not file.yanked)
    told = []
    for version in sorted(found, key=version_order, reverse=True):
        first = min(found[version], key=lambda each: each.until)
        names = tuple(each.file.filename for each in found[version])
        is_whole = version not in offered
        best = _choice(each.version for each in found[version] if not each.file.yanked)
        is_newest = is_whole and best > chosen
        told.append(
            YoungRelease(
                version, names, first.since, first.is_stated, first.until, is_whole, is_newest
            )
        )
    return told


def _choice(versions: Iterable[str | None]) -> tuple[bool, bool, Version]:
    """Return what sorts the version that clients choose: the newest final one, else the newest."""
    known = map(Version, filter(None, versions))
    return max(((True, not each.is_prerelease, each) for each in known), default=_NONE)


def as_json(project: str, release: YoungRelease, cooldown: Cooldown) -> dict[str, Any]:
    """Return a withheld release as reports have it."""
    return {
        **release._asdict(),
        "cause": cause(release, cooldown.owner, cooldown.seconds),
        "remedy": remedy(project, release.version),
    }


def cause(young: Young | YoungRelease, index: str, seconds: float) -> str:
    """Return the clause of why a file or release is withheld, and until when."""
    since = "was uploaded" if young.is_stated else "was first seen"
    return (
        f"it {since} at {index} on {minute(young.since)}, and the cooldown of "
        f"{format_duration(seconds)} withholds it until {minute(young.until)}"
    )


def withheld_until(project: str, young: Young, index: str) -> str:
    """Return until when a file is withheld, and what offers it, as a predicate."""
    until = f"is withheld until {minute(young.until)} by the cooldown of {index}"
    if young.version is None:
        return until
    return f"{until} (`indexfallback cache accept {project} {young.version}` offers it now)"


def remedy(project: str, version: str | None) -> str:
    """Return the sentence of what to do about a file that is withheld."""
    if not version:
        return f"Use an older version, or add {project} to cooldown_except."
    return (
        "Use an older version; if this one is needed now, "
        f"`indexfallback cache accept {project} {version}` offers it."
    )


def _young(page: ProjectPage, cooldown: Cooldown) -> Iterator[Young]:
    latest, oldest = _text(cooldown.now), _text(cooldown.now - cooldown.seconds)
    for file in page.files:
        stated = file.upload_time or cooldown.elsewhere.get(file.filename)
        if stated is not None and "0" < stated[:_SECONDS] < oldest:  # nearly every file
            continue
        born = _time(stated) if stated is not None and "0" < stated[:_SECONDS] <= latest else None
        since = born if born is not None else cooldown.seen.get(file.filename, cooldown.now)
        until = since + cooldown.seconds
        if until > cooldown.now:
            version = version_in(file.filename, page.name)
            yield Young(file, version, since, born is not None, until)


def _was_served(file: File, pins: Iterable[Pin], cooldown: Cooldown) -> bool:
    # A pin alone proves nothing: what a public index states against its mirror is pinned, too.
    served = (pin.sha256 for pin in pins if pin.sha256 in cooldown.held)
    return any(file.sha256 in (None, sha256) for sha256 in served)


def _text(when: float) -> str:
    """Return a time as `File.upload_time` spells it, up to its seconds."""
    return datetime.fromtimestamp(max(0.0, when), timezone.utc).isoformat()[:_SECONDS]


def _time(stated: str) -> float | None:
    """Return the seconds since the epoch of an upload-time, or None if it is none."""
    try:
        moment = datetime.fromisoformat(stated.removesuffix("Z"))
        return moment.replace(tzinfo=timezone.utc).timestamp()
    except (ValueError, OverflowError):
        return None
