"""The checks of Host and Origin, and the answers for errors."""

import logging

import falcon
import msgspec

from indexfallback.config.loopback import is_loopback
from indexfallback.errors import IndexFallbackError, StoreError
from indexfallback.process.machine import fault_of
from indexfallback.server.browse.frame import HEADERS
from indexfallback.server.browse.project import problem_page
from indexfallback.store import RecordsFault
from indexfallback.upstream.route import shortage

log = logging.getLogger("indexfallback")

PROBLEM_JSON = "application/problem+json"


class HostGuard:
    """Refuses a Host that is not this machine's loopback.

    The name of a web page may resolve to 127.0.0.1, and the page could then read from this server
    (DNS rebinding, CVE-2025-66414); its requests still have its own name as Host.
    """

    def process_request(self, req: falcon.Request, resp: falcon.Response) -> None:  # noqa: ARG002
        """Answer 421 to a foreign Host."""
        host = req.get_header("Host") or ""
        name = host.rpartition(":")[0] if _has_port(host) else host
        if not is_loopback(name):
            raise falcon.HTTPError(
                falcon.HTTP_421,
                title="Misdirected request",
                description="This server answers on loopback only: use http://127.0.0.1",
            )


def _has_port(host: str) -> bool:
    return host.rpartition(":")[2].isdigit() and not host.endswith("]")


def refuse_foreign_origin(req: falcon.Request) -> None:
    """Refuse a change that a page of another site makes: browsers send its Origin."""
    origin = req.get_header("Origin")
    if origin is not None and origin != req.prefix:
        raise falcon.HTTPForbidden(
            title="Foreign origin",
            description=f"a page of {origin[:100]} must not change anything here",
        )


def answer_error(
    req: falcon.Request,
    resp: falcon.Response,
    error: IndexFallbackError,
    params: dict[str, object],  # noqa: ARG001 - Falcon's signature
) -> None:
    """Answer an error of this package."""
    _answer(req, resp, error.status, error.title, str(error))


def answer_records_fault(
    req: falcon.Request,
    resp: falcon.Response,
    error: RecordsFault,
    params: dict[str, object],  # noqa: ARG001 - Falcon's signature
) -> None:
    """Answer a failing disk: owners and pins cannot be read, so that nothing can be served."""
    # SQLite says only that it cannot open a file.
    remedy = fault_of(error) or shortage() or "look at the disk, then restart"
    fault = StoreError("the cache", f"cannot be read ({error})", remedy)
    log.error("%s", fault)
    _answer(req, resp, fault.status, fault.title, str(fault))


def answer_unexpected(
    req: falcon.Request,
    resp: falcon.Response,
    error: Exception,
    params: dict[str, object],  # noqa: ARG001 - Falcon's signature
) -> None:
    """Answer a fault of this machine, which may pass, or a defect of this program."""
    fault = fault_of(error)
    if fault is not None:
        log.error("%s %s: %s", req.method, req.path, fault)
        _answer(req, resp, 503, "This machine has run out of a resource", fault)
        return
    log.error("%s %s failed", req.method, req.path, exc_info=error)
    _answer(req, resp, 500, "Internal error", "See the log of indexfallback, and report it.")


def answer_http_error(req: falcon.Request, resp: falcon.Response, error: falcon.HTTPError) -> None:
    """Answer an error of the framework in the same form."""
    detail = error.description or f"{req.method} {req.path}"
    _answer(req, resp, error.status_code, error.title or str(error.status), detail)


def wants_page(req: falcon.Request) -> bool:
    """Tell whether a browser asks for a page for people: it names HTML first in Accept."""
    accept = req.get_header("Accept") or ""
    return req.path.startswith("/projects/") and accept.startswith("text/html")


def to_root(req: falcon.Request) -> str:
    """Return the relative link from the address of a request to ``/``."""
    return "../" * (req.path.count("/") - 1)


def _answer(
    req: falcon.Request, resp: falcon.Response, status: int, title: str, detail: str
) -> None:
    """Answer an error; never with HTML to a client, since buildout follows the links in it."""
    resp.status = falcon.code_to_http_status(status)
    if wants_page(req):
        resp.content_type = falcon.MEDIA_HTML
        resp.set_headers(HEADERS)
        resp.text = problem_page(title, detail, to_root(req))
        return
    resp.content_type = PROBLEM_JSON
    resp.set_header("Cache-Control", "no-store")
    resp.data = msgspec.json.encode(
        {"type": "about:blank", "title": title, "status": status, "detail": detail}
    )
