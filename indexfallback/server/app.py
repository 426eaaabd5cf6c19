"""The WSGI application: which resource answers which address."""

from typing import Any

import falcon
from falcon import media

from indexfallback.config.loopback import is_loopback
from indexfallback.errors import IndexFallbackError
from indexfallback.server.browse.assets import AssetResource
from indexfallback.server.browse.frame import ICON, SCRIPT
from indexfallback.server.browse.resources import (
    PROJECTS,
    BrowseResource,
    ListingResource,
    ReleaseResource,
    StartResource,
)
from indexfallback.server.changes import PromoteResource, WithdrawResource
from indexfallback.server.concurrency import ConcurrencyLimit
from indexfallback.server.credentials import Credentials, ReadGuard
from indexfallback.server.decisions import noting_errors
from indexfallback.server.documents import DocumentResource
from indexfallback.server.files import FileResource, FileSender
from indexfallback.server.finding import SearchResource
from indexfallback.server.guards import (
    HostGuard,
    answer_error,
    answer_http_error,
    answer_records_fault,
    answer_unexpected,
)
from indexfallback.server.metrics import MetricsResource
from indexfallback.server.pages import NamesResource, PageSender, ProjectResource, SlashResource
from indexfallback.server.proof import Place, Prover
from indexfallback.server.provenance import ProvenanceSender
from indexfallback.server.proxied import Proxied
from indexfallback.server.response_cache import ResponseCache
from indexfallback.server.state import (
    HealthResource,
    OriginsResource,
    RefreshResource,
    StatusResource,
    WhyResource,
)
from indexfallback.server.uploads import UploadResource, multipart_handler
from indexfallback.server.via import INTERCEPTED, InterceptedResource
from indexfallback.server.xmlrpc import XmlRpcResource
from indexfallback.shim import Shim
from indexfallback.store import RecordsFault
from indexfallback.store.secret import Secret


def make_app(shim: Shim, secret: Secret, place: Place) -> ResponseCache | Proxied:
    """Return the WSGI application that serves a shim at a place, for the user of the secret."""
    shim.search.filling.follow()
    credentials = Credentials(shim.store.hosting, secret, private=shim.settings.private)
    app = falcon.App(middleware=_guards(shim, credentials))
    app.req_options.media_handlers = media.Handlers({falcon.MEDIA_MULTIPART: multipart_handler()})
    app.set_error_serializer(answer_http_error)
    app.add_error_handler(Exception, answer_unexpected)
    noting = noting_errors(shim.fallback.activity, answer_error)
    app.add_error_handler(IndexFallbackError, noting)
    app.add_error_handler(RecordsFault, answer_records_fault)
    prover = Prover(secret, place, shim.settings)
    for path, resource in routes(shim, credentials, prover).items():
        app.add_route(path, resource)
    cached = ResponseCache(
        ConcurrencyLimit(app),
        lambda: shim.network.changes + shim.store.ledger.changes + shim.fallback.renewals,
    )
    settings = shim.settings
    if settings.base_path or settings.trusted_proxies:
        return Proxied(cached, settings)
    return cached


def _guards(shim: Shim, credentials: Credentials) -> list[HostGuard | ReadGuard]:
    # No check of the Host where others reach this server by any name; a foreign page in a
    # browser has no token.
    hosts = [HostGuard()] if is_loopback(shim.settings.host) else []
    readers = [ReadGuard(credentials)] if shim.settings.asks_for_tokens else []
    return [*hosts, *readers]


def routes(shim: Shim, credentials: Credentials, prover: Prover) -> dict[str, Any]:
    """Return each address, as a template of Falcon, and the resource that answers it."""
    uploads = UploadResource(shim, credentials)
    # With and without the slash: clients do not follow the redirect of an upload.
    upload_paths = ("/upload", "/upload/", "/upload/{index}", "/upload/{index}/")
    return (
        _for_clients(shim)
        | dict.fromkeys(upload_paths, uploads)
        | _changes(shim, credentials)
        | _for_people(shim)
        | _for_programs(shim, prover)
    )


def _changes(shim: Shim, credentials: Credentials) -> dict[str, Any]:
    """Return the resources that withdraw and promote releases of hosted indexes."""
    release = "{index}/{project}/{version}"
    routes = {
        f"/-/yank/{release}": WithdrawResource(shim, credentials, "yanked"),
        f"/-/unyank/{release}": WithdrawResource(shim, credentials, "unyanked"),
        f"/-/remove/{release}": WithdrawResource(shim, credentials, "removed"),
        "/-/promote/{project}/{version}": PromoteResource(shim, credentials),
    }
    # With a slash at the end, too, as addresses of projects and uploads have.
    return routes | {f"{route}/": resource for route, resource in routes.items()}


def _for_clients(shim: Shim) -> dict[str, Any]:
    """Return the simple API, of the chain and of one index, and the files."""
    names, pages, files = NamesResource(shim), PageSender(shim), FileSender(shim)
    provenance = ProvenanceSender(shim)
    routes: dict[str, Any] = {
        "/files/{owner}/{key}/{filename}": FileResource(files, provenance),
        INTERCEPTED: InterceptedResource(shim, names, pages, files, provenance),
    }
    documents = DocumentResource(shim)
    routes |= dict.fromkeys(("/pypi/{project}/json", "/pypi/{project}/{version}/json"), documents)
    # Where PyPI had it, and where Python's client sends it for an address without a path.
    routes |= dict.fromkeys(("/pypi", "/pypi/", "/RPC2"), XmlRpcResource())
    for root in ("/simple/", "/index/{index}/simple/"):
        routes |= _tree(root, names, ProjectResource(shim, root, pages))
    root = "/direct/simple/"
    return routes | _tree(root, names, ProjectResource(shim, root, pages, direct=True))


def _for_people(shim: Shim) -> dict[str, Any]:
    release = ReleaseResource(shim)
    return {
        "/": StartResource(shim),
        f"/{SCRIPT}": AssetResource("pages.js", "text/javascript"),
        f"/{ICON}": AssetResource("icon.svg", "image/svg+xml"),
        **_tree(PROJECTS, ListingResource(shim), BrowseResource(shim)),
        # Without the slash it redirects.
        f"{PROJECTS}{{project}}/{{version}}": release,
        f"{PROJECTS}{{project}}/{{version}}/": release,
    }


def _tree(root: str, names: object, project: object) -> dict[str, Any]:
    """Return a list of names and a page for each, and redirects from addresses without a slash."""
    slash = SlashResource(root)
    return {
        root[:-1]: slash,
        root: names,
        f"{root}{{project}}": slash,
        f"{root}{{project}}/": project,
    }


def _for_programs(shim: Shim, prover: Prover) -> dict[str, Any]:
    return {
        "/-/health": HealthResource(prover, shim.settings),
        "/-/origins": OriginsResource(shim),
        "/-/status": StatusResource(shim),
        "/-/why/{project}": WhyResource(shim),
        "/-/refresh/{project}": RefreshResource(shim),
        "/-/search": SearchResource(shim),
        "/-/metrics": MetricsResource(shim),
    }
