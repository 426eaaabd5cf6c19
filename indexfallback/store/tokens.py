"""Tokens: who may upload, and who may read where not only this machine can.

Kept as their sha256. A token is 32 random bytes, which nobody guesses however fast the hash is;
a slow one is for passwords, and would cost every request.
"""

import hashlib
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from indexfallback.store.database import Database
from indexfallback.store.keeping import keeping

#: The user whose password a token is, as PyPI has it.
USER = "__token__"
#: Lets scanners for secrets know it, and keeps it from beginning with a dash, like an option.
PREFIX = "ifb_"
_BYTES = 32
_ID_BYTES = 4
#: When a token was last used is written down at most this often, seconds.
_USED_EVERY = 60.0


class Token(NamedTuple):
    """What is known of a token; times are seconds since the epoch."""

    id: str
    #: Name of the one index that it is for; None for all.
    index_name: str | None
    #: Whether it may upload, besides reading.
    uploads: bool
    created: float
    expires: float | None
    #: None if never.
    used: float | None

    def is_expired(self, now: float) -> bool:
        """Tell whether its time is over."""
        return self.expires is not None and now >= self.expires

    def is_for(self, index: str | None) -> bool:
        """Tell whether it is good for an index, or, with None, for the whole chain."""
        return self.index_name in (None, index)


_SELECT = "SELECT id, index_name, uploads, created, expires, used FROM token"


class Tokens:
    """All tokens."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(
        self, *, index: str | None = None, uploads: bool = True, expires: float | None = None
    ) -> str:
        """Return a new token, which cannot be had again; raises sqlite3.Error."""
        secret = PREFIX + secrets.token_urlsafe(_BYTES)
        row = (
            secrets.token_hex(_ID_BYTES), _hash(secret), index, uploads, time.time(), expires, None
        )  # fmt: skip
        with self._database.write() as connection:
            connection.execute("INSERT INTO token VALUES (?, ?, ?, ?, ?, ?, ?)", row)
        return secret

    @contextmanager
    def lent(self, seconds: float) -> Iterator[str]:
        """Give a token for reading that is worthless after the block; raises sqlite3.Error."""
        secret = self.create(uploads=False, expires=time.time() + seconds)
        try:
            yield secret
        finally:
            with self._database.write() as connection:
                connection.execute("DELETE FROM token WHERE sha256 = ?", (_hash(secret),))

    def find(self, secret: str) -> Token | None:
        """Return what is known of a token, expired or not, and note its use; None if nothing."""
        digest = _hash(secret)
        with self._database.read() as connection:
            row = connection.execute(
                f"{_SELECT} WHERE sha256 = ?",
                (digest,),
            ).fetchone()
        if row is None:
            return None
        token = _token(row)
        now = time.time()
        if token.used is None or abs(now - token.used) > _USED_EVERY:
            with keeping("when a token was last used"), self._database.write() as connection:
                connection.execute("UPDATE token SET used = ? WHERE id = ?", (now, token.id))
        return token

    def all(self) -> list[Token]:
        """Return all tokens, the oldest first."""
        with self._database.read() as connection:
            rows = connection.execute(f"{_SELECT} ORDER BY created").fetchall()
        return [_token(row) for row in rows]

    def revoke(self, token_id: str) -> bool:
        """Forget a token; tell whether there was one."""
        with self._database.write() as connection:
            done = connection.execute("DELETE FROM token WHERE id = ?", (token_id,))
            return done.rowcount > 0


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).hexdigest()


def _token(row: tuple[str, str | None, int, float, float | None, float | None]) -> Token:
    return Token(row[0], row[1], bool(row[2]), *row[3:])
