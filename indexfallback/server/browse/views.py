"""The data of the pages of a project and of a release, collected from the parts of a shim."""

import time
from typing import Any

from indexfallback.chain.answer import Answer
from indexfallback.formats.project_json import is_same
from indexfallback.report.publishers import publishers
from indexfallback.report.why import found
from indexfallback.server.browse.about import About, about
from indexfallback.server.browse.metadata import FETCHED, metadata_of
from indexfallback.server.browse.project import ProjectView
from indexfallback.server.browse.release import MissingRelease, ReleaseView
from indexfallback.server.browse.releases import (
    Release,
    current,
    nearest,
    release_of,
    releases,
)
from indexfallback.shim import Shim
from indexfallback.store import best_effort
from indexfallback.store.events import Event

#: Changes that the page shows; `indexfallback log` has the others.
_EVENTS = 10


def project_view(shim: Shim, answer: Answer, address: str, page: int) -> ProjectView:
    """Return the data of the page for an answer, at page number ``page`` of its files.

    ``address`` is that of the simple API. Raises `ProjectError` if nothing can be offered.
    """
    offer = shim.offer(answer)
    known = releases(offer)
    newest = current(known)
    decisions = shim.fallback.activity.decisions
    return ProjectView(
        name=offer.name,
        address=address,
        report=found(shim, answer),
        releases=known,
        current=newest,
        about=_about(shim, answer, newest) if newest is not None else About(),
        owner=answer.owner.group,
        held=shim.store.blobs.records.held(f.sha256 for f in offer.files if f.sha256 is not None),
        page=page,
        failures=decisions.failing(offer.name),
        failing=decisions.failing_projects(),
        events=_events(shim, offer.name),
        now=time.time(),
    )


def release_view(
    shim: Shim, answer: Answer, address: str, version: str
) -> ReleaseView | MissingRelease:
    """Return the data of the page of one version, or what there is instead.

    ``address`` is that of the simple API. Raises `ProjectError` if nothing can be offered.
    """
    offer = shim.offer(answer)
    known = releases(offer)
    newest, release = current(known), release_of(known, version)
    if newest is None or release is None:
        others = newest, nearest(known, version)
        why = _not_offered(shim, answer, version)
        return MissingRelease(offer.name, version, answer.owner.name, *others, *why)
    notices = shim.notices.of_project(answer.project, answer.owner)
    own = [each for each in notices["releases"] if is_same(each["version"], version)]
    return ReleaseView(
        name=offer.name,
        address=address,
        served_by=answer.owner.name,
        release=release,
        current=newest,
        # A page of many releases: no file is fetched for it.
        about=_about(shim, answer, release, most=0),
        owner=answer.owner.group,
        held=shim.store.blobs.records.held(f.sha256 for f in release.files if f.sha256 is not None),
        young=_young(shim, answer, version),
        notices={**notices, "releases": own},
        provenance=publishers(shim, answer, release.version),
        failing=shim.fallback.activity.decisions.failing_projects(),
        now=time.time(),
    )


def _not_offered(shim: Shim, answer: Answer, version: str) -> tuple[str, str]:
    """Return cause and remedy of a version of which no file is offered; empty if none is listed."""
    if release_of(releases(answer.corrected), version) is None:
        return "", ""
    young = _young(shim, answer, version)
    if young is not None:
        return young["cause"], young["remedy"]
    if answer.offline is not None:
        return f"none of its files is in the cache, and {answer.offline.words}", ""
    why = f"`indexfallback why {answer.project}` names them."
    return "its files have changed since they were first seen, and are withheld", why


def _young(shim: Shim, answer: Answer, version: str) -> dict[str, Any] | None:
    """Return what a cooldown withholds of a version, as `cooldown.as_json`."""
    young = shim.young_releases(answer, shim.too_young(answer))
    return next((each for each in young if is_same(each["version"], version)), None)


def _events(shim: Shim, project: str) -> list[Event]:
    """Return the latest changes of a project; most users change nothing, and have no such log."""
    if not shim.store.hosting.exists:
        return []
    with best_effort("show who changed a project"):
        return list(shim.store.hosting.events.read(project=project, limit=_EVENTS))
    return []


def _about(shim: Shim, answer: Answer, release: Release, most: int = FETCHED) -> About:
    """Return the metadata of a release; empty if none of its files has any.

    An sdist of up to ``most`` bytes is fetched for it.
    """
    owner = answer.owner.group
    metadata = metadata_of(shim, owner, answer.project, release.files, most=most)
    return about(metadata) if metadata is not None else About()
