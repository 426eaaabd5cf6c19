"""The answer to XML-RPC, by which ``pip search`` asks: a fault that names the page to search on.

PyPI has ended its search by XML-RPC, too. Source: the XML-RPC specification, "Fault example".
"""

import falcon

from indexfallback.server.proxied import public_root

#: "Requested method not found", in the "Specification for Fault Code Interoperability".
_CODE = -32601
_TYPES = ("text/xml", "application/xml")


class XmlRpcResource:
    """The address of an index's XML-RPC; another resource of the same address inherits it."""

    def on_post(self, req: falcon.Request, resp: falcon.Response, **_: str) -> None:
        """Answer any call with the fault, which clients print; the call itself is not read."""
        if (req.content_type or "").partition(";")[0].strip().lower() not in _TYPES:
            raise falcon.HTTPMethodNotAllowed(("GET", "HEAD"))
        resp.content_type = "text/xml"
        resp.text = _fault(f"{public_root(req)}projects/")


def _fault(projects: str) -> str:
    from xmlrpc.client import Fault, dumps  # noqa: PLC0415 - 30 ms, and few clients ask

    text = (
        "This index answers no XML-RPC, and `pip search` has no other way to ask. "
        f"Search at {projects} or with `indexfallback search TEXT`; "
        "`pip index versions PROJECT` works here."
    )
    return dumps(Fault(_CODE, text), methodresponse=True)
