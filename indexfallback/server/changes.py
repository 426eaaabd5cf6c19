"""Changes of hosted indexes by request: yank, unyank, remove and promote a release.

All values are in the address, and no body is read.
"""

from typing import Literal

import falcon
from packaging.version import InvalidVersion, Version

from indexfallback.hosted.index import HostedIndex
from indexfallback.hosted.promotion import promote
from indexfallback.names import is_project_name, normalize
from indexfallback.page import File
from indexfallback.server.credentials import Credentials
from indexfallback.server.guards import refuse_foreign_origin
from indexfallback.server.hosted import hosted_index
from indexfallback.server.reports import send_report
from indexfallback.shim import Shim
from indexfallback.store.events import Actor
from indexfallback.store.tokens import Right

Withdrawal = Literal["yanked", "unyanked", "removed"]


class WithdrawResource:
    """``/-/yank/{index}/{project}/{version}`` (``?reason=TEXT``), and unyank and remove."""

    def __init__(self, shim: Shim, credentials: Credentials, action: Withdrawal) -> None:
        self._shim = shim
        self._credentials = credentials
        self._action = action

    def on_post(
        self, req: falcon.Request, resp: falcon.Response, index: str, project: str, version: str
    ) -> None:
        """Withdraw a release, or undo its yank, and answer with its files."""
        _check(req, resp)
        name, number = _release(project, version)
        right: Right = "remove" if self._action == "removed" else "yank"
        permit = self._credentials.require(req, index, right, name)
        hosted = hosted_index(self._shim, index)
        files = self._withdraw(hosted, name, number, req, permit.actor)
        if not files:
            raise falcon.HTTPNotFound(description=hosted.without(name, number))
        self._shim.fallback.forget(name)
        names = [file.filename for file in files]
        report = {"action": self._action, "index": index, "project": name}
        send_report(resp, {**report, "version": str(number), "files": names})

    def _withdraw(
        self, hosted: HostedIndex, project: str, version: Version, req: falcon.Request, actor: Actor
    ) -> list[File]:
        if self._action == "removed":
            return hosted.remove(project, version, actor)
        yanks = self._action == "yanked"
        reason = (req.get_param("reason") or "") if yanks else None
        return hosted.yank(project, version, reason, actor)


class PromoteResource:
    """``/-/promote/{project}/{version}?from=INDEX&to=INDEX``."""

    def __init__(self, shim: Shim, credentials: Credentials) -> None:
        self._shim = shim
        self._credentials = credentials

    def on_post(
        self, req: falcon.Request, resp: falcon.Response, project: str, version: str
    ) -> None:
        """Promote a release, and answer with its files."""
        _check(req, resp)
        name, number = _release(project, version)
        source, target = (req.get_param(key, required=True) for key in ("from", "to"))
        self._credentials.require(req, source, "read", name)
        permit = self._credentials.require(req, target, "upload", name)
        promoted = promote(
            hosted_index(self._shim, source), hosted_index(self._shim, target), name, number, permit
        )
        self._shim.fallback.forget(name)
        files = [file._asdict() for file in promoted]
        report = {"action": "promoted", "project": name, "version": str(number)}
        send_report(resp, {**report, "from": source, "to": target, "files": files})


def _check(req: falcon.Request, resp: falcon.Response) -> None:
    """Refuse a request of a foreign page, and one with a body, in which a value would be lost."""
    has_body = req.content_length or req.get_header("Transfer-Encoding")
    if has_body:
        resp.set_header("Connection", "close")  # it stays unread
    refuse_foreign_origin(req)
    if has_body:
        raise falcon.HTTPBadRequest(
            title="Unexpected body", description="give all values in the address, and send no body"
        )


def _release(project: str, version: str) -> tuple[str, Version]:
    """Return the normalised project and the version in an address."""
    try:
        if is_project_name(project):
            return normalize(project), Version(version)
    except InvalidVersion:
        pass  # said below
    raise falcon.HTTPNotFound(description=f"{project} {version} is not a project and a version")
