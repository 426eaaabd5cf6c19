"""Tokens: permission to change hosted indexes, and to read a shim that serves other machines.

Only the sha256 of a token is stored. A token is 32 random bytes and cannot be guessed, so a slow
hash, as for passwords, would add nothing and cost each request. That one is created or revoked is
recorded in the log of events, in the same transaction.
"""

import hashlib
import secrets
import time
from collections.abc import Collection, Sequence
from typing import Literal, NamedTuple, get_args

from indexfallback.names import is_normalized
from indexfallback.store.best_effort import best_effort
from indexfallback.store.database import Database
from indexfallback.store.events import Action, Actor, Event, add_event

#: The rights of a token. The right to upload does not include yanking, nor that to yank deleting:
#: with a leaked token of a build job, no release can be removed.
Right = Literal["read", "upload", "yank", "remove"]
RIGHTS: tuple[Right, ...] = get_args(Right)
_USUAL: tuple[Right, ...] = ("upload",)
#: The user name for a token as password, as on PyPI.
USER = "__token__"
#: Identifies a token for secret scanners; without it, one could begin with a dash like an option.
PREFIX = "ifb_"
_BYTES = 32
_ID_BYTES = 4
#: The time of use is written at most this often, seconds.
_USED_EVERY = 60.0


class Token(NamedTuple):
    """The record of a token; times are seconds since the epoch."""

    id: str
    #: The name that its creator has given it, for lists.
    name: str
    #: In the order of `RIGHTS`; every token may read.
    rights: tuple[str, ...]
    #: Names of its indexes; empty for all indexes, and for the whole chain.
    indexes: tuple[str, ...]
    #: Normalised names of its projects, and patterns such as ``acme-*``; empty for all projects.
    projects: tuple[str, ...]
    created: float
    expires: float | None
    #: None if never.
    used: float | None

    def is_expired(self, now: float) -> bool:
        """Tell whether the token has expired."""
        return self.expires is not None and now >= self.expires

    def is_for(self, index: str | None) -> bool:
        """Tell whether the token is valid for an index or, with None, for the whole chain."""
        return not self.indexes or index in self.indexes

    @property
    def purpose(self) -> str:
        """Its rights, indexes and projects, in words."""
        indexes = ", ".join(self.indexes) or "all indexes"
        projects = f"; projects {', '.join(self.projects)}" if self.projects else ""
        return f"{', '.join(self.rights)}: {indexes}{projects}"


_SELECT = "SELECT id, name, rights, indexes, projects, created, expires, used FROM token"


class Tokens:
    """All tokens."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(
        self,
        name: str,
        *,
        rights: Collection[Right] = _USUAL,
        indexes: Sequence[str] = (),
        projects: Sequence[str] = (),
        expires: float | None = None,
        actor: Actor,
    ) -> tuple[Token, str]:
        """Return a new token, and its secret, which is not stored; raises `StoreFault`."""
        secret = PREFIX + secrets.token_urlsafe(_BYTES)
        kept = tuple(right for right in RIGHTS if right == "read" or right in rights)
        made = Token(
            secrets.token_hex(_ID_BYTES),
            name,
            kept,
            tuple(indexes),
            tuple(projects),
            time.time(),
            expires,
            used=None,
        )
        lists = map(" ".join, (kept, indexes, projects))
        row = (made.id, name, _hash(secret), *lists, made.created, expires, None)
        with self._database.change() as changes:
            changes.connection.execute("INSERT INTO token VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
            add_event(changes, _event("token-created", made, actor))
        return made, secret

    def find(self, secret: str) -> Token | None:
        """Return a token, expired or not, and record its use; None if there is none.

        A wrong one costs at most a hash and a look-up, and writes nothing.
        """
        if not secret.startswith(PREFIX):
            return None
        row = self._database.row(f"{_SELECT} WHERE sha256 = ?", (_hash(secret),))
        if row is None:
            return None
        token = _token(row)
        now = time.time()
        if token.used is None or abs(now - token.used) > _USED_EVERY:
            with best_effort("record when a token was last used"):
                self._database.execute("UPDATE token SET used = ? WHERE id = ?", (now, token.id))
        return token

    def all(self) -> list[Token]:
        """Return all tokens, the oldest first."""
        rows = self._database.rows(f"{_SELECT} ORDER BY created")
        return [_token(row) for row in rows]

    def revoke(self, token: str, actor: Actor) -> Token | None:
        """Delete a token by its id or its secret; return it, or None if there was none.

        Raises `StoreFault`.
        """
        with self._database.change() as changes:
            known = (token, _hash(token))
            execute = changes.connection.execute
            row = execute(f"{_SELECT} WHERE id = ? OR sha256 = ?", known).fetchone()
            if row is None:
                return None
            revoked = _token(row)
            execute("DELETE FROM token WHERE id = ?", (revoked.id,))
            add_event(changes, _event("token-revoked", revoked, actor))
        return revoked


def _event(action: Action, token: Token, actor: Actor) -> Event:
    """Return the event of a token, with its index and its project if it is for one alone."""
    index = token.indexes[0] if len(token.indexes) == 1 else None
    project = token.projects[0] if len(token.projects) == 1 else ""
    project = project if is_normalized(project) else ""  # a pattern is no project
    detail = f"{token.name} for {token.purpose}"
    return Event(time.time(), action, project, token.id, index, actor, detail)


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).hexdigest()


def _token(row: tuple[str, str, str, str, str, float, float | None, float | None]) -> Token:
    rights, indexes, projects = (tuple(words.split()) for words in row[2:5])
    return Token(row[0], row[1], rights, indexes, projects, *row[5:])
