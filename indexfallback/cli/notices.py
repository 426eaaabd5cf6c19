"""The notices of known vulnerabilities: in the last lines of ``run``, once each, and in ``why``."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from indexfallback.config import Settings
from indexfallback.errors import StoreError
from indexfallback.formats.advisories import Advisory, Release
from indexfallback.words import counted

#: Releases, and vulnerabilities of each, that are named; the page of the project has them all.
_RELEASES, _NAMED = 10, 3

#: A release as `files.notices` reports it.
Report = Mapping[str, Any]


def untold(settings: Settings, reports: Sequence[Report]) -> list[Report]:
    """Return the vulnerabilities that no command has told of; from now on they are told.

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


def sentences(reports: Sequence[Report]) -> Iterator[str]:
    """Yield a sentence for each release with known vulnerabilities."""
    for report in reports[:_RELEASES]:
        found = advisories(report)
        what = "vulnerability" if len(found) == 1 else "vulnerabilities"
        named = ", ".join(map(_named, found[:_NAMED]))
        more = f", and {len(found) - _NAMED:,} more" if len(found) > _NAMED else ""
        release = f"{report['project']} {report['version']}"
        yield f"{release} has {len(found):,} known {what}: {named}{more}."
    if len(reports) > _RELEASES:
        others = ", ".join(f"{r['project']} {r['version']}" for r in reports[_RELEASES:])
        yield f"so have {others}."


def explained(notices: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is known about the releases of a project, for ``why``."""
    if notices["stated"]:
        bad, known = len(notices["releases"]), counted(notices["stated"], "release")
        yield f"  known vulnerabilities: in {bad:,} of {known} asked about"
    for report in notices["releases"][:_RELEASES]:
        for advisory in advisories(report):
            summary = f": {advisory.summary}" if advisory.summary else ""
            link = f" {advisory.link}" if advisory.link else ""
            yield f"  {report['version']}: {_named(advisory)}{summary}{link}"
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


def _named(advisory: Advisory) -> str:
    if not advisory.fixed_in:
        return advisory.name
    return f"{advisory.name} (corrected in {', '.join(advisory.fixed_in)})"
