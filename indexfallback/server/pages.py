"""The simple API: project pages and the list of names, by the chain or by one index alone."""

import hashlib
import time
from dataclasses import replace
from urllib.parse import quote

import falcon

from indexfallback.chain.answer import Answer
from indexfallback.chain.cooldown import TooYoung
from indexfallback.files.planner import PageAddress
from indexfallback.files.schedule import Client
from indexfallback.formats import Media, negotiate, render_names, render_page
from indexfallback.names import is_normalized, is_project_name, normalize
from indexfallback.server.credentials import covered
from indexfallback.server.decisions import answered, asked
from indexfallback.server.links import DirectLinks, Links
from indexfallback.server.proxied import public_root
from indexfallback.server.rendered import Rendered, RenderedPages, as_rendered
from indexfallback.server.response_cache import MAX_AGE, is_to_revalidate
from indexfallback.server.xmlrpc import XmlRpcResource
from indexfallback.shim import Shim
from indexfallback.upstream.answers import Limits


class PageSender:
    """Sends the pages of answers, rendered once for all that get the same."""

    def __init__(self, shim: Shim) -> None:
        self._shim = shim
        self._rendered = RenderedPages()

    def send(
        self,
        req: falcon.Request,
        resp: falcon.Response,
        answer: Answer,
        links: Links,
        *,
        is_shared: bool = True,
    ) -> None:
        """Answer with the page of ``answer``, whose links are made by ``links``.

        Others may get the same answer if it ``is_shared``.
        """
        media = media_of(req)
        found = self._shim.note_young(answer)
        # A page with young files depends on the time, and on what the user accepts.
        if answer.is_settled and is_shared and not found.young:
            req.env[MAX_AGE] = self._shim.fallback.repeat_seconds
        answered(req, self._shim.fallback.activity, answer.owner.name, answer.how)
        if answer.page.serial is not None:
            resp.set_header("X-PyPI-Last-Serial", str(answer.page.serial))
        send(req, resp, media.value, self._render(answer, links, media, found))

    def _render(self, answer: Answer, links: Links, media: Media, found: TooYoung) -> Rendered:
        owner = answer.owner.group
        withheld = tuple(each.file.filename for each in found.withheld)

        def render() -> bytes:
            # A later one may withhold other files than the key says.
            page = self._shim.offer(answer, links.promises, found.cooldown)
            return render_page(links.stated(owner, page), media, links.href(owner, page))

        if not answer.is_settled:
            return as_rendered(render())
        return self._rendered.get((answer.digest, owner, links, media, withheld), render)


class ProjectResource:
    """A project's page below ``root``: of the chain, or of the index that the address names.

    With ``direct`` it links to the files at their index, for clients that write links into lock
    files.
    """

    def __init__(self, shim: Shim, root: str, sender: PageSender, *, direct: bool = False) -> None:
        self._shim = shim
        self._root = root
        self._sender = sender
        self._direct = direct
        to_root = "../" * root.count("/")
        # An index serves beside its files what its own page states, and nothing else.
        self._links = DirectLinks(to_root) if direct else Links(to_root)

    def on_get(
        self, req: falcon.Request, resp: falcon.Response, project: str, index: str | None = None
    ) -> None:
        """Answer with the project's page."""
        if not is_project_name(project) or (index and self._shim.members.get(index) is None):
            raise falcon.HTTPNotFound(description=f"{req.path}: this names no project or no index")
        if not is_normalized(project):
            redirect(req, resp, self._root, normalize(project), index)
            return
        media_of(req)  # before any index is asked
        asked(req, project)
        answer = self._shim.fallback.page(project, index, again=is_again(req, self._shim))
        if not self._direct and req.method == "GET":
            self._shim.ahead.page_asked(client_of(req), answer, PageAddress(project, index))
        self._sender.send(req, resp, answer, replace(self._links, root=public_root(req)))

    on_head = on_get


def is_again(req: falcon.Request, shim: Shim) -> bool:
    """Tell whether the indexes are to be asked, whatever is fresh."""
    # Offline no index may be asked, and what is stored is all there is.
    return is_to_revalidate(req.get_header("Cache-Control")) and not shim.network.is_offline


def client_of(req: falcon.Request) -> Client:
    """Return who sends a request."""
    return Client(req.remote_addr, req.user_agent or "")


class NamesResource(XmlRpcResource):
    """``/simple/`` and ``/index/{index}/simple/``: names served before, and of local directories.

    The list is small: buildout asks for it after each miss, and all public names are 40 MB.
    """

    is_for_any_token = True

    def __init__(self, shim: Shim) -> None:
        self._shim = shim
        self._rendered = RenderedPages()

    def on_get(self, req: falcon.Request, resp: falcon.Response, index: str | None = None) -> None:
        """Answer with the names."""
        shim = self._shim
        if index is not None and shim.members.get(index) is None:
            raise falcon.HTTPNotFound(description=f"{req.path}: no index has this name")
        asked = [index] if index else [each.name for each in shim.settings.indexes]
        members = [shim.members[name] for name in asked]
        sources = [member.index.key for member in members]
        pages = shim.store.pages
        is_offline = shim.network.offline_state.cause is not None
        names = pages.names_held(sources) if is_offline else pages.names(sources)
        limits = Limits(time.monotonic() + shim.settings.deadline, shim.settings.page_size)
        for member in members:
            if member.index.is_read_each_time and not member.held(time.monotonic()):
                names += member.upstream.names(limits).names
        media = media_of(req)
        # Each part is sorted already, so that sorting many thousands of names is quick.
        listed = tuple(dict.fromkeys(filter(covered(req), sorted(names))))
        digest = hashlib.sha256("\n".join(listed).encode()).digest()
        rendered = self._rendered.get((digest, media), lambda: render_names(listed, media))
        send(req, resp, media.value, rendered)

    on_head = on_get


class SlashResource(XmlRpcResource):
    """The addresses below ``root`` without the slash at their end."""

    is_for_any_token = True

    def __init__(self, root: str) -> None:
        self._root = root

    def on_get(
        self, req: falcon.Request, resp: falcon.Response, project: str = "", index: str = ""
    ) -> None:
        """Redirect to the address with the slash."""
        name = normalize(project) if is_project_name(project) else ""
        redirect(req, resp, self._root, name, index)

    on_head = on_get


def redirect(
    req: falcon.Request, resp: falcon.Response, root: str, project: str, index: str | None = None
) -> None:
    """Answer 301 to a page's canonical address, which has validated parts only."""
    path = root.format(index=quote(index or "", safe=""))
    resp.status = falcon.HTTP_301
    resp.location = f"{req.root_path}{path}{project}/" if project else f"{req.root_path}{path}"


def media_of(req: falcon.Request) -> Media:
    """Return the form in which a client wants a page; raises falcon.HTTPNotAcceptable."""
    media = negotiate(req.get_header("Accept"))
    if media is None:
        kinds = ", ".join(kind.value for kind in Media)
        raise falcon.HTTPNotAcceptable(description=f"This index answers with {kinds}")
    return media


def send(req: falcon.Request, resp: falcon.Response, content_type: str, rendered: Rendered) -> None:
    """Answer with a rendered page or document, or with 304 if the client has it."""
    resp.content_type = content_type
    resp.set_headers(
        {
            "ETag": rendered.etag,
            # pip 26.2 and newer obeys max-age without revalidating.
            "Cache-Control": "no-cache",
            "Vary": "Accept",
            "X-Content-Type-Options": "nosniff",
        }
    )
    if matches(req.get_header("If-None-Match"), rendered.etag):
        resp.status = falcon.HTTP_304
    else:
        resp.data = rendered.body


def matches(if_none_match: str | None, etag: str) -> bool:
    """Tell whether a client has this content (RFC 9110, 13.1.2: weak comparison)."""
    if if_none_match is None:
        return False
    return any(tag.strip().removeprefix("W/") in (etag, "*") for tag in if_none_match.split(","))
