"""The interface of a shelf, which keeps the files of a hosted index.

`HostedIndex` decides what is published; a shelf keeps what it is given.
"""

from contextlib import AbstractContextManager
from typing import Protocol

from indexfallback.hosted.checks import Checked
from indexfallback.hosted.receiving import Incoming
from indexfallback.page import File


class Shelf(Protocol):
    """The files of one hosted index."""

    def problem(self) -> str:
        """Return why uploads must be refused whenever they come; empty if nothing tells so."""
        ...

    def receive(self) -> AbstractContextManager[Incoming]:
        """Yield a file to write to, which is removed at the end; raises `UploadFailedError`."""
        ...

    def placing(self, filename: str) -> AbstractContextManager[None]:
        """Keep other uploads out as far as the shelf can, while a file is compared and placed.

        Raises `UploadFailedError` in place of any OSError.
        """
        ...

    def place(self, incoming: Incoming, filename: str, checked: Checked) -> str | None:
        """Give a received file its name, and record its upload.

        Returns None, or the sha256 of another file that has the name; that one is not replaced.
        Called within `placing`.
        """
        ...

    def attest(self, project: str, filename: str, provenance: bytes) -> None:
        """Keep the provenance object of a placed file, in place of an earlier one.

        Called within `placing`.
        """
        ...

    def sha256_of(self, file: File) -> str:
        """Return the sha256 of the content of a listed file as it is now, within `placing`."""
        ...

    def yank(self, project: str, file: File, reason: str | None) -> None:
        """Yank a listed file, or, with the reason None, unyank it; raises `UploadError`."""
        ...

    def remove(self, project: str, file: File) -> None:
        """Delete a listed file, and its provenance; raises `UploadError`."""
        ...
