"""Signatures of attestations that hold, and those that do not."""

import json
import sys
from typing import Any
from urllib.parse import quote

import platformdirs
import pytest

from indexfallback.dists.verification import NotInstalledError, Verdict, trust_root, verify
from tests.fakes.signing import Authorities

pytest.importorskip("pypi_attestations")

NAME, SHA256 = "app-1.0-py3-none-any.whl", "a" * 64
#: Where sigstore keeps a trust root that it has fetched.
_REPOSITORY = quote("https://tuf-repo-cdn.sigstore.dev", safe="")


@pytest.fixture
def authorities() -> Authorities:
    """Return authorities that sigstore trusts during a test."""
    if sys.platform != "linux":
        pytest.skip("the user's own cache would be written to")
    directory = platformdirs.user_cache_path("sigstore-python", "sigstore") / "tuf" / _REPOSITORY
    directory.mkdir(parents=True)
    made = Authorities()
    made.trust(directory)
    return made


@pytest.fixture
def body(authorities: Authorities) -> bytes:
    return authorities.provenance_of(NAME, SHA256, "acme/app", "release.yml")


def test_what_the_named_workflow_has_signed_of_this_file_is_verified(body: bytes) -> None:
    assert verify(body, NAME, SHA256) == (Verdict(is_verified=True),)
    assert trust_root().startswith("the trust root of sigstore ")


@pytest.mark.parametrize(
    ("publisher", "reason"),
    [
        ({"workflow": "other.yml"}, "does not match expected Trusted Publisher"),
        ({"repository": "evil/app"}, "SourceRepositoryURI does not match"),
    ],
)
def test_another_publisher_than_the_certificate_s_is_refuted(
    body: bytes, publisher: dict[str, str], reason: str
) -> None:
    document = json.loads(body)
    document["attestation_bundles"][0]["publisher"] |= publisher
    ((is_verified, said),) = verify(json.dumps(document).encode(), NAME, SHA256)
    assert not is_verified
    assert reason in said


def test_other_bytes_and_another_name_are_refuted(body: bytes) -> None:
    assert verify(body, NAME, "b" * 64)[0].reason == "subject does not match distribution digest"
    assert "does not match distribution name" in verify(body, "app-2.0.tar.gz", SHA256)[0].reason


def test_a_changed_signature_is_refuted(body: bytes, authorities: Authorities) -> None:
    def envelope(document: Any) -> Any:
        return document["attestation_bundles"][0]["attestations"][0]["envelope"]

    other = authorities.provenance_of(NAME, SHA256, "acme/app", "release.yml")
    document = json.loads(body)
    envelope(document)["signature"] = envelope(json.loads(other))["signature"]
    assert not verify(json.dumps(document).encode(), NAME, SHA256)[0].is_verified


def test_a_signature_of_unknown_authorities_is_refuted(
    authorities: Authorities, body: bytes
) -> None:
    assert verify(body, NAME, SHA256)[0].is_verified
    stranger = Authorities().provenance_of(NAME, SHA256, "acme/app", "release.yml")
    assert "certificate chain" in verify(stranger, NAME, SHA256)[0].reason


def test_without_the_extra_that_is_said(monkeypatch: pytest.MonkeyPatch, body: bytes) -> None:
    monkeypatch.setitem(sys.modules, "pypi_attestations", None)
    with pytest.raises(NotInstalledError, match="the extra provenance"):
        verify(body, NAME, SHA256)
