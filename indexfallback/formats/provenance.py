"""Reads provenance objects: who has published a distribution, and what was attested of it.

Everything here is what the object says. Whether the signatures hold is another question
(`dists.verification`).

Sources: PEP 740, "Provenance objects" and "Attestation objects"; in-toto's statement layer, v1.
"""

import binascii
from collections.abc import Callable, Iterator
from typing import Annotated, Any, Literal, NamedTuple, TypeVar

import msgspec

from indexfallback.names import is_sha256

#: The media type of a provenance object (PyPI's documentation, "Integrity API").
MEDIA_TYPE = "application/vnd.pypi.integrity.v1+json"
#: The longest name of a repository, a workflow or a type that is shown to users.
_LONGEST = 300

_Read = TypeVar("_Read")
_Text = Annotated[str, msgspec.Meta(min_length=1)]


class ProvenanceError(ValueError):
    """It is no provenance object, or that of another file; the text says why."""


class Publisher(msgspec.Struct, frozen=True, kw_only=True):
    """Who has published a file; what a kind of publisher does not have is None."""

    #: ``GitHub``, ``GitLab``, ``Google`` and others.
    kind: str
    repository: str | None = None
    #: The file name of the workflow, of GitLab its path.
    workflow: str | None = None
    environment: str | None = None
    email: str | None = None


class Attestation(NamedTuple):
    """One attestation of a provenance object."""

    publisher: Publisher
    #: An address that names what is attested: publication, or how the file was built.
    predicate: str
    #: The names and sha256 of the files that it is of.
    subjects: tuple[tuple[str, str], ...]

    @property
    def predicate_name(self) -> str:
        """The end of the type's address: ``publish/v1``, ``provenance/v1``."""
        return "/".join(self.predicate.rsplit("/", 2)[-2:])


class _Publisher(msgspec.Struct):
    kind: _Text
    claims: dict[str, Any] | None = None
    repository: str | None = None
    workflow: str | None = None
    #: Of GitLab.
    workflow_filepath: str | None = None
    environment: str | None = None
    #: Of Google.
    email: str | None = None


class _Material(msgspec.Struct):
    certificate: _Text
    transparency_entries: Annotated[list[dict[str, Any]], msgspec.Meta(min_length=1)]


class _Envelope(msgspec.Struct):
    statement: _Text
    signature: _Text


class _Attestation(msgspec.Struct):
    version: Literal[1]
    verification_material: _Material
    envelope: _Envelope


class _Bundle(msgspec.Struct):
    publisher: _Publisher
    attestations: Annotated[list[_Attestation], msgspec.Meta(min_length=1)]


class _Provenance(msgspec.Struct):
    version: Literal[1]
    attestation_bundles: Annotated[list[_Bundle], msgspec.Meta(min_length=1)]


class _Subject(msgspec.Struct):
    digest: dict[str, str]
    name: str = ""


class _Statement(msgspec.Struct, rename="camel"):
    subject: Annotated[list[_Subject], msgspec.Meta(min_length=1)]
    predicate_type: _Text


_provenances = msgspec.json.Decoder(_Provenance)
_statements = msgspec.json.Decoder(_Statement)


def read(body: bytes) -> tuple[Attestation, ...]:
    """Return the attestations of a provenance object, in its order; raises `ProvenanceError`."""
    return tuple(_attestations(_decoded(_provenances.decode, body, "provenance object")))


def checked(body: bytes, sha256: str | None) -> tuple[Attestation, ...]:
    """Return the attestations of a provenance object, all of which are of one file.

    ``sha256`` is that of the file; None if it is not known. Raises `ProvenanceError`.
    """
    found = read(body)
    for attestation in found if sha256 is not None else ():
        if sha256 not in dict(attestation.subjects).values():
            other = attestation.subjects[0]
            raise ProvenanceError(f"it is of another file: {other[0]} with sha256 {other[1]}")
    return found


def words(publisher: Publisher) -> str:
    """Return a publisher in words: ``GitHub acme/app, release.yml, environment pypi``."""
    of = publisher.repository or publisher.email
    environment = f"environment {publisher.environment}" if publisher.environment else None
    first = " ".join(filter(None, (publisher.kind, of)))
    return ", ".join(filter(None, (first, publisher.workflow, environment)))


def _attestations(provenance: _Provenance) -> Iterator[Attestation]:
    for bundle in provenance.attestation_bundles:
        publisher = _publisher(bundle.publisher)
        for attestation in bundle.attestations:
            yield _attestation(publisher, attestation)


def _publisher(raw: _Publisher) -> Publisher:
    return Publisher(
        kind=_shown(raw.kind),
        repository=_shown(raw.repository or "") or None,
        workflow=_shown(raw.workflow or raw.workflow_filepath or "") or None,
        environment=_shown(raw.environment or "") or None,
        email=_shown(raw.email or "") or None,
    )


def _attestation(publisher: Publisher, raw: _Attestation) -> Attestation:
    try:
        payload = binascii.a2b_base64(raw.envelope.statement)
    except binascii.Error as error:
        raise ProvenanceError(f"the statement of an attestation is not base64 ({error})") from error
    statement = _decoded(_statements.decode, payload, "statement")
    subjects = []
    for subject in statement.subject:
        sha256 = subject.digest.get("sha256", "").lower()
        if not is_sha256(sha256):
            raise ProvenanceError("an attestation has no sha256 of its file")
        subjects.append((_shown(subject.name), sha256))
    return Attestation(publisher, _shown(statement.predicate_type), tuple(subjects))


def _decoded(decode: Callable[[bytes], _Read], body: bytes, what: str) -> _Read:
    try:
        return decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ProvenanceError(f"not a {what} ({error})") from error


def _shown(text: str) -> str:
    """Return a text that can be shown as it is; raises `ProvenanceError` for any other."""
    if len(text) > _LONGEST or not text.isprintable():
        raise ProvenanceError("it has a name that cannot be shown")
    return text
