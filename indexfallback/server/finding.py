"""The resource ``/-/search``: what a search finds, as JSON."""

import falcon

from indexfallback.search.finding import report
from indexfallback.search.query import MOST_RESULTS, USUAL_RESULTS, Query, query_of
from indexfallback.server.credentials import scope
from indexfallback.server.reports import send_report
from indexfallback.shim import Shim

#: Longest wait for metadata that has just come, seconds: what is not read by then is found later.
PATIENCE = 0.3


class SearchResource:
    """``/-/search?q=TEXT&classifier=BEGINNING&limit=NUMBER``."""

    is_for_any_token = True

    def __init__(self, shim: Shim) -> None:
        self._shim = shim

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Answer with the projects that are found, the best first."""
        query = query_in(req)
        limit = req.get_param_as_int(
            "limit", min_value=1, max_value=MOST_RESULTS, default=USUAL_RESULTS
        )
        found = self._shim.search.find(query, 0, limit, patience=PATIENCE, scope=scope(req))
        send_report(resp, report(query, found))

    on_head = on_get


def query_in(req: falcon.Request) -> Query:
    """Return the query of a request."""
    text = req.get_param("q", default="")
    return query_of(text, req.get_param("classifier", default=""))
