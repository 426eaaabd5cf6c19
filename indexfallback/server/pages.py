"""The simple API: project pages and the list of names, by the chain or by one index alone."""

import time
from collections.abc import Callable
from functools import partial
from urllib.parse import quote

import falcon

from indexfallback.chain.answer import Answer
from indexfallback.files.planner import PageAddress
from indexfallback.files.schedule import Client
from indexfallback.formats import Media, negotiate, render_names, render_page
from indexfallback.names import FileKey, is_normalized, is_project_name, normalize
from indexfallback.page import File, ProjectPage
from indexfallback.server.rendered import Rendered, RenderedPages, as_rendered
from indexfallback.server.response_cache import MAX_AGE, is_to_revalidate
from indexfallback.shim import Shim
from indexfallback.upstream.answers import Limits


class ProjectResource:
    """A project's page below ``root``: of the chain, or of the index that the address names.

    With ``direct`` it links to the files at their index, for clients that write links into lock
    files.
    """

    def __init__(
        self, shim: Shim, root: str, rendered: RenderedPages, *, direct: bool = False
    ) -> None:
        self._shim = shim
        self._root = root
        self._rendered = rendered
        self._direct = direct

    def on_get(
        self, req: falcon.Request, resp: falcon.Response, project: str, index: str | None = None
    ) -> None:
        """Answer with the project's page."""
        if not is_project_name(project) or (index and self._shim.members.get(index) is None):
            raise falcon.HTTPNotFound(description=f"{req.path}: this names no project or no index")
        if not is_normalized(project):
            redirect(req, resp, self._root, normalize(project), index)
            return
        media = _media(req)
        # Offline no index may be asked, and what is stored is all there is.
        again = is_to_revalidate(req.get_header("Cache-Control")) and (
            not self._shim.network.is_offline
        )
        answer = self._shim.fallback.page(project, index, again=again)
        self._shim.fallback.activity.client(req.user_agent or "")
        if not self._direct and req.method == "GET":
            self._shim.ahead.page_asked(client_of(req), answer, PageAddress(project, index))
        if answer.page.serial is not None:
            resp.set_header("X-PyPI-Last-Serial", str(answer.page.serial))
        if answer.is_settled:
            req.env[MAX_AGE] = self._shim.fallback.repeat_seconds
        _send(req, resp, media, self._render(answer, media))

    on_head = on_get

    def _render(self, answer: Answer, media: Media) -> Rendered:
        to_root = "../" * self._root.count("/")
        owner = answer.owner.group

        def render() -> bytes:
            # An index serves beside its files what its own page states, and nothing else.
            page = self._shim.offer(answer, every_metadata=not self._direct)
            href = partial(address, to_root, owner, page)
            return render_page(page, media, partial(_upstream_or, href) if self._direct else href)

        if not answer.is_settled:
            return as_rendered(render())
        return self._rendered.get((answer.digest, owner, to_root, media), render)


def client_of(req: falcon.Request) -> Client:
    """Return who sends a request."""
    return Client(req.remote_addr, req.user_agent or "")


def address(to_root: str, owner: str, page: ProjectPage, file: File) -> str:
    """Return a file's address relative to a page."""
    key = FileKey(page.name, file.sha256)
    return f"{to_root}files/{owner}/{key}/{quote(file.filename)}"


def _upstream_or(href: Callable[[File], str], file: File) -> str:
    """Return a file's address at its index; ``href`` for a local file, which only we serve."""
    return href(file) if file.url.startswith("file:") else file.url


class NamesResource:
    """``/simple/`` and ``/index/{index}/simple/``: names served before, and of local directories.

    The list is small: buildout asks for it after each miss, and all public names are 40 MB.
    """

    def __init__(self, shim: Shim) -> None:
        self._shim = shim
        self._rendered = RenderedPages()

    def on_get(self, req: falcon.Request, resp: falcon.Response, index: str | None = None) -> None:
        """Answer with the names."""
        shim = self._shim
        if index is not None and shim.members.get(index) is None:
            raise falcon.HTTPNotFound(description=f"{req.path}: no index has this name")
        members = [m for m in shim.members if index in (None, m.index.name)]
        sources = [member.index.key for member in members]
        pages = shim.store.pages
        is_offline = shim.network.offline_state.cause is not None
        names = pages.names_held(sources) if is_offline else pages.names(sources)
        limits = Limits(time.monotonic() + shim.settings.deadline, shim.settings.page_size)
        for member in members:
            if member.index.is_directory:
                names += member.upstream.names(limits).names
        media = _media(req)
        # Each part is sorted already, so that sorting many thousands of names is quick.
        listed = tuple(dict.fromkeys(sorted(names)))
        rendered = self._rendered.get((listed, media), lambda: render_names(listed, media))
        _send(req, resp, media, rendered)

    on_head = on_get


class SlashResource:
    """The addresses below ``root`` without the slash at their end."""

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


def _media(req: falcon.Request) -> Media:
    media = negotiate(req.get_header("Accept"))
    if media is None:
        kinds = ", ".join(kind.value for kind in Media)
        raise falcon.HTTPNotAcceptable(description=f"This index answers with {kinds}")
    return media


def _send(req: falcon.Request, resp: falcon.Response, media: Media, rendered: Rendered) -> None:
    resp.content_type = media.value
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
