"""The notices of known vulnerabilities: in the last lines of ``run``, once each, and in ``why``."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from indexfallback.config import Settings
from indexfallback.errors import StoreError
from indexfallback.formats.advisories import Advisory, Release
from indexfallback.names import canonical_version
from indexfallback.words import counted, joined, minute, shortened

#: Releases, and vulnerabilities of each, that are named; the page of the project has them all.
_RELEASES, _NAMED = 10, 3

#: A release as `files.notices` reports it.
Report = Mapping[str, Any]
#: Project to the releases of it that a cooldown withholds, as `chain.cooldown` reports them.
Withheld = Mapping[str, Sequence[Report]]


def untold(settings: Settings, reports: Sequence[Report]) -> list[Report]:
    """Return the vulnerabilities that no command has reported yet, and record them as reported.

    Where that cannot be recorded, all of them are returned.
    """
    notices = [
        (_release(report), advisory.name) for report in reports for advisory in advisories(report)
    ]
    if not notices:
        return []
    from indexfallback.store import Store, StoreFault  # noqa: PLC0415 - for this alone

    try:
        store = Store(settings.cache_dir, settings.cache_size)
    except StoreError:  # the shim has told why
        return list(reports)
    try:
        new = set(store.advisories.tell(notices))
    except StoreFault:  # it is told again
        return list(reports)
    finally:
        store.close()
    left: list[Report] = []
    for report in reports:
        kept = [
            raw
            for raw, advisory in zip(report["advisories"], advisories(report), strict=True)
            if (_release(report), advisory.name) in new
        ]
        left += [{**report, "advisories": kept}] if kept else []
    return left


def sentences(reports: Sequence[Report], withheld: Withheld) -> Iterator[str]:
    """Yield what to say of each release with known vulnerabilities.

    Where a correction is ``withheld``, its date and the command that offers it belong to that.
    """
    for report in reports[:_RELEASES]:
        found = advisories(report)
        young = withheld.get(report["project"], ())
        what = "vulnerability" if len(found) == 1 else "vulnerabilities"
        named = shortened([_named(each, young) for each in found], _NAMED)
        release = f"{report['project']} {report['version']}"
        told = f"{release} has {len(found):,} known {what}: {named}."
        offers = [
            f"`indexfallback cache accept {report['project']} {each['version']}`"
            for each in corrections([report], {report["project"]: young})
        ]
        yield f"{told} {joined(offers)} offers it." if offers else told
    if len(reports) > _RELEASES:
        others = ", ".join(f"{r['project']} {r['version']}" for r in reports[_RELEASES:])
        yield f"so have {others}."


def corrections(reports: Iterable[Report], withheld: Withheld) -> list[Report]:
    """Return the withheld releases that correct vulnerabilities of some releases."""
    return [
        young
        for report in reports
        for key, young in _by_version(withheld.get(report["project"], ())).items()
        if any(
            key == canonical_version(version)
            for advisory in advisories(report)
            for version in advisory.fixed_in
        )
    ]


def explained(notices: Mapping[str, Any], withheld: Sequence[Report] = ()) -> Iterator[str]:
    """Yield what is known about the releases of a project, for ``why``.

    ``withheld`` are the releases of it that a cooldown withholds.
    """
    if notices["stated"]:
        bad, known = len(notices["releases"]), counted(notices["stated"], "release")
        yield f"  known vulnerabilities: in {bad:,} of {known} asked about"
    for report in notices["releases"][:_RELEASES]:
        for advisory in advisories(report):
            summary = f": {advisory.summary}" if advisory.summary else ""
            link = f" {advisory.link}" if advisory.link else ""
            yield f"  {report['version']}: {_named(advisory, withheld)}{summary}{link}"
    if len(notices["releases"]) > _RELEASES:
        older = ", ".join(report["version"] for report in notices["releases"][_RELEASES:])
        yield f"  older releases with known vulnerabilities: {older}"
    if notices["problem"]:
        yield f"  advisories: the database cannot be asked: {notices['problem']}"


def advisories(report: Report) -> list[Advisory]:
    """Return the vulnerabilities of a release, as values."""
    import msgspec  # noqa: PLC0415 - most commands have none to tell of

    return msgspec.convert(report["advisories"], list[Advisory])


def _release(report: Report) -> Release:
    return Release(report["project"], report["version"])


def _named(advisory: Advisory, withheld: Sequence[Report]) -> str:
    if not advisory.fixed_in:
        return advisory.name
    young = _by_version(withheld)
    fixed = [
        f"{version}, which is withheld until {minute(young[key]['until'])}"
        if (key := canonical_version(version)) in young
        else version
        for version in advisory.fixed_in
    ]
    return f"{advisory.name} (corrected in {', '.join(fixed)})"


def _by_version(withheld: Sequence[Report]) -> dict[str | None, Report]:
    """Return the releases of which no file is offered, by their canonical versions."""
    keys = ((canonical_version(each["version"]), each) for each in withheld if each["is_whole"])
    return {key: each for key, each in keys if key is not None}
