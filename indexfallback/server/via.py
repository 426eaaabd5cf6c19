"""The answers for intercepted hosts: ``/via/{scheme}/{authority}/...``.

A proxy on this machine sends what a client asks an index or a host of files for, the path as it
came and Authorization renamed to ``Indexfallback-Authorization``. 421 means that the request is
none of the chain's: the proxy sends it to its real host.
"""

from functools import partial

import falcon

from indexfallback.chain.answer import Answer
from indexfallback.config import Index
from indexfallback.config.hosts import last_group, stated_origins
from indexfallback.config.pip import default_files_url, default_url
from indexfallback.errors import FileError, ProjectError, ProjectNotFoundError
from indexfallback.files.by_url import FilesByUrl
from indexfallback.files.file_url import FileUrl, ProvenanceUrl
from indexfallback.files.planner import PageAddress
from indexfallback.names import is_version
from indexfallback.origin import origin_of
from indexfallback.server.decisions import answered, asked
from indexfallback.server.documents import document, document_ends, send_document
from indexfallback.server.files import FOR_EVER, FileSender
from indexfallback.server.intercepted import Json, Moved, Names, Page, index_at, wanted
from indexfallback.server.links import DirectLinks
from indexfallback.server.pages import NamesResource, PageSender, client_of, is_again, media_of
from indexfallback.server.provenance import ProvenanceSender
from indexfallback.shim import Shim
from indexfallback.upstream.answers import ClientLogin

INTERCEPTED = "/via/{scheme}/{authority}/{path:path}"
#: What a proxy has renamed Authorization to.
LOGIN = "Indexfallback-Authorization"


class InterceptedResource:
    """Answers in the place of the chain's indexes and of the hosts of their files."""

    def __init__(
        self, shim: Shim, names: NamesResource, pages: PageSender, files: FileSender,
        provenance: ProvenanceSender,
    ) -> None:  # fmt: skip
        self._shim = shim
        self._names = names
        self._pages = pages
        self._files = files
        self._provenance = provenance
        self._found = FilesByUrl(shim.fallback)
        self._pypi = origin_of(default_files_url())
        self._stated = stated_origins(shim.settings.indexes)
        self._last = last_group(shim.settings.indexes)

    def on_get(
        self, req: falcon.Request, resp: falcon.Response, scheme: str, authority: str, path: str
    ) -> None:
        """Answer as the chain does, or with 421."""
        found = wanted(self._shim.settings.indexes, scheme, authority, f"/{path}", req.query_string)
        if isinstance(found, Page):
            self._page(req, resp, found.index, found.project)
        elif isinstance(found, Json):
            self._document(req, resp, found)
        elif isinstance(found, Names):
            self._names.on_get(req, resp, _name(found.index))
        elif isinstance(found, Moved):
            resp.status = falcon.HTTP_301
            resp.location = found.location
        elif isinstance(found, FileUrl):
            self._file(req, resp, found)
        elif isinstance(found, ProvenanceUrl):
            self._provenance_of(req, resp, found)
        else:
            raise _not_ours()

    on_head = on_get

    def _page(
        self, req: falcon.Request, resp: falcon.Response, index: Index | None, project: str
    ) -> None:
        """Answer at the address of an index, or of the whole chain, with a project's page."""
        media_of(req)  # before any index is asked
        shim, login = self._shim, _login_at(req, index)
        asked(req, project)
        answer = self._answer(req, index, project, login)
        if req.method == "GET":
            address = PageAddress(project, None, _name(index))
            shim.ahead.page_asked(client_of(req), answer, address)
        self._pages.send(req, resp, answer, self._links(index), is_shared=login is None)

    def _document(self, req: falcon.Request, resp: falcon.Response, wanted: Json) -> None:
        """Answer with the JSON of a project or of a version."""
        version = wanted.version or ""
        if version and not is_version(version):
            raise _not_ours()
        ends = document_ends(self._shim)
        asked(req, wanted.project)
        answer = self._answer(req, wanted.index, wanted.project, _login_at(req, wanted.index))
        again, href = is_again(req, self._shim), self._links(wanted.index).href
        body = document(self._shim, answer, version, href, again=again, ends=ends)
        answered(req, self._shim.fallback.activity, answer.owner.name, answer.how)
        send_document(req, resp, body)

    def _answer(
        self, req: falcon.Request, index: Index | None, project: str, login: ClientLogin | None
    ) -> Answer:
        """Return the chain's answer for a project; raises what is said at the index instead."""
        find = partial(self._shim.fallback.page, project, again=is_again(req, self._shim))
        if index is None:
            return find()
        try:
            answer = find(first=index.name, login=login)
        except ProjectError as error:
            raise self._refusal(index, error) from error
        self._check(index, answer, is_refused=login is None)
        return answer

    def _links(self, index: Index | None) -> DirectLinks:
        asked = index.url if index is not None else default_url()
        return DirectLinks.answering(asked, self._stated)

    def _file(self, req: falcon.Request, resp: falcon.Response, url: FileUrl) -> None:
        """Answer with a file, or its metadata."""
        index = index_at(self._shim.settings.indexes, url)
        login = _login(req, index, url.origin)
        asked(req, url.project or "", url.filename)
        try:
            address = self._found.find(url, index, login)
            if address is None:
                raise _not_ours()
            # What an index has at an address may change; only PyPI's addresses have a hash.
            resp.set_header("Cache-Control", FOR_EVER if url.origin == self._pypi else "no-cache")
            self._files.send(req, resp, address, login)
        except FileError as error:
            if index is not None and index.is_private and index.name in error.wants_login:
                raise _login_wanted(index) from error
            raise

    def _provenance_of(
        self, req: falcon.Request, resp: falcon.Response, url: ProvenanceUrl
    ) -> None:
        """Answer with the provenance object of a file."""
        address = self._found.find_provenance(url)
        if address is None:
            raise _not_ours()
        index = self._shim.settings.index(address.owner)
        self._provenance.send(req, resp, address, _login(req, index, url.origin))

    def _check(self, index: Index, answer: Answer, *, is_refused: bool) -> None:
        """Return if an answer is one at the address of an index; raises what is said instead.

        An index that wants a login is answered for by a stale page only to who has brought one:
        clients look for a login when they are asked for it.
        """
        is_own = answer.owner.group == index.group
        wants_login = index.is_private and index.name in answer.wants_login
        if wants_login and (not is_own or is_refused):
            raise _login_wanted(index)
        if not is_own and index.group != self._last:
            raise ProjectNotFoundError(
                answer.project,
                answer.tried,
                f"it belongs to {answer.owner.name}, and this is the address of {index.name}",
                f"Ask for it at the address of {answer.owner.name}.",
                answer.owner.name if answer.owner.is_private else "",
            )

    def _refusal(self, index: Index, error: ProjectError) -> Exception:
        """Return what is said at the address of an index in place of an error of the chain."""
        if not index.is_private:
            return error
        if index.name in error.wants_login:
            return _login_wanted(index)
        says = next((tried for tried in error.tried if tried.index == index.name), None)
        is_final = error.status == ProjectNotFoundError.status
        may_have_it = says is not None and says.what != "absent"
        if is_final or may_have_it:
            return error
        # Whatever the others have: this one does not have it, and clients ask them as well.
        cause = f"{index.name} does not have it"
        return ProjectNotFoundError(error.project, error.tried, cause, error.remedy)


def _name(index: Index | None) -> str | None:
    return index.name if index is not None else None


def _login_at(req: falcon.Request, index: Index | None) -> ClientLogin | None:
    """Return what a client has brought for an index; the whole chain has no login."""
    return _login(req, index, origin_of(index.url) or "") if index is not None else None


def _login(req: falcon.Request, index: Index | None, origin: str) -> ClientLogin | None:
    """Return what a client has brought for an origin, and for the index there."""
    header = req.get_header(LOGIN)
    return ClientLogin(index.name if index is not None else "", origin, header) if header else None


def _login_wanted(index: Index) -> falcon.HTTPUnauthorized:
    return falcon.HTTPUnauthorized(
        title="Login wanted",
        description=f"{index.name} wants a login",
        challenges=[f'Basic realm="{index.name}"'],
    )


def _not_ours() -> falcon.HTTPError:
    return falcon.HTTPError(
        falcon.HTTP_421,
        title="Not of the chain",
        description="No index of the chain has this address: ask its own host",
    )
