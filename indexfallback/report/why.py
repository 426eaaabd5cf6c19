"""Explains one project: the answer of each index, the owner, and the stored files; as JSON."""

import time
from collections.abc import Sequence
from math import isfinite
from typing import Any

from packaging.version import InvalidVersion, Version

from indexfallback.chain.answer import Answer
from indexfallback.chain.explain import claim
from indexfallback.chain.name_lists import LIST_USE
from indexfallback.chain.offer import hidden, offered, withheld
from indexfallback.chain.question import asking_order, candidates
from indexfallback.config import Index
from indexfallback.errors import ProjectError, Tried
from indexfallback.names import version_in
from indexfallback.page import File, ProjectPage
from indexfallback.report.publishers import publishers
from indexfallback.shim import Shim
from indexfallback.store.pins import Pin


def why(shim: Shim, project: str) -> dict[str, Any]:
    """Ask the chain for a normalised project, and return the explanation."""
    before = _ages(shim, project)
    try:
        answer = shim.fallback.page(project, again=not shim.network.is_offline)
    except ProjectError as error:
        return refused(shim, error)
    try:
        shim.offer(answer)
    except ProjectError as error:
        return {**refused(shim, error), "hidden": _hidden(shim, answer)}
    # A client was served a page of this age.
    return {**found(shim, answer), "age_before": before.get(answer.owner.key)}


def _ages(shim: Shim, project: str) -> dict[str, float]:
    """Return the age of each index's stored page in seconds, by the key of the index."""
    now = time.time()
    facts = ((i.key, shim.store.pages.facts(i.key, project)) for i in shim.settings.indexes)
    ages = {key: known.age(now) for key, known in facts if known is not None}
    return {key: round(age, 1) for key, age in ages.items() if isfinite(age)}


def refused(shim: Shim, error: ProjectError) -> dict[str, Any]:
    """Return the explanation of a project without a page."""
    return {
        "project": error.project,
        "status": error.status,
        "cause": error.cause,
        "remedy": error.remedy,
        "belongs_to": _belongs_to(shim, error.project),
        "indexes": _indexes(shim, error.project, error.tried),
        "hidden": None,
        "cooldown": None,
        "shared": _shared(shim, error.project, None),
    }


def found(shim: Shim, answer: Answer) -> dict[str, Any]:
    """Return the explanation of an answer."""
    return {
        "project": answer.project,
        "status": 200,
        "owner": answer.owner.name,
        "how": answer.how,
        "offline": answer.offline is not None,
        "offline_by": answer.offline.value if answer.offline is not None else None,
        "age": round(answer.age, 1),
        "fresh_for": round(max(0.0, shim.settings.fresh_for(answer.owner) - answer.age), 1),
        "belongs_to": _belongs_to(shim, answer.project),
        "indexes": _indexes(shim, answer.project, answer.tried),
        **_files(shim, answer),
        "provenance": publishers(shim, answer),
        "hidden": _hidden(shim, answer),
        "notices": shim.notices.of_project(answer.project, answer.owner),
        "cooldown": _cooldown(shim, answer),
        "shared": _shared(shim, answer.project, answer.corrected),
    }


def _shared(shim: Shim, project: str, page: ProjectPage | None) -> dict[str, Any] | None:
    """Return what came from the bucket that several shims share; None without one."""
    if shim.store.shared is None:
        return None
    sources = [index.key for index in shim.settings.indexes]
    files = page.files if page is not None else ()
    sha256s = [file.sha256 for file in files if file.sha256 is not None]
    return shim.store.shared.of_project(project, sources, sha256s)


def _belongs_to(shim: Shim, project: str) -> dict[str, Any] | None:
    """Return the private index that owns a project, with the evidence."""
    for index in candidates(shim.settings.indexes, project):
        if not index.is_private:
            continue
        if index.claims(project):
            return {"index": index.name, "by": claim(index, project), "seen": None}
        ownership = shim.store.ledger.ownership(index.key, project)
        if ownership is not None and ownership.is_owner(index.defer_copies):
            by = "page" if ownership.served else "list"
            return {"index": index.name, "by": by, "seen": ownership.since}
    return None


def _indexes(shim: Shim, project: str, trail: Sequence[Tried]) -> list[dict[str, Any]]:
    """Return all indexes of the chain, including those that a claim excludes."""
    settings = shim.settings
    tried = {entry.index: entry for entry in trail}
    may_answer = candidates(settings.indexes, project)
    entries = []
    for position, index in enumerate(asking_order(settings.indexes), start=1):
        entry = tried.get(index.name)
        if entry is None and index in may_answer:
            entry = Tried(index.name, "not asked", "the answer did not come in time")
        elif entry is None:
            entry = Tried(index.name, "skipped", _left_out(index, project, may_answer))
        entries.append({"position": position, **_index(shim, project, index, entry)})
    return entries


def _left_out(index: Index, project: str, may_answer: Sequence[Index]) -> str:
    """Return why a claim leaves an index out."""
    claims = [f"{i.name} ({claim(i, project)})" for i in may_answer if i.claims(project)]
    if claims:
        return f"{project} is claimed by {', '.join(claims)}"
    return f"it is asked for nothing but {', '.join(index.only)} (only)"


def _index(shim: Shim, project: str, index: Index, tried: Tried) -> dict[str, Any]:
    stored = shim.store.pages.load(index.key, project)
    entry: dict[str, Any] = {
        "name": index.name,
        "role": index.role,
        "what": tried.what,
        "detail": tried.detail,
        "seconds": tried.seconds,
        "claimed": index.claims(project),
        "files": len(stored.files) if stored is not None else None,
        "newest_known": newest(stored) if stored is not None else None,
        # Entries of its page that are not offered: reason to number.
        "dropped": stored.dropped if stored is not None else {},
    }
    if index.is_private:
        ownership = shim.store.ledger.ownership(index.key, project)
        names = shim.store.ledger.name_list(index.key)
        entry["last_seen"] = ownership.since if ownership is not None else None
        entry["listed"] = ownership is not None and ownership.listed is not None
        entry["names"] = names.names if names is not None else None
        entry["names_fetched"] = names.fetched if names is not None else None
        entry["names_usable"] = names is not None and time.time() - names.fetched < LIST_USE
    return entry


def _files(shim: Shim, answer: Answer) -> dict[str, Any]:
    foreign = shim.settings.foreign_keys(answer.owner.group)
    pins = shim.store.pins.of_project(answer.project, foreign)
    files = answer.corrected.files
    held = shim.store.blobs.records.held(file.sha256 for file in files if file.sha256 is not None)
    return {
        "files": len(files),
        "cached": len(held),
        "withheld": [
            _changed(answer, file, pins[file.filename][0])
            for file in withheld(answer.corrected, pins)
        ],
        "dropped": answer.corrected.dropped,
        "yanked": sum(file.yanked is not False for file in files),
        "pins": sum(map(len, pins.values())),
        "newest": newest(answer.corrected),
        "project_status": answer.corrected.status,
        "project_status_reason": answer.corrected.status_reason,
    }


def _hidden(shim: Shim, answer: Answer) -> dict[str, Any] | None:
    """Return the files that are left out since there is no network; None if there are none."""
    pins, available = shim.pins_and_available(answer)
    cooldown = shim.cooldown(answer, pins)
    left_out = hidden(answer.corrected, pins, available, cooldown)
    if not left_out:
        return None
    shown = offered(answer.corrected, pins, available, cooldown).files
    project = answer.corrected.name
    shown_versions = {version_in(file.filename, project) for file in shown}
    versions = {version_in(each.file.filename, project) for each in left_out} - shown_versions
    return {
        "files": len(left_out),
        "never_fetched": sum(not each.was_held for each in left_out),
        "removed": sum(each.was_held for each in left_out),
        # Versions without any offered file, newest first.
        "versions": sorted(filter(None, versions), key=Version, reverse=True),
        "offered": len(shown),
        # Their build requirements may not be stored.
        "sdists": sum(not file.filename.endswith((".whl", ".egg")) for file in shown),
    }


def _cooldown(shim: Shim, answer: Answer) -> dict[str, Any] | None:
    """Return the cooldown of a project at its owner, and what it withholds; None without one."""
    found = shim.too_young(answer)
    if found.cooldown is None:
        return None
    return {
        "seconds": found.cooldown.seconds,
        # The releases that are withheld, the newest first.
        "releases": shim.young_releases(answer, found),
        "accepted": sorted(found.cooldown.accepted),
    }


def _changed(answer: Answer, file: File, first: Pin) -> dict[str, Any]:
    """Return the sha256 of a changed file that was seen first, and the offered one."""
    return {
        "filename": file.filename,
        "index": answer.owner.name,
        "offered": file.sha256,
        "first": first.sha256,
        "seen": first.seen,
        "source": first.source,
    }


def newest(page: ProjectPage) -> str | None:
    """Return the highest version of a page's files, preferring final releases; None if none."""
    versions = [_version(file.filename, page.name) for file in page.files]
    known = [version for version in versions if version is not None]
    best = max(known, key=lambda v: (not v.is_prerelease, v), default=None)
    return str(best) if best is not None else None


def _version(filename: str, project: str) -> Version | None:
    spelt = version_in(filename, project)
    try:
        return Version(spelt) if spelt is not None else None
    except InvalidVersion:  # a legacy version has no order
        return None


def namesakes(shim: Shim, since: float) -> list[dict[str, Any]]:
    """Return the served projects of private indexes that also have a cached public page.

    Projects that the configuration claims are left out, since the user has decided about them.
    """
    public = [index for index in shim.settings.indexes if not index.is_private]
    cached = set(shim.store.pages.names(index.key for index in public))
    found = []
    for project, name in shim.fallback.activity.owners(since).items():
        owner = shim.settings.index(name)
        if owner is None or not owner.is_private or owner.claims(project) or project not in cached:
            continue
        page = shim.store.pages.load(owner.key, project)
        others = ((index, shim.store.pages.load(index.key, project)) for index in public)
        other = next(((i, p) for i, p in others if p is not None and p.files), None)
        if page is not None and other is not None:
            found.append(_namesake(owner, page, *other))
    return found


def _namesake(
    owner: Index, page: ProjectPage, public: Index, public_page: ProjectPage
) -> dict[str, Any]:
    return {
        "project": page.name,
        "index": owner.name,
        "files": len(page.files),
        "newest": newest(page),
        "defer_copies": owner.defer_copies,
        "public": public.name,
        "public_newest": newest(public_page),
    }
