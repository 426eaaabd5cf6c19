"""The resources for people: ``/``, ``/projects/``, and the pages of a project and a release."""

import re
import time
from functools import partial
from urllib.parse import quote

import falcon

from indexfallback.errors import ProjectError
from indexfallback.names import is_normalized, is_project_name, is_version, normalize
from indexfallback.report.status import status
from indexfallback.report.why import refused
from indexfallback.server.browse.frame import HEADERS
from indexfallback.server.browse.listing import listing_of, listing_page
from indexfallback.server.browse.markup import Html
from indexfallback.server.browse.project import project_page, refused_page
from indexfallback.server.browse.release import (
    MissingRelease,
    missing_release_page,
    release_page,
)
from indexfallback.server.browse.start import start_page
from indexfallback.server.browse.views import project_view, release_view
from indexfallback.server.credentials import scope
from indexfallback.server.finding import PATIENCE, query_in
from indexfallback.server.guards import to_root, wants_page
from indexfallback.server.pages import redirect
from indexfallback.server.proxied import public_root
from indexfallback.server.xmlrpc import XmlRpcResource
from indexfallback.shim import Shim

#: The address of the list, and of the projects below it.
PROJECTS = "/projects/"
#: The number of a page; anything else is the first page.
_NUMBER = re.compile(r"[0-9]{1,6}", re.ASCII)


class StartResource(XmlRpcResource):
    """``/``: the state of the indexes, the cache and the clients, and the latest decisions."""

    def __init__(self, shim: Shim) -> None:
        self._shim = shim

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Answer with the page."""
        now = time.time()
        decisions = self._shim.fallback.activity.decisions.since()
        # Of the activity only the clients are shown.
        _send(resp, start_page(_simple(req), status(self._shim, now), decisions, now))

    on_head = on_get


class ListingResource:
    """``/projects/``: the known projects (``?q=TEXT&classifier=BEGINNING&page=NUMBER``)."""

    is_for_any_token = True

    def __init__(self, shim: Shim) -> None:
        self._shim = shim

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Answer with the page."""
        query = query_in(req)
        find = partial(self._shim.search.find, query, patience=PATIENCE, scope=scope(req))
        _send(resp, listing_page(listing_of(find, query, _page(req))))

    on_head = on_get


class BrowseResource:
    """``/projects/{project}/``: one project (``?page=NUMBER`` of its files)."""

    def __init__(self, shim: Shim) -> None:
        self._shim = shim

    def on_get(self, req: falcon.Request, resp: falcon.Response, project: str) -> None:
        """Answer with the project's page, or with one that gives the reason for an error."""
        if not is_project_name(project):
            raise falcon.HTTPNotFound(description="this is not a project name")
        if not is_normalized(project):
            redirect(req, resp, PROJECTS, normalize(project))
            return
        try:
            answer = self._shim.fallback.page(project)
            view = project_view(self._shim, answer, _simple(req), _page(req))
        except ProjectError as error:
            if not wants_page(req):
                raise
            _send_refusal(req, resp, self._shim, error)
            return
        _send(resp, project_page(view))

    on_head = on_get


class ReleaseResource:
    """``/projects/{project}/{version}/``: one release."""

    def __init__(self, shim: Shim) -> None:
        self._shim = shim

    def on_get(
        self, req: falcon.Request, resp: falcon.Response, project: str, version: str
    ) -> None:
        """Answer with the page, or a redirect to the version as its files spell it."""
        if not is_project_name(project) or not is_version(version):
            raise falcon.HTTPNotFound(description="this names no project or no version")
        if not is_normalized(project):
            _redirect(req, resp, normalize(project), version)
            return
        try:
            answer = self._shim.fallback.page(project)
            view = release_view(self._shim, answer, _simple(req), version)
        except ProjectError as error:
            if not wants_page(req):
                raise
            _send_refusal(req, resp, self._shim, error)
            return
        if isinstance(view, MissingRelease):
            if not wants_page(req):
                raise falcon.HTTPNotFound(description=str(view))
            resp.status = falcon.HTTP_404
            _send(resp, missing_release_page(view))
        elif view.release.version != version or not req.path.endswith("/"):
            _redirect(req, resp, project, view.release.version)
        else:
            _send(resp, release_page(view))

    on_head = on_get


def _redirect(req: falcon.Request, resp: falcon.Response, project: str, version: str) -> None:
    """Answer 301 to the page of a release, by valid names."""
    resp.status = falcon.HTTP_301
    resp.location = f"{req.root_path}{PROJECTS}{project}/{quote(version, safe='')}/"


def _send_refusal(
    req: falcon.Request, resp: falcon.Response, shim: Shim, error: ProjectError
) -> None:
    resp.status = falcon.code_to_http_status(error.status)
    _send(resp, refused_page(error.title, refused(shim, error), time.time(), to_root(req)))


def _simple(req: falcon.Request) -> str:
    return f"{public_root(req)}simple/"


def _page(req: falcon.Request) -> int:
    text = req.get_param("page", default="")
    return int(text) if _NUMBER.fullmatch(text) else 1


def _send(resp: falcon.Response, page: Html) -> None:
    resp.content_type = falcon.MEDIA_HTML
    resp.set_headers(HEADERS)
    resp.text = page
