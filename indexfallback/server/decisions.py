"""Notes what requests of clients got, in the log that people look at (`chain.decisions`).

A request begins with `asked`, and ends with `answered`, or with an error. What is not noted: HEAD,
parts of files and metadata, which clients ask for while they resolve, and what the response cache
repeats within a second.
"""

import time
from collections.abc import Callable

import falcon

from indexfallback.chain.activity import Activity, client_name
from indexfallback.chain.decisions import Asked
from indexfallback.errors import IndexFallbackError
from indexfallback.names import METADATA_ENDING

ErrorHandler = Callable[
    [falcon.Request, falcon.Response, IndexFallbackError, dict[str, object]], None
]


def asked(req: falcon.Request, project: str, filename: str = "") -> None:
    """Note what a request asks for, before any index is asked: a page, or a file."""
    earlier = _asked(req)
    began = earlier.began if earlier is not None else time.monotonic()
    req.context.asked = Asked(client_name(req.user_agent), project, filename, began)


def answered(req: falcon.Request, activity: Activity, owner: str, how: str) -> None:
    """Note the answer to a request."""
    asked = _asked(req)
    if asked is None or req.method != "GET" or asked.filename.endswith(METADATA_ENDING):
        return
    activity.decisions.add(asked, owner, how)
    activity.client(asked.client)


def noting_errors(activity: Activity, handler: ErrorHandler) -> ErrorHandler:
    """Return an error handler that first notes that a request of a client got an error."""

    def handle(
        req: falcon.Request,
        resp: falcon.Response,
        error: IndexFallbackError,
        params: dict[str, object],
    ) -> None:
        asked = _asked(req)
        if asked is not None and req.method == "GET":
            activity.refused(asked, error)
        handler(req, resp, error, params)

    return handle


def _asked(req: falcon.Request) -> Asked | None:
    return getattr(req.context, "asked", None)
