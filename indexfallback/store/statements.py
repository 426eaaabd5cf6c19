"""Runs statements: queries of text that may be damaged, of records held twice, and transactions."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, NamedTuple

from indexfallback.store.damage import DisagreementError

#: Rows of a long table read at once: a million need no more memory than a thousand.
AT_ONCE = 1000


class Ordered(NamedTuple):
    """A query of a whole table in the order of a key, which is read in pieces."""

    #: Ends with ``WHERE (KEY) > (?, ...) ORDER BY KEY LIMIT ?``.
    sql: str
    #: The places of the key's columns, all of them texts, in a row.
    key: tuple[int, ...]


def fetched(sql: str, parameters: Sequence[object], connection: sqlite3.Connection) -> list[Any]:
    """Return all rows of a query; text that is not UTF-8 has replacement characters."""
    try:
        return connection.execute(sql, parameters).fetchall()
    except sqlite3.OperationalError as error:
        if not str(error).startswith("Could not decode"):
            raise
    connection.text_factory = partial(str, encoding="utf-8", errors="replace")
    try:
        return connection.execute(sql, parameters).fetchall()
    finally:
        connection.text_factory = str


def agreed(
    sql: str, indexes: tuple[str, str], parameters: Sequence[object], connection: sqlite3.Connection
) -> list[Any]:
    """Return the rows that both indexes give; raises `DisagreementError` and sqlite3.Error."""
    connection.execute("BEGIN")  # nothing is written between the two queries
    try:
        first, second = (
            fetched(sql.format(index=f"INDEXED BY {index}"), parameters, connection)
            for index in indexes
        )
    finally:
        if connection.in_transaction:
            connection.execute("COMMIT")
    if first != second and sorted(map(repr, first)) != sorted(map(repr, second)):
        raise DisagreementError(f"the indexes {' and '.join(indexes)} disagree")
    return first


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Commit after the block, or roll back if it raises."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
