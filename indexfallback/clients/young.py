"""Describes what a cooldown withheld from a command, in the words of its last lines; no I/O."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from indexfallback.words import counted, minute, shortened

#: Number of releases that are named.
_NAMED = 10
_ONE_OF = (
    "Use an older version; if one of them is needed now, "
    "`indexfallback cache accept {project} VERSION` offers it."
)

#: A withheld release as `chain.cooldown` reports it, or the status of a shim.
Status = dict[str, Any]


def young_releases(status: Status) -> dict[str, list[Status]]:
    """Return the withheld releases, the newest first, of each project that has some."""
    served = status["activity"]["projects"]
    return {name: list(each["withheld"]) for name, each in served.items() if each["withheld"]}


def newer(young: Mapping[str, Sequence[Status]], told: Collection[Mapping[str, Any]] = ()) -> str:
    """Return the sentence on what a successful command would have got otherwise, or none.

    It names the release of each project that clients would have chosen, unless that is ``told``.
    """
    chosen = (
        (project, next((each for each in releases if each["is_newest"]), None))
        for project, releases in young.items()
    )
    named = [
        f"{project} {release['version']} (until {minute(release['until'])})"
        for project, release in chosen
        if release is not None and release not in told
    ]
    if not named:
        return ""
    return f"newer releases are withheld by a cooldown: {shortened(named, _NAMED)}"


def explained(project: str, releases: Sequence[Status]) -> tuple[str, tuple[str, ...]]:
    """Return a sentence on the withheld releases of one project, and why and until when.

    What can be done is the last of its details.
    """
    if len(releases) == 1:
        (release,) = releases
        why = f"{release['cause'][:1].upper()}{release['cause'][1:]}."
        return f"{_withheld(project, release)}.", (why, f"What you can do: {release['remedy']}")
    until = ", ".join(f"{_versioned(each)} until {minute(each['until'])}" for each in releases)
    return (
        f"{counted(len(releases), 'release')} of {project} are withheld by a cooldown.",
        (f"{until}.", f"What you can do: {_ONE_OF.format(project=project)}"),
    )


def _withheld(project: str, release: Status) -> str:
    """Return the clause of what is withheld of a release: all of it, one file, or some files."""
    version, files = release["version"], release["files"]
    if version and release["is_whole"]:
        return f"{project} {version} is withheld"
    if len(files) == 1:
        return f"{files[0]} is withheld"
    of = f"{project} {version}".strip()
    return f"{counted(len(files), 'file')} of {of} are withheld"


def _versioned(release: Status) -> str:
    """Return a release among others of its project: ``2.0``, or ``3 files of 2.0``."""
    version, files = release["version"], release["files"]
    if version and release["is_whole"]:
        return str(version)
    return f"{counted(len(files), 'file')} of {version}" if version else ", ".join(files)
