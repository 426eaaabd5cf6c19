"""Records of hosted files: upload time, Requires-Python, and whether they are yanked.

They are in a database, so the directory of a hosted index holds only distributions.
"""

from typing import NamedTuple

from indexfallback.store.database import Database
from indexfallback.store.safety_records import PUT_FILE, REMOVE_FILE


class HostedFile(NamedTuple):
    """One uploaded file."""

    filename: str
    #: Of the uploaded bytes: the record does not apply to another file of the same name.
    sha256: str
    #: Seconds since the epoch.
    uploaded: float
    requires_python: str | None = None
    #: Reason of the yank (PEP 592), may be empty; None if the file is not yanked.
    yanked: str | None = None


class HostedFiles:
    """The records of hosted files, under the address of the index."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of_project(self, source: str, project: str) -> dict[str, HostedFile]:
        """Return the records of a project by file name."""
        rows = self._database.rows(
            "SELECT filename, sha256, uploaded, requires_python, yanked FROM hosted_file"
            " WHERE source = ? AND project = ?",
            (source, project),
        )
        return {row[0]: HostedFile(*row) for row in rows}

    def put(self, source: str, project: str, file: HostedFile) -> None:
        """Store the record of a file, in place of one of the same name; raises sqlite3.Error."""
        with self._database.change() as changes:
            changes.make(PUT_FILE, [(source, file.filename, project, *file[1:])])

    def remove(self, source: str, filename: str) -> None:
        """Remove the record of a file; raises sqlite3.Error."""
        with self._database.change() as changes:
            changes.make(REMOVE_FILE, [(source, filename)])
