"""The interface of a bucket that several shims share; `store.shared` implements it.

Without ``cache.shared`` no bucket is used, and `store.shared` is not imported.
"""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, Protocol

from indexfallback.store.acceptances import Acceptance
from indexfallback.store.blobs import FileSharing
from indexfallback.store.first_seen import SeenSharing
from indexfallback.store.ledger import OwnerSharing
from indexfallback.store.page_rows import PageFacts
from indexfallback.store.pages import PageSharing
from indexfallback.store.pins import PinSharing


class SharedFile(NamedTuple):
    """A file of the bucket whose bytes are being received."""

    #: Length of the whole file, bytes.
    total: int
    #: The bytes from where they were asked for; raises OSError.
    pieces: Iterator[bytes]


class Shared(FileSharing, PinSharing, PageSharing, OwnerSharing, SeenSharing, Protocol):
    """A bucket. Each method also works while it is down, and waits at most for the time-out."""

    @property
    def is_strict(self) -> bool:
        """Whether a file is served only once its pin is in the bucket (``strict_pins``)."""

    def open(self, sha256: str, start: int) -> SharedFile | None:
        """Return a file from ``start`` on, or None if the bucket does not have it now."""

    def has(self, sha256: str) -> bool:
        """Tell whether the bucket has a file now."""

    def received(self, sha256: str, *, is_right: bool) -> None:
        """Note a file that came whole from the bucket; a wrong one is replaced."""

    def waits(self, project: str, filename: str) -> bool:
        """Tell whether a pin of this file name is not in the bucket yet."""

    def page(self, source: str, project: str, known: PageFacts | None) -> PageFacts | None:
        """Store the bucket's page if it is later than the ``known`` one, and return its facts."""

    def learn(self) -> None:
        """Learn which names others have disowned and listed, and which releases are accepted.

        That is done once a minute where a shim runs. If the bucket is silent, nothing is learnt.
        """

    def accept(self, release: Acceptance) -> tuple[Acceptance, str]:
        """Accept a release on all shims; return its record, the earlier one if there is one.

        With it comes why the bucket does not have it yet; empty if it has.
        """

    def withdraw(self, project: str, version: str) -> bool:
        """Withdraw an accepted release on all shims; return whether it was accepted.

        Raises `BucketUnavailableError` if the bucket would bring it back.
        """

    def releases(self, project: str | None) -> tuple[list[tuple[Acceptance, bool]], str]:
        """Return the accepted releases of one project or of all, and whether the bucket has each.

        With them comes why the bucket cannot be asked now; then they are those of before.
        """

    def status(self) -> dict[str, Any]:
        """Return state and figures, as JSON."""

    def of_project(
        self, project: str, sources: Sequence[str], sha256s: Sequence[str]
    ) -> dict[str, Any]:
        """Return what came from the bucket of a project, its pages and files, as JSON."""

    def close(self) -> None:
        """Write what can be written in a moment, and end."""
