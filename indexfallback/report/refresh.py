"""Asks the indexes for a project again, and tells which versions are new; as JSON."""

from typing import Any

from packaging.version import Version

from indexfallback.chain.answer import Answer
from indexfallback.config import Index
from indexfallback.errors import ProjectError
from indexfallback.names import version_in
from indexfallback.page import ProjectPage
from indexfallback.report.why import newest
from indexfallback.shim import Shim


def refresh(shim: Shim, project: str) -> dict[str, Any]:
    """Ask the chain for a normalised project, whatever is fresh, and return what has changed.

    ``status`` is 200 if there is a page, and ``refreshed`` is true if its index was asked for it.
    """
    before = {index.key: _stored(shim, index, project) for index in shim.settings.indexes}
    try:
        answer = shim.fallback.page(project, again=not shim.network.is_offline)
    except ProjectError as error:
        return {
            "project": project,
            "status": error.status,
            "refreshed": False,
            "cause": error.cause,
            "remedy": error.remedy,
        }
    was, now = before[answer.owner.key], _versions(answer.page)
    return {
        "project": project,
        "status": 200,
        "refreshed": answer.how == "asked",
        # ``asked``, ``stale``, ``mirrored``; offline also ``fresh``.
        "how": answer.how,
        "offline": answer.offline is not None,
        "owner": answer.owner.name,
        # What came of asking the owner: ``3 files``, ``503 Service Unavailable``.
        "answered": next(t.detail for t in answer.tried if t.index == answer.owner.name),
        # Whether the owner's page was in the cache: without one, no version is new.
        "was_known": was is not None,
        "new": _sorted(now - was) if was is not None else [],
        "gone": _sorted(was - now) if was is not None else [],
        "newest": newest(answer.page),
        # Those of the page's versions that a cooldown withholds, newest first.
        "withheld": _withheld(shim, answer),
    }


def _withheld(shim: Shim, answer: Answer) -> list[str]:
    young = shim.young_releases(answer, shim.too_young(answer))
    return [each["version"] for each in young if each["is_whole"] and each["version"]]


def _stored(shim: Shim, index: Index, project: str) -> set[str] | None:
    page = shim.store.pages.load(index.key, project)
    return _versions(page) if page is not None else None


def _versions(page: ProjectPage) -> set[str]:
    return set(filter(None, (version_in(file.filename, page.name) for file in page.files)))


def _sorted(versions: set[str]) -> list[str]:
    """Return versions, newest first."""
    return sorted(versions, key=Version, reverse=True)
