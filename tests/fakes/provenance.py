"""Provenance objects of the right form, whose signatures are none."""

import json
from base64 import b64encode
from typing import Any

from tests.fakes.wheels import Dist

PUBLISH = "https://docs.example.com/attestations/publish/v1"


def provenance_of(dist: Dist, *predicates: str, **publisher: str) -> bytes:
    """Return the provenance object of a distribution, with an attestation for each predicate."""
    return provenance(dist.filename, dist.sha256, *predicates, **publisher)


def provenance(filename: str, sha256: str, *predicates: str, **publisher: str) -> bytes:
    """Return the provenance object of a file; ``publisher`` has other keys than GitHub's acme."""
    attestations = [attestation(filename, sha256, each) for each in predicates or (PUBLISH,)]
    stated = {
        "kind": "GitHub", "repository": "acme/app", "workflow": "release.yml", "environment": "pypi"
    } | publisher  # fmt: skip
    bundle = {"publisher": stated, "attestations": attestations}
    return json.dumps({"version": 1, "attestation_bundles": [bundle]}).encode()


def attestation(filename: str, sha256: str, predicate: str = PUBLISH) -> dict[str, Any]:
    """Return an attestation of a file."""
    statement = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": filename, "digest": {"sha256": sha256}}],
        "predicateType": predicate,
        "predicate": None,
    }
    return {
        "version": 1,
        "verification_material": {
            "certificate": b64encode(b"none").decode(),
            "transparency_entries": [{"logIndex": "1"}],
        },
        "envelope": {
            "statement": b64encode(json.dumps(statement).encode()).decode(),
            "signature": b64encode(b"none").decode(),
        },
    }
