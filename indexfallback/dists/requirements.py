"""The requirements that a distribution states in its metadata."""

from collections.abc import Iterator
from email.parser import BytesHeaderParser

from packaging.requirements import InvalidRequirement, Requirement


def requires_dist(metadata: bytes) -> Iterator[Requirement]:
    """Yield the requirements in metadata, without invalid ones, which installers refuse."""
    for stated in BytesHeaderParser().parsebytes(metadata).get_all("Requires-Dist", []):
        try:
            yield Requirement(str(stated))
        except InvalidRequirement:  # from before PEP 508
            continue
