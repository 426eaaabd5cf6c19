"""How statements are run: queries of damaged text, of records held twice, and transactions."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

from indexfallback.store.damage import DisagreementError


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
