"""Provenance objects: what they say, and what is none."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexfallback.formats.provenance import (
    ProvenanceError,
    Publisher,
    checked,
    read,
    words,
)
from tests.fakes.provenance import PUBLISH, attestation, provenance

NAME, SHA256, OTHER = "app-1.0-py3-none-any.whl", "a" * 64, "b" * 64
SLSA = "https://slsa.example.com/provenance/v1"


def changed(change: Callable[[dict[str, Any]], object]) -> bytes:
    """Return a provenance object after a change of it."""
    document = json.loads(provenance(NAME, SHA256))
    change(document)
    return json.dumps(document).encode()


def test_an_object_tells_publisher_predicate_and_file() -> None:
    first, second = read(provenance(NAME, SHA256, PUBLISH, SLSA))
    assert first.publisher == Publisher(
        kind="GitHub", repository="acme/app", workflow="release.yml", environment="pypi"
    )
    assert first.subjects == ((NAME, SHA256),)
    assert (first.predicate, first.predicate_name) == (PUBLISH, "publish/v1")
    assert second.predicate_name == "provenance/v1"
    assert words(first.publisher) == "GitHub acme/app, release.yml, environment pypi"


def test_other_kinds_of_publishers_are_read_too() -> None:
    (lab,) = read(
        provenance(
            NAME, SHA256, kind="GitLab", workflow="", workflow_filepath="ci.yml", environment=""
        )
    )
    assert words(lab.publisher) == "GitLab acme/app, ci.yml"
    (cloud,) = read(
        provenance(
            NAME, SHA256, kind="Google", repository="", workflow="", environment="",
            email="ci@example.com",
        )
    )  # fmt: skip
    assert words(cloud.publisher) == "Google ci@example.com"


def test_unknown_keys_are_no_reason_to_refuse_an_object() -> None:
    read(changed(lambda d: d["attestation_bundles"][0].update(later=[1])))


@pytest.mark.parametrize(
    "change",
    [
        lambda d: d.update(version=2),
        lambda d: d.update(attestation_bundles=[]),
        lambda d: d["attestation_bundles"][0].update(attestations=[]),
        lambda d: d["attestation_bundles"][0]["publisher"].pop("kind"),
        lambda d: d["attestation_bundles"][0]["publisher"].update(claims="all"),
        lambda d: d["attestation_bundles"][0]["publisher"].update(workflow="a\x1b[2J"),
        lambda d: d["attestation_bundles"][0]["attestations"][0].update(version=2),
        lambda d: d["attestation_bundles"][0]["attestations"][0].pop("verification_material"),
        lambda d: d["attestation_bundles"][0]["attestations"][0]["envelope"].pop("signature"),
        lambda d: d["attestation_bundles"][0]["attestations"][0]["envelope"].update(statement="e"),
        lambda d: d["attestation_bundles"][0]["attestations"].append(attestation(NAME, "short")),
    ],
)
def test_what_lacks_a_part_is_no_provenance_object(
    change: Callable[[dict[str, Any]], object],
) -> None:
    with pytest.raises(ProvenanceError):
        read(changed(change))


@given(st.binary() | st.recursive(st.none() | st.text(), st.lists).map(json.dumps).map(str.encode))
def test_whatever_is_read_no_other_error_is_raised(body: bytes) -> None:
    with pytest.raises(ProvenanceError):
        read(body)


def test_an_object_with_an_attestation_of_another_file_is_refused() -> None:
    mixed = changed(
        lambda d: d["attestation_bundles"][0]["attestations"].append(attestation("x.whl", OTHER))
    )
    with pytest.raises(ProvenanceError, match="of another file: x"):
        checked(mixed, SHA256)
    assert len(checked(mixed, None)) == 2
    assert len(checked(provenance(NAME, SHA256), SHA256)) == 1
