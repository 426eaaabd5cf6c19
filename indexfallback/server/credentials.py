"""Tokens of clients: the password of the user ``__token__`` (Basic authentication, RFC 7617).

They are those that were created for others, and the token of the user whose shim this is.
"""

import base64
import binascii
import hmac
import time

import falcon

from indexfallback.store.hosting import Hosting
from indexfallback.store.secret import Secret
from indexfallback.store.tokens import USER

_CHALLENGE = ('Basic realm="indexfallback", charset="UTF-8"',)
_HOW = f'log in as "{USER}", with a token of `indexfallback token create` as the password'
_HOW_HERE = (
    "run `indexfallback setup` for this client, which gives it your own token "
    "(`indexfallback token show`), or set private = false in [server]"
)


class Credentials:
    """Checks that a request has a token for what it asks."""

    def __init__(self, hosting: Hosting, own: Secret, *, private: bool = False) -> None:
        """Check by the tokens of ``hosting``, and ``own``; ``private`` as in the settings."""
        self._hosting = hosting
        self._own = own.token.encode()
        self._private = private

    def require(self, req: falcon.Request, index: str | None, *, upload: bool = False) -> None:
        """Return if the request may read, or upload to, an index; None is the whole chain.

        Raises falcon.HTTPUnauthorized without a valid token, and falcon.HTTPForbidden with a token
        for another index or for reading only.
        """
        secret = _secret(req.auth)
        if secret is not None and hmac.compare_digest(secret.encode(), self._own):
            if upload:
                raise _forbidden("your own token", "is for reading only")
            return
        token = self._hosting.tokens.find(secret) if secret is not None else None
        if token is None:
            what = "a token is needed" if req.auth is None else "this is not a token of this server"
            raise _unauthorized(f"{what}: {_HOW_HERE if self._private and not upload else _HOW}")
        if token.is_expired(time.time()):
            raise _unauthorized(f"token {token.id} has expired: {_HOW}")
        if not token.is_for(index):
            raise _forbidden(f"token {token.id}", f"is for {token.index_name} alone")
        if upload and not token.uploads:
            raise _forbidden(f"token {token.id}", "is for reading only")


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
    return falcon.HTTPForbidden(title="Token not good for this", description=f"{token} {why}")


class ReadGuard:
    """Demands a token for every read, where others than its user can reach the server."""

    def __init__(self, credentials: Credentials) -> None:
        self._credentials = credentials

    def process_resource(
        self,
        req: falcon.Request,
        resp: falcon.Response,  # noqa: ARG002 - Falcon's signature
        resource: object,  # noqa: ARG002
        params: dict[str, str],
    ) -> None:
        """Answer 401 or 403 to a request that may not read this; uploads check by themselves.

        ``/-/health`` needs no token: it tells nothing about packages.
        """
        if req.method in ("GET", "HEAD") and req.path != "/-/health":
            self._credentials.require(req, params.get("index") or params.get("owner"))
