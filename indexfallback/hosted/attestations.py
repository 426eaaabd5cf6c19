"""Attestations that come with an upload, kept as the provenance object of the file.

They must be of the file; whether their signatures hold is left to those who install it.

Source: PEP 740, "Upload endpoint changes" and "Provenance objects".
"""

from collections.abc import Mapping

import msgspec

from indexfallback.errors import UploadRefusedError
from indexfallback.formats.provenance import ProvenanceError, checked
from indexfallback.hosted.checks import Identity, identity_of

#: The form's field, a list in JSON.
FIELD = "attestations"
#: Bytes of all attestations of one file; each of the two that build tools make has about 10 KB. It
#: is half of the largest provenance object that shims fetch.
MAX_BYTES = 1 << 19
#: The ending of the file with an attestation, which signers write beside a distribution.
ENDING = ".attestation"
#: PEP 740 names the trusted publisher here, whom an index knows by OpenID Connect. This index knows
#: a token or a local user, and does not claim what the certificates say.
_PUBLISHER = {"kind": "indexfallback", "claims": None}
_REMEDY = "Sign it again, or upload it without attestations"


def provenance_of(
    attestations: bytes, filename: str, identity: Identity, sha256: str
) -> bytes | None:
    """Return the provenance object for the ``attestations`` of a file; None if they are none.

    Raises:
        UploadRefusedError: they are not of the form of PEP 740, or of another file.

    """
    try:
        stated = msgspec.json.decode(attestations, type=list[msgspec.Raw])
    except (msgspec.DecodeError, RecursionError) as error:
        cause = f"its attestations are not a list in JSON ({error})"
        raise UploadRefusedError(filename, cause, _REMEDY) from error
    if not stated:
        return None
    bundle = {"publisher": _PUBLISHER, "attestations": stated}
    body = msgspec.json.encode({"version": 1, "attestation_bundles": [bundle]})
    try:
        found = checked(body, sha256)
    except ProvenanceError as error:
        cause = f"its attestations are not valid: {error}"
        raise UploadRefusedError(filename, cause, _REMEDY) from error
    for attestation in found:
        for name, _ in attestation.subjects:
            if name != filename and identity_of(name, identity.project) != identity:
                cause = f"one of its attestations is of {name}"
                raise UploadRefusedError(filename, cause, _REMEDY)
    return body


def joined(files: Mapping[str, bytes]) -> bytes:
    """Return the content of attestation files, by name, as one list in JSON.

    Raises:
        UploadRefusedError: one of them is not JSON.

    """
    stated = []
    for name, content in files.items():
        try:
            msgspec.json.decode(content)
        except (msgspec.DecodeError, RecursionError) as error:
            raise UploadRefusedError(name, f"it is not JSON ({error})", "Sign again") from error
        stated.append(msgspec.Raw(content))
    return msgspec.json.encode(stated)
