"""The state of the shim, for programs: health, status, why and refresh."""

import time

import falcon

from indexfallback import __version__
from indexfallback.config import Settings
from indexfallback.config.hosts import stated_origins
from indexfallback.config.pip import default_url
from indexfallback.names import is_project_name, normalize
from indexfallback.origin import origin_of
from indexfallback.report.refresh import refresh
from indexfallback.report.status import status
from indexfallback.report.why import namesakes, why
from indexfallback.server.proof import Prover
from indexfallback.server.reports import send_report
from indexfallback.shim import Shim

#: The look-ups of a command that has ended are waited for so long, seconds: what comes later is
#: told after the next one.
_NOTICE_SECONDS = 0.5


class HealthResource:
    """``/-/health``: whether the server is up, and, on a challenge, that it is this user's."""

    def __init__(self, prover: Prover, settings: Settings) -> None:
        self._prover = prover
        self._for_one_command = settings.for_one_command
        self._started = time.time()

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Answer at once, without the store or an index."""
        send_report(
            resp,
            {
                "status": "ok",
                "name": "indexfallback",
                "version": __version__,
                "started": self._started,
                "for_one_command": self._for_one_command,
                **self._prover.health(req.get_param("challenge")),
            },
        )

    on_head = on_get


class OriginsResource:
    """``/-/origins``: where the chain's indexes and their files are, for a proxy that intercepts.

    An origin is scheme, host and port, as in `origin.origin_of`.
    """

    def __init__(self, shim: Shim) -> None:
        self._shim = shim

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:  # noqa: ARG002
        """Answer with the origins of the settings, PyPI's, then those of links on stored pages.

        Clients ask PyPI by default, so that its address belongs to any chain.
        """
        stated = [*stated_origins(self._shim.settings.indexes), origin_of(default_url())]
        origins = dict.fromkeys([*filter(None, stated), *self._shim.store.pages.origins.all()])
        send_report(resp, {"origins": list(origins)})

    on_head = on_get


class StatusResource:
    """``/-/status``: indexes, store and activity (``?since=SECONDS`` since the epoch).

    With ``namesakes=true`` also the report of `why.namesakes`, and with ``notices=true`` the
    downloaded releases with known vulnerabilities.
    """

    def __init__(self, shim: Shim) -> None:
        self._shim = shim

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Answer with the report of `status.status`."""
        since = req.get_param_as_float("since", default=0.0)
        report = status(self._shim, since)
        if req.get_param_as_bool("namesakes"):
            report["namesakes"] = namesakes(self._shim, since)
        if req.get_param_as_bool("notices"):
            report["notices"] = self._shim.notices.since(since, _NOTICE_SECONDS)
        send_report(resp, report)

    on_head = on_get


class RefreshResource:
    """``/-/refresh/{project}``: asks the indexes for a project, whatever is fresh."""

    def __init__(self, shim: Shim) -> None:
        self._shim = shim

    def on_get(self, req: falcon.Request, resp: falcon.Response, project: str) -> None:
        """Ask the chain and answer with the report of `refresh.refresh`."""
        if not is_project_name(project):
            raise falcon.HTTPNotFound(description=f"{req.path}: this is not a project name")
        send_report(resp, refresh(self._shim, normalize(project)))

    on_head = on_get


class WhyResource:
    """``/-/why/{project}``: what each index answers for a project."""

    def __init__(self, shim: Shim) -> None:
        self._shim = shim

    def on_get(self, req: falcon.Request, resp: falcon.Response, project: str) -> None:
        """Ask the chain and answer with the report of `why.why`."""
        if not is_project_name(project):
            raise falcon.HTTPNotFound(description=f"{req.path}: this is not a project name")
        send_report(resp, why(self._shim, normalize(project)))

    on_head = on_get
