"""PyPI's JSON of a project and of one version: from its owner, else made from its page."""

import time
from collections.abc import Callable
from functools import partial
from urllib.parse import quote

import falcon
import msgspec

from indexfallback.chain.answer import Answer
from indexfallback.chain.asking import RESERVE
from indexfallback.chain.cooldown import Cooldown
from indexfallback.chain.documents import Wanted
from indexfallback.chain.offer import offered
from indexfallback.errors import ProjectNotFoundError
from indexfallback.flight import run_within
from indexfallback.formats import project_json
from indexfallback.names import is_normalized, is_project_name, is_version, normalize
from indexfallback.page import File, ProjectPage
from indexfallback.server.browse.metadata import metadata_of
from indexfallback.server.browse.releases import Release, current, releases
from indexfallback.server.decisions import answered, asked
from indexfallback.server.links import Links
from indexfallback.server.made_json import made
from indexfallback.server.pages import is_again, send
from indexfallback.server.proxied import public_root
from indexfallback.server.rendered import as_rendered
from indexfallback.shim import Shim

#: Of an owner, which is a group, and a page: what gives the absolute address of a file.
Href = Callable[[str, ProjectPage], Callable[[File], str]]


class DocumentResource:
    """``/pypi/{project}/json`` and ``/pypi/{project}/{version}/json``, by the whole chain."""

    def __init__(self, shim: Shim) -> None:
        self._shim = shim

    def on_get(
        self, req: falcon.Request, resp: falcon.Response, project: str, version: str = ""
    ) -> None:
        """Answer with the document."""
        if not is_project_name(project) or (version and not is_version(version)):
            raise falcon.HTTPNotFound(description=f"{req.path}: this names no project or version")
        if not is_normalized(project):
            of = "/".join(quote(part, safe="") for part in (normalize(project), version) if part)
            resp.status, resp.location = falcon.HTTP_301, f"{req.root_path}/pypi/{of}/json"
            return
        shim = self._shim
        again, ends = is_again(req, shim), document_ends(shim)
        asked(req, project)
        answer = shim.fallback.page(project, again=again)
        href = Links(public_root(req)).href
        body = document(shim, answer, version, href, again=again, ends=ends)
        answered(req, shim.fallback.activity, answer.owner.name, answer.how)
        send_document(req, resp, body)

    on_head = on_get


def document_ends(shim: Shim) -> float:
    """Return the deadline of a request for a document that arrives now, on the monotonic clock."""
    return time.monotonic() + shim.settings.deadline * (1 - RESERVE)


def send_document(req: falcon.Request, resp: falcon.Response, body: bytes) -> None:
    """Answer with a document."""
    send(req, resp, falcon.MEDIA_JSON, as_rendered(body))


def document(
    shim: Shim, answer: Answer, version: str, href: Href, *, again: bool, ends: float
) -> bytes:
    """Return the document of a project, or of one version if that is not empty.

    ``answer`` is that for the project's page: its owner decides whose document is served. Where the
    document is made, ``href`` has the addresses of files. With ``again`` an index is asked whatever
    is fresh; ``ends`` is the deadline, on the monotonic clock. Raises `ProjectNotFoundError` if the
    project has no such version, or a cooldown withholds it.
    """
    young = shim.note_young(answer)
    pins, _ = shim.pins_and_available(answer)
    # Without a network the releases are what they are: a document offers no file.
    page = offered(answer.corrected, pins, cooldown=young.cooldown)
    listed, known = len(answer.corrected.files), releases(page)
    release = _release(known, version)
    if release is None:
        shim.check_age(answer, version)
    if answer.how != "mirrored":  # what is mirrored is served as it is, and no index is asked
        find = partial(_found, shim, answer, page, young.cooldown, again=again, ends=ends)
        found = find(version, is_listed=release is not None)
        if found is not None and not version and release and len(page.files) < listed:
            found = _described_anew(found, lambda: find(release.version, is_listed=True))
        if found is not None:
            return found
    if release is None:
        raise _no_release(answer, version)
    metadata = _metadata(shim, answer, release, ends)
    address_of = href(answer.owner.group, page)
    return made(page, release, metadata, address_of, releases=None if version else known)


def _described_anew(body: bytes, find_offered: Callable[[], bytes | None]) -> bytes | None:
    """Return a project's document that describes an offered version; None if there is none.

    ``find_offered`` returns the document of that version.
    """
    if project_json.files_of(body):
        return body
    # It describes a version that is withheld.
    other = find_offered()
    return project_json.described_by(body, other) if other is not None else None


def _release(known: list[Release], version: str) -> Release | None:
    """Return the release of a version, or the one that a project is described by."""
    versions = [release for release in known if release.version]
    if not version:
        return current(versions)
    return next((r for r in versions if project_json.is_same(r.version, version)), None)


def _found(
    shim: Shim,
    answer: Answer,
    page: ProjectPage,
    cooldown: Cooldown | None,
    version: str,
    *,
    is_listed: bool,
    again: bool,
    ends: float,
) -> bytes | None:
    """Return an index's document without the files that are withheld, or None if it has none.

    ``page`` is what is offered of the page of the index by its ``cooldown``.
    """
    wanted = Wanted(answer.owner, answer.project, answer.digest, version, is_listed, again, ends)
    found = shim.documents.find(wanted)
    if found is None:
        return None
    pins, _ = shim.pins_and_available(answer)
    withheld = _withheld(answer.corrected, page)
    if pins or withheld or cooldown is not None:
        own = msgspec.structs.replace(page, files=project_json.files_in(found))
        withheld |= _withheld(own, offered(own, pins, cooldown=cooldown))
    return project_json.without(found, withheld) if withheld else found


def _withheld(page: ProjectPage, offer: ProjectPage) -> set[str]:
    return {file.filename for file in page.files} - {file.filename for file in offer.files}


def _metadata(shim: Shim, answer: Answer, release: Release, ends: float) -> bytes | None:
    """Return the metadata of a version if there is some before the deadline."""
    owner = answer.owner.group
    try:
        return run_within(
            lambda: metadata_of(shim, owner, answer.project, release.files),
            ends - time.monotonic(),
            f"fetch-{answer.project}",
        )
    except TimeoutError:  # it is kept when it comes
        return None


def _no_release(answer: Answer, version: str) -> ProjectNotFoundError:
    what = f"version {version}" if version else "no file of a version"
    has = "does not list" if version else "lists"
    return ProjectNotFoundError(
        answer.project,
        answer.tried,
        f"the page of {answer.owner.name} {has} {what}",
        f"`indexfallback why {answer.project}` says what it lists.",
    )
