"""What the shim says of itself: health, status, why, and the start page."""

import os
import time
from html import escape
from typing import Any

import falcon
import msgspec

from indexfallback import __version__
from indexfallback.names import is_project_name, normalize
from indexfallback.shim import Shim
from indexfallback.why import status, why


def _send(resp: falcon.Response, report: Any) -> None:
    resp.content_type = falcon.MEDIA_JSON
    resp.set_header("Cache-Control", "no-store")
    resp.data = msgspec.json.encode(report)


class HealthResource:
    """``/-/health``: that it is up, and which configuration it runs with."""

    def __init__(self, shim: Shim) -> None:
        self._fingerprint = shim.settings.fingerprint
        self._started = time.time()

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:  # noqa: ARG002
        """Answer at once, touching nothing."""
        _send(
            resp,
            {
                "status": "ok",
                "name": "indexfallback",
                "version": __version__,
                "pid": os.getpid(),
                "started": self._started,
                "configuration": self._fingerprint,
            },
        )

    on_head = on_get


class StatusResource:
    """``/-/status``: the indexes, the store and what was done (``?since=SECONDS``)."""

    def __init__(self, shim: Shim) -> None:
        self._shim = shim

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Answer with the state of everything."""
        _send(resp, status(self._shim, req.get_param_as_float("since", default=0.0)))

    on_head = on_get


class WhyResource:
    """``/-/why/{project}``: what each index says of a project."""

    def __init__(self, shim: Shim) -> None:
        self._shim = shim

    def on_get(self, req: falcon.Request, resp: falcon.Response, project: str) -> None:
        """Ask the chain and answer with what came of it."""
        if not is_project_name(project):
            raise falcon.HTTPNotFound(description=f"{req.path}: no project has such a name")
        _send(resp, why(self._shim, normalize(project)))

    on_head = on_get


class StartResource:
    """``/``: what this is, and how to use it."""

    def __init__(self, shim: Shim) -> None:
        self._shim = shim

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Answer with a plain page."""
        address = f"{req.prefix}/simple/"
        rows = "".join(
            f"<li>{escape(index.name)} ({escape(index.role)}): {escape(index.url)}</li>"
            for index in self._shim.settings.indexes
        )
        resp.content_type = "text/html; charset=utf-8"
        resp.set_header("Cache-Control", "no-store")
        resp.set_header("Content-Security-Policy", "default-src 'none'")
        resp.text = (
            "<!DOCTYPE html><html><head><title>indexfallback</title></head><body>"
            f"<h1>indexfallback {__version__}</h1>"
            "<p>One local package index in front of these, asked in this order:</p>"
            f"<ol>{rows}</ol>"
            f"<p>Point pip at it: <code>pip install --index-url {escape(address)} PROJECT</code>, "
            f"uv: <code>UV_DEFAULT_INDEX={escape(address)}</code>, "
            "or put <code>indexfallback run --</code> before any command.</p>"
            '<p>State: <a href="/-/status">/-/status</a>. '
            "One project: <code>/-/why/PROJECT</code>.</p></body></html>"
        )

    on_head = on_get
