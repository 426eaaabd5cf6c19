"""The WSGI application: addresses to resources."""

import falcon
from falcon import media

from indexfallback.config.loopback import is_loopback
from indexfallback.errors import IndexFallbackError
from indexfallback.server.browse.resources import (
    BrowseResource,
    BrowseSlashResource,
    ListingResource,
    StartResource,
)
from indexfallback.server.credentials import Credentials, ReadGuard
from indexfallback.server.files import FileResource
from indexfallback.server.guards import (
    HostGuard,
    answer_error,
    answer_http_error,
    answer_records_fault,
)
from indexfallback.server.metrics import MetricsResource
from indexfallback.server.pages import NamesResource, ProjectResource, SlashResource
from indexfallback.server.proxied import Proxied
from indexfallback.server.repeat import Repeat
from indexfallback.server.state import HealthResource, StatusResource, WhyResource
from indexfallback.server.uploads import UploadResource, multipart_handler
from indexfallback.shim import Shim
from indexfallback.store import RecordsFault


def make_app(shim: Shim) -> Repeat | Proxied:
    """Return the WSGI application that serves a shim."""
    credentials = Credentials(shim.store.hosting)
    app = falcon.App(middleware=_guards(shim, credentials))
    app.req_options.media_handlers = media.Handlers({falcon.MEDIA_MULTIPART: multipart_handler()})
    app.set_error_serializer(answer_http_error)
    app.add_error_handler(IndexFallbackError, answer_error)
    app.add_error_handler(RecordsFault, answer_records_fault)
    projects, names, slash = ProjectResource(shim), NamesResource(shim), SlashResource()
    app.add_route("/", StartResource(shim))
    slash_browse = BrowseSlashResource()
    app.add_route("/projects", slash_browse)
    app.add_route("/projects/", ListingResource(shim))
    app.add_route("/projects/{project}", slash_browse)
    app.add_route("/projects/{project}/", BrowseResource(shim))
    app.add_route("/simple", slash)
    app.add_route("/simple/", names)
    app.add_route("/simple/{project}", slash)
    app.add_route("/simple/{project}/", projects)
    slash_direct = SlashResource(direct=True)
    app.add_route("/direct/simple", slash_direct)
    app.add_route("/direct/simple/", names)
    app.add_route("/direct/simple/{project}", slash_direct)
    app.add_route("/direct/simple/{project}/", ProjectResource(shim, direct=True))
    app.add_route("/index/{index}/simple", slash)
    app.add_route("/index/{index}/simple/", names)
    app.add_route("/index/{index}/simple/{project}", slash)
    app.add_route("/index/{index}/simple/{project}/", projects)
    app.add_route("/files/{owner}/{key}/{filename}", FileResource(shim))
    uploads = UploadResource(shim, credentials)
    for path in ("/upload", "/upload/{index}"):
        # A client does not follow a redirect with a file in its hands.
        app.add_route(path, uploads)
        app.add_route(f"{path}/", uploads)
    app.add_route("/-/health", HealthResource(shim))
    app.add_route("/-/status", StatusResource(shim))
    app.add_route("/-/why/{project}", WhyResource(shim))
    app.add_route("/-/metrics", MetricsResource(shim))
    settings = shim.settings
    repeat = Repeat(app, lambda: shim.network.changes)
    if settings.base_path or settings.trusted_proxies:
        return Proxied(repeat, settings)
    return repeat


def _guards(shim: Shim, credentials: Credentials) -> list[HostGuard | ReadGuard]:
    if is_loopback(shim.settings.host):
        return [HostGuard()]
    # By whichever name others reach it: a page in a browser has no token, whatever its host.
    return [ReadGuard(credentials)] if shim.settings.asks_for_tokens else []
