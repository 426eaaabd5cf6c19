"""Tokens of clients: the password of the user ``__token__`` (Basic authentication, RFC 7617).

They are those that were created for others, and the token of the user whose shim this is.
"""

import base64
import binascii
import hmac
import time
from collections.abc import Callable, Mapping

import falcon

from indexfallback.hosted.permit import Permit
from indexfallback.names import FileKey, is_project_name, normalize
from indexfallback.server.wrong_tokens import WrongTokens
from indexfallback.store.events import Actor
from indexfallback.store.hosting import Hosting
from indexfallback.store.secret import Secret
from indexfallback.store.tokens import USER, Right, Token

_CHALLENGE = ('Basic realm="indexfallback", charset="UTF-8"',)
_HOW = f'log in as "{USER}", with a token of `indexfallback token create` as the password'
_HOW_HERE = (
    "run `indexfallback setup` for this client, which gives it your own token "
    "(`indexfallback token show`), or set private = false in [server]"
)
_ANOTHER = "`indexfallback token create` makes others"
#: Key of the environment: the permit of a reader whose token is for single projects.
_PERMIT = "indexfallback.permit"


class Credentials:
    """Checks that a request has a token for what it asks."""

    def __init__(
        self,
        hosting: Hosting,
        own: Secret,
        *,
        private: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Check by the tokens of ``hosting``, and ``own``; ``private`` as in the settings.

        Wrong ones are counted by the monotonic ``clock``.
        """
        self._hosting = hosting
        self._own = own.token.encode()
        self._private = private
        self._wrong = WrongTokens(clock)

    def require(
        self, req: falcon.Request, index: str | None, right: Right = "read", project: str = ""
    ) -> Permit:
        """Return the permit of a request for an index; None is the whole chain.

        ``project`` is the normalised one that the request is for, if its address says so.

        Raises falcon.HTTPUnauthorized without a valid token, falcon.HTTPTooManyRequests after many
        wrong ones, and falcon.HTTPForbidden with a token for other indexes, projects or rights.
        """
        secret = _secret(req.auth)
        if secret is not None and hmac.compare_digest(secret.encode(), self._own):
            if right != "read":
                raise _forbidden("your own token", "is for reading only")
            return Permit(Actor("own token", None, req.remote_addr or ""))
        token = self._token(req, secret, right)
        named = f"token {token.id}"
        if not token.is_for(index):
            raise _forbidden(named, f"is for {' and '.join(token.indexes)} alone")
        if right not in token.rights:
            allowed = ", ".join(each for each in token.rights if each != "read")
            raise _forbidden(
                named,
                f"is for reading and {allowed}, and not for {right}"
                if allowed
                else "is for reading only",
            )
        permit = Permit(Actor(token.name, token.id, req.remote_addr or ""), token.projects)
        if project and not permit.covers(project):
            raise _forbidden(named, f"is for {', '.join(token.projects)} alone")
        return permit

    def _token(self, req: falcon.Request, secret: str | None, right: Right) -> Token:
        token = self._hosting.tokens.find(secret) if secret is not None else None
        if token is not None and not token.is_expired(time.time()):
            return token
        how = _HOW_HERE if self._private and right == "read" else _HOW
        if token is not None:
            raise _unauthorized(f"token {token.id} has expired: {_HOW}")
        if req.auth is None:
            raise _unauthorized(f"a token is needed: {how}")
        what = "this is not a token of this server"
        seconds = self._wrong.tried(req.remote_addr or "")
        if seconds:
            raise falcon.HTTPTooManyRequests(
                title="Too many wrong tokens", description=f"{what}: {how}", retry_after=seconds
            )
        raise _unauthorized(f"{what}: {how}")


def _secret(header: str | None) -> str | None:
    """Return the token of an Authorization header, or None if it has none."""
    scheme, _, value = (header or "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        user, _, password = base64.b64decode(value.strip(), validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        return None
    return password if user == USER else None


def _unauthorized(why: str) -> falcon.HTTPUnauthorized:
    return falcon.HTTPUnauthorized(title="Token needed", description=why, challenges=_CHALLENGE)


def _forbidden(token: str, why: str) -> falcon.HTTPForbidden:
    return falcon.HTTPForbidden(
        title="Token not good for this", description=f"{token} {why}: {_ANOTHER}"
    )


class ReadGuard:
    """Demands a token for every read, where others than its user can reach the server.

    A token for single projects reads what the address limits to one of them, and the resources
    with ``is_for_any_token``, which show nothing of other projects (`scope`).
    """

    def __init__(self, credentials: Credentials) -> None:
        self._credentials = credentials

    def process_resource(
        self,
        req: falcon.Request,
        resp: falcon.Response,  # noqa: ARG002 - Falcon's signature
        resource: object,
        params: dict[str, str],
    ) -> None:
        """Answer 401 or 403 to a request that may not read this; changes check by themselves.

        ``/-/health`` needs no token: it tells nothing about packages.
        """
        if req.method not in ("GET", "HEAD") or req.path == "/-/health":
            return
        index, project = params.get("index") or params.get("owner"), _project(params)
        permit = self._credentials.require(req, index, project=project)
        if permit.projects:
            req.env[_PERMIT] = permit
            if not project and not getattr(resource, "is_for_any_token", False):
                raise _forbidden(
                    f"token {permit.actor.token}",
                    f"is for {', '.join(permit.projects)} alone, and {req.path} tells of others",
                )


def scope(req: falcon.Request) -> tuple[str, ...]:
    """Return the patterns of the projects that a reader may see; empty if they may see all."""
    permit: Permit | None = req.env.get(_PERMIT)
    return permit.projects if permit is not None else ()


def covered(req: falcon.Request) -> Callable[[str], bool] | None:
    """Return what tells whether a reader may see a normalised project; None if they may see all."""
    permit: Permit | None = req.env.get(_PERMIT)
    return permit.covers if permit is not None else None


def _project(params: Mapping[str, str]) -> str:
    """Return the normalised project of an address; empty if it is for none."""
    if "key" in params:
        key = FileKey.parse(params["key"])
        return key.project if key is not None else ""
    name = params.get("project", "")
    return normalize(name) if is_project_name(name) else ""
