"""What stands before every request: its Host is ours; and how errors are answered."""

import logging

import falcon
import msgspec

from indexfallback.config.loopback import is_loopback
from indexfallback.errors import IndexFallbackError, StoreError
from indexfallback.server.browse.frame import HEADERS
from indexfallback.server.browse.project import problem_page
from indexfallback.store import RecordsFault

log = logging.getLogger("indexfallback")

PROBLEM_JSON = "application/problem+json"


class HostGuard:
    """Refuses a Host that is not this machine's loopback.

    A page in a browser may have its own name resolve to 127.0.0.1 and then read what is here
    (DNS rebinding, CVE-2025-66414); its requests still carry its own name.
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


def answer_error(
    req: falcon.Request,
    resp: falcon.Response,
    error: IndexFallbackError,
    params: dict[str, object],  # noqa: ARG001 - Falcon's signature
) -> None:
    """Answer one of our errors."""
    _answer(req, resp, error.status, error.title, str(error))


def answer_records_fault(
    req: falcon.Request,
    resp: falcon.Response,
    error: RecordsFault,
    params: dict[str, object],  # noqa: ARG001 - Falcon's signature
) -> None:
    """Answer a failing disk: what is owned and pinned cannot be told, so nothing is served."""
    fault = StoreError("the cache", f"cannot be read ({error})", "look at the disk, then restart")
    log.error("%s", fault)
    _answer(req, resp, fault.status, fault.title, str(fault))


def answer_http_error(req: falcon.Request, resp: falcon.Response, error: falcon.HTTPError) -> None:
    """Answer one of the framework's errors in the same form."""
    detail = error.description or f"{req.method} {req.path}"
    _answer(req, resp, error.status_code, error.title or str(error.status), detail)


def wants_page(req: falcon.Request) -> bool:
    """Tell whether a person looks at a page for people: a browser names HTML first."""
    accept = req.get_header("Accept") or ""
    return req.path.startswith("/projects/") and accept.startswith("text/html")


def _answer(
    req: falcon.Request, resp: falcon.Response, status: int, title: str, detail: str
) -> None:
    """Answer an error: never with HTML to a client, since buildout follows links in it."""
    resp.status = falcon.code_to_http_status(status)
    if wants_page(req):
        resp.content_type = falcon.MEDIA_HTML
        resp.set_headers(HEADERS)
        resp.text = problem_page(title, detail, "../" * (req.path.count("/") - 1))
        return
    resp.content_type = PROBLEM_JSON
    resp.set_header("Cache-Control", "no-store")
    resp.data = msgspec.json.encode(
        {"type": "about:blank", "title": title, "status": status, "detail": detail}
    )
