"""What a cooldown withholds of a project, for its page."""

from collections.abc import Iterator, Mapping
from typing import Any

from indexfallback.words import counted

#: Releases that are named: the newest are those that a client would choose.
_NAMED = 5


def cooldown_notices(report: Mapping[str, Any]) -> Iterator[str]:
    """Yield a message for each of the newest withheld releases, from a report of `why.found`.

    The one for the newest says what to do.
    """
    releases = _withheld(report)
    for place, release in enumerate(releases[:_NAMED]):
        what = release["version"] or ", ".join(release["files"])
        files = "" if release["is_whole"] else f", {counted(len(release['files']), 'file')}"
        remedy = f" {release['remedy']}" if not place else ""
        yield f"{what}{files}: {release['cause']}.{remedy}"
    if len(releases) > _NAMED:
        yield f"{counted(len(releases) - _NAMED, 'older release')} withheld by the cooldown."


def cooldown_reason(report: Mapping[str, Any]) -> tuple[str, str] | None:
    """Return cause and remedy of a project all of whose files are withheld; None if not so."""
    releases = _withheld(report)
    if not releases:
        return None
    return f"of {releases[0]['version']}: {releases[0]['cause']}", releases[0]["remedy"]


def _withheld(report: Mapping[str, Any]) -> list[dict[str, Any]]:
    cooldown = report["cooldown"]
    return cooldown["releases"] if cooldown is not None else []
