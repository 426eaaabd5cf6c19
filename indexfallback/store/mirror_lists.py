"""The lists of names that mirror runs have processed, and the projects that they left over.

A list that is the same as at the last run needs no comparison with the records of 800,000 projects.
It is kept as it was sent: as a file, since a row of 40 MB would hold up all other writers.
"""

import contextlib
import hashlib
import os
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from indexfallback.names import is_normalized, is_sha256
from indexfallback.store.database import Database
from indexfallback.store.forms import is_count, is_text

_DIRECTORY = "mirror-lists"


class MirrorList(NamedTuple):
    """The list of names that the last complete run has processed."""

    #: Digest of the settings of that run.
    settings: str
    etag: str | None
    last_modified: str | None
    #: The sha256 of the list.
    digest: str
    #: The number of its projects that were selected.
    selected: int


class MirrorLists:
    """The lists of all mirrored indexes, under the address of the index."""

    def __init__(self, directory: Path, database: Database) -> None:
        self._directory = directory / _DIRECTORY
        self._database = database

    def get(self, source: str) -> MirrorList | None:
        """Return what is known of the list of an index; None for a damaged record."""
        row = self._database.row(
            "SELECT settings, etag, modified, digest, selected FROM mirror_list WHERE source = ?",
            (source,),
        )
        if row is None:
            return None
        found = MirrorList(*row)
        texts = (found.settings, found.digest, found.etag or "", found.last_modified or "")
        is_sound = is_text(*texts) and is_sha256(found.digest) and is_count(found.selected)
        return found if is_sound else None

    def body(self, source: str, known: MirrorList) -> bytes | None:
        """Return the list itself, or None if its file is not there or has changed."""
        try:
            body = self._path(source).read_bytes()
        except OSError:
            return None
        return body if digest_of(body) == known.digest else None

    def put(self, source: str, known: MirrorList, body: bytes | None) -> None:
        """Record a list; without ``body`` the stored one is unchanged. Raises as `Database.write`.

        The file needs no sync to the disk: if a crash damages it, its digest tells.
        """
        if body is not None:
            path = self._path(source)
            partial = path.with_suffix(".part")
            self._directory.mkdir(mode=0o700, exist_ok=True)
            partial.write_bytes(body)
            os.replace(partial, path)  # noqa: PTH105 - the module's other files are paths as well
        self._database.execute(
            "INSERT OR REPLACE INTO mirror_list VALUES (?, ?, ?, ?, ?, ?)", (source, *known)
        )

    def forget(self, source: str) -> None:
        """Forget a list: the next run compares all names with the records."""
        self._database.execute("DELETE FROM mirror_list WHERE source = ?", (source,))
        with contextlib.suppress(OSError):  # it is not there, or is overwritten later
            self._path(source).unlink()

    def again(self, source: str) -> set[str]:
        """Return the projects that the next run has to look at, whatever the list says."""
        query = "SELECT project FROM mirror_again WHERE source = ?"
        rows = self._database.rows(query, (source,))
        return {name for (name,) in rows if is_text(name) and is_normalized(name)}

    def put_again(self, source: str, projects: Iterable[str], done: Iterable[str]) -> None:
        """Record projects that were left over, and remove those that are ``done``."""
        with self._database.write() as connection:
            connection.executemany(
                "DELETE FROM mirror_again WHERE source = ? AND project = ?",
                ((source, project) for project in done),
            )
            connection.executemany(
                "INSERT OR IGNORE INTO mirror_again VALUES (?, ?)",
                ((source, project) for project in projects),
            )

    def _path(self, source: str) -> Path:
        return self._directory / hashlib.sha256(source.encode()).hexdigest()


def digest_of(body: bytes) -> str:
    """Return the digest of a list."""
    return hashlib.sha256(body).hexdigest()
