"""What is known of hosted files besides their bytes: when they came, and whether they are yanked.

Kept here, so that nothing but distributions lies in the index's directory.
"""

from typing import NamedTuple

from indexfallback.store.database import Database


class HostedFile(NamedTuple):
    """One uploaded file."""

    filename: str
    #: Of the bytes that all this is about: another file under the name knows nothing of it.
    sha256: str
    #: Seconds since the epoch.
    uploaded: float
    requires_python: str | None = None
    #: Why it is yanked (PEP 592), perhaps empty; None if it is not.
    yanked: str | None = None


class HostedFiles:
    """The records of hosted files, under the index's address."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of_project(self, source: str, project: str) -> dict[str, HostedFile]:
        """Return the records of a project's files, by their names."""
        with self._database.read() as connection:
            rows = connection.execute(
                "SELECT filename, sha256, uploaded, requires_python, yanked FROM hosted_file"
                " WHERE source = ? AND project = ?",
                (source, project),
            ).fetchall()
        return {row[0]: HostedFile(*row) for row in rows}

    def put(self, source: str, project: str, file: HostedFile) -> None:
        """Remember a file, in place of what was known under its name; raises sqlite3.Error."""
        with self._database.write() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO hosted_file VALUES (?, ?, ?, ?, ?, ?, ?)",
                (source, file.filename, project, *file[1:]),
            )

    def remove(self, source: str, filename: str) -> None:
        """Forget a file; raises sqlite3.Error."""
        with self._database.write() as connection:
            connection.execute(
                "DELETE FROM hosted_file WHERE source = ? AND filename = ?", (source, filename)
            )
