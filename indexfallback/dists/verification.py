"""Verifies the attestations of a distribution, with pypi-attestations (the extra ``provenance``).

Each signature must be that of the publisher that the provenance object names, be in Sigstore's
transparency log, and be of the file's own name and sha256. The trust root is the one that sigstore
has on this machine: the one in its package, or a newer one that the user's sigstore has fetched. No
host is asked.

Sources: PEP 740, "Attestation objects"; pypi-attestations, `Attestation.verify`.
"""

import importlib.metadata
import logging
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from indexfallback.formats.provenance import read

if TYPE_CHECKING:
    from pypi_attestations import Provenance

#: The extra that is missing, for messages.
EXTRA = "the extra provenance (pypi-attestations)"
#: The longest reason, characters.
_LONGEST = 500
#: It warns that the trust root is not fetched anew, which is what is wanted.
_LOGGER = "sigstore._internal.tuf"


class NotInstalledError(Exception):
    """The extra is not installed; no signature can be verified."""


class Verdict(NamedTuple):
    """The result of one attestation."""

    #: None if it cannot be tried.
    is_verified: bool | None
    #: Why not; empty if it is.
    reason: str = ""


def trust_root() -> str:
    """Return whose trust root is used, in words; raises `NotInstalledError`."""
    try:
        version = importlib.metadata.version("sigstore")
    except importlib.metadata.PackageNotFoundError as error:
        raise NotInstalledError(EXTRA) from error
    return f"the trust root of sigstore {version} on this machine"


def verify(body: bytes, filename: str, sha256: str) -> tuple[Verdict, ...]:
    """Return the verdict on each attestation of a provenance object, in its order.

    ``sha256`` is that of the bytes of the file. Raises `NotInstalledError`, and `ProvenanceError`
    if it is no provenance object.
    """
    count = len(read(body))
    try:
        from pydantic import ValidationError  # noqa: PLC0415 - of the extra
        from pypi_attestations import Distribution, Provenance  # noqa: PLC0415 - an extra, 0.4 s
    except ImportError as error:
        raise NotInstalledError(EXTRA) from error
    logging.getLogger(_LOGGER).setLevel(logging.ERROR)
    try:
        provenance = Provenance.model_validate_json(body)
        distribution = Distribution(name=filename, digest=sha256)
    except ValidationError as error:
        return (_unreadable(error.errors()[0]),) * count
    return tuple(_verdicts(provenance, distribution))


def _verdicts(provenance: "Provenance", distribution: Any) -> Iterator[Verdict]:
    for bundle in provenance.attestation_bundles:
        for attestation in bundle.attestations:
            try:
                attestation.verify(bundle.publisher, distribution, offline=True)
            except Exception as error:  # noqa: BLE001 - whatever a hostile object causes refutes it
                yield Verdict(is_verified=False, reason=_reason(error))
            else:
                yield Verdict(is_verified=True)


def _unreadable(error: Mapping[str, Any]) -> Verdict:
    """Return the verdict on each attestation of an object that pypi-attestations refuses."""
    if error["type"] == "union_tag_invalid":
        kind = error["ctx"]["tag"]
        reason = f"pypi-attestations does not know publishers of the kind {kind}"
        return Verdict(is_verified=None, reason=_shown(reason))
    reason = f"pypi-attestations cannot read it: {error['msg']}"
    return Verdict(is_verified=False, reason=_shown(reason))


def _reason(error: Exception) -> str:
    text = str(error).strip().partition("\n")[0] or type(error).__name__
    return _shown(text.removeprefix("Verification failed: "))


def _shown(text: str) -> str:
    """Return a text that may quote an untrusted object, made safe to print."""
    printable = "".join(c if c.isprintable() else "?" for c in text)
    return printable if len(printable) <= _LONGEST else f"{printable[:_LONGEST]}..."
