"""A file on its way into a hosted index: received and checked, then published."""

from typing import NamedTuple

from indexfallback.hosted.checks import Checked, Identity
from indexfallback.hosted.receiving import Incoming


class Published(NamedTuple):
    """A published file."""

    filename: str
    identity: Identity
    sha256: str
    #: Whether it was published before with the same content.
    was_there: bool
    #: What its publisher should mend, though it can be installed.
    warnings: tuple[str, ...] = ()
    #: Whether attestations came with it.
    is_attested: bool = False


class Received(NamedTuple):
    """A received file that has passed the checks."""

    incoming: Incoming
    filename: str
    checked: Checked
    #: The provenance object that comes with it (PEP 740), if one does.
    provenance: bytes | None = None

    @property
    def sha256(self) -> str:
        """The sha256 of its content."""
        return self.incoming.digests["sha256"]
