"""What a cooldown withholds of a project, for its page."""

from collections.abc import Iterator, Mapping
from typing import Any

from indexfallback.words import counted

#: Releases that are named: the newest are those that a client would choose.
_NAMED = 5


def cooldown_notices(report: Mapping[str, Any]) -> Iterator[str]:
    """Yield a sentence for each of the newest withheld releases, from a report of `why.found`."""
    releases = _withheld(report)
    for release in releases[:_NAMED]:
        what = release["version"] or ", ".join(release["files"])
        files = "" if release["is_whole"] else f", {counted(len(release['files']), 'file')}"
        yield f"{what}{files}: {release['cause']}."
    if len(releases) > _NAMED:
        yield f"{counted(len(releases) - _NAMED, 'older release')} withheld by the cooldown."
    if releases:
        yield releases[0]["remedy"]


def cooldown_reason(report: Mapping[str, Any]) -> tuple[str, str] | None:
    """Return cause and remedy of a project all of whose files are withheld; None if not so."""
    releases = _withheld(report)
    if not releases:
        return None
    return f"of {releases[0]['version']}: {releases[0]['cause']}", releases[0]["remedy"]


def _withheld(report: Mapping[str, Any]) -> list[dict[str, Any]]:
    cooldown = report["cooldown"]
    return cooldown["releases"] if cooldown is not None else []
