"""The data of a project's page, collected from the parts of a shim."""

import time

from indexfallback.chain.answer import Answer
from indexfallback.server.browse.about import About, about
from indexfallback.server.browse.metadata import metadata_of
from indexfallback.server.browse.project import ProjectView
from indexfallback.server.browse.releases import Release, current, releases
from indexfallback.shim import Shim
from indexfallback.why import found


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
        now=time.time(),
    )


def _about(shim: Shim, answer: Answer, release: Release) -> About:
    """Return the metadata of a release; empty if none of its files has any."""
    metadata = metadata_of(shim, answer.owner.group, answer.project, release.files)
    return about(metadata) if metadata is not None else About()
