"""The account of one project: what each index said of it, who owns it, and what is held."""

import time
from typing import Any

from packaging.version import InvalidVersion, Version

from indexfallback.errors import IndexFallbackError, ProjectError, Tried
from indexfallback.fallback import Answer
from indexfallback.names import version_of
from indexfallback.offer import withheld
from indexfallback.page import ProjectPage
from indexfallback.shim import Shim


def why(shim: Shim, project: str) -> dict[str, Any]:
    """Ask the chain for a normalised project, and return what came of it, as JSON has it."""
    try:
        answer = shim.fallback.page(project, again=True)
    except ProjectError as error:
        report: dict[str, Any] = {
            "project": project,
            "status": error.status,
            "cause": error.cause,
            "remedy": error.remedy,
            "indexes": [_index(shim, project, tried) for tried in error.tried],
        }
    else:
        report = {
            "project": project,
            "status": 200,
            "owner": answer.owner.name,
            "how": answer.how,
            "age": round(answer.age, 1),
            "fresh_for": round(max(0.0, shim.settings.fresh - answer.age), 1),
            "indexes": [_index(shim, project, tried) for tried in answer.tried],
            **_files(shim, answer),
        }
    return report


def _index(shim: Shim, project: str, tried: Tried) -> dict[str, Any]:
    index = shim.members[tried.index].index
    stored = shim.store.pages.load(index.key, project)
    entry: dict[str, Any] = {
        "name": index.name,
        "role": index.role,
        "what": tried.what,
        "detail": tried.detail,
        "seconds": tried.seconds,
        "claimed": index.claims(project),
        "newest_known": newest(stored) if stored is not None else None,
    }
    if index.is_private:
        ownership = shim.store.ledger.ownership(index.key, project)
        names = shim.store.ledger.name_list(index.key)
        entry["owned_since"] = ownership.seen if ownership is not None else None
        entry["names"] = names.names if names is not None else None
        entry["names_fetched"] = names.fetched if names is not None else None
    return entry


def _files(shim: Shim, answer: Answer) -> dict[str, Any]:
    pins = shim.store.pins.of_project(answer.project)
    files = answer.page.files
    held = shim.store.blobs.held(file.sha256 for file in files if file.sha256 is not None)
    return {
        "files": len(files),
        "cached": len(held),
        "withheld": withheld(answer.page, pins),
        "yanked": sum(file.yanked is not False for file in files),
        "pins": len(pins),
        "newest": newest(answer.page),
        "project_status": answer.page.status,
    }


def newest(page: ProjectPage) -> str | None:
    """Return the highest version that a page has files of, pre-releases last; None if none."""
    versions = [_version(file.filename) for file in page.files]
    known = [version for version in versions if version is not None]
    best = max(known, key=lambda v: (not v.is_prerelease, v), default=None)
    return str(best) if best is not None else None


def _version(filename: str) -> Version | None:
    spelt = version_of(filename)
    try:
        return Version(spelt) if spelt is not None else None
    except InvalidVersion:  # legacy: it takes no part in the order
        return None


def status(shim: Shim, since: float = 0.0) -> dict[str, Any]:
    """Return the state of the indexes and the store, and what was done since a time, as JSON."""
    store = shim.store
    report: dict[str, Any] = {
        "offline": shim.settings.offline,
        "indexes": [member.status() for member in shim.members],
        "activity": shim.fallback.activity.report(since),
        "now": time.time(),
    }
    try:
        report["cache"] = {
            "directory": str(store.directory),
            "temporary": store.is_temporary,
            "bytes": store.blobs.total(),
            "limit": shim.settings.cache_size,
            "files": store.blobs.count(),
            "pages": store.pages.count(),
        }
    except IndexFallbackError as error:
        report["cache"] = {"error": str(error)}
    return report
