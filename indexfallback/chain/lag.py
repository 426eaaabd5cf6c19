"""The lag of a mirror: how far its page is behind the last known page of its public index."""

from datetime import datetime
from typing import NamedTuple

from indexfallback.page import ProjectPage


class Lag(NamedTuple):
    """What a mirror's page lacks."""

    #: Files that the public index had.
    files: int
    #: Seconds between the youngest file of each; None where upload times are not stated.
    seconds: float | None


def behind(mirror: ProjectPage, authority: ProjectPage) -> Lag | None:
    """Return how far ``mirror`` is behind ``authority``, or None if it has all its files."""
    there = {file.filename for file in mirror.files}
    missing = sum(file.filename not in there for file in authority.files)
    if not missing:
        return None
    youngest, known = _youngest(mirror), _youngest(authority)
    seconds = (known - youngest).total_seconds() if known and youngest else None
    return Lag(missing, seconds)


def _youngest(page: ProjectPage) -> datetime | None:
    # PEP 700 times are all of one form and zone, so that text sorts as time does.
    times = [file.upload_time for file in page.files if file.upload_time is not None]
    return datetime.fromisoformat(max(times).replace("Z", "+00:00")) if times else None
