"""Attestations of an upload: checked, kept as provenance beside the file, and listed (PEP 740)."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from indexfallback.errors import UploadRefusedError
from indexfallback.formats.provenance import checked
from indexfallback.hosted.attestations import MAX_BYTES, provenance_of
from indexfallback.hosted.checks import Identity, identity_of
from tests.fakes import wheel
from tests.fakes.provenance import attestation
from tests.hosted.conftest import Hosted

LIB = wheel("acme-lib", "1.0")
OTHER = wheel("acme-lib", "2.0")
PROVENANCE = f"{LIB.filename}.provenance"
ATTESTATION = attestation(LIB.filename, LIB.sha256)


def identity() -> Identity:
    found = identity_of(LIB.filename, "acme-lib")
    assert found is not None
    return found


def made(*attestations: Any) -> bytes | None:
    return provenance_of(json.dumps(attestations).encode(), LIB.filename, identity(), LIB.sha256)


def test_attestations_become_a_provenance_object_unchanged() -> None:
    body = made(ATTESTATION, {**ATTESTATION, "other": 1})
    assert body is not None
    assert len(checked(body, LIB.sha256)) == 2
    (bundle,) = json.loads(body)["attestation_bundles"]
    assert bundle["attestations"] == [ATTESTATION, {**ATTESTATION, "other": 1}]


def test_the_publisher_is_this_index_and_claims_nothing() -> None:
    (bundle,) = json.loads(made(ATTESTATION) or b"")["attestation_bundles"]
    assert bundle["publisher"] == {"kind": "indexfallback", "claims": None}


def test_an_attestation_may_name_another_spelling_of_the_file() -> None:
    name = "Acme.Lib-1.0-py3-none-any.whl"
    assert made(attestation(name, LIB.sha256)) is not None


def test_an_empty_list_is_no_provenance() -> None:
    assert made() is None


@pytest.mark.parametrize(
    ("stated", "cause"),
    [
        (b"", "not a list in JSON"),
        (b"{}", "not a list in JSON"),
        (b"\xff", "not a list in JSON"),
        (b"[" * 100_000, "not a list in JSON"),
        (b"[1]", "not valid"),
        (json.dumps([{**ATTESTATION, "version": 2}]).encode(), "not valid"),
        (json.dumps([attestation(LIB.filename, OTHER.sha256)]).encode(), "it is of another file"),
        (
            json.dumps([ATTESTATION, attestation(OTHER.filename, LIB.sha256)]).encode(),
            f"one of its attestations is of {OTHER.filename}",
        ),
    ],
)
def test_what_is_no_attestation_of_the_file_is_refused(stated: bytes, cause: str) -> None:
    with pytest.raises(UploadRefusedError, match=cause) as caught:
        provenance_of(stated, LIB.filename, identity(), LIB.sha256)
    assert caught.value.filename == LIB.filename


def test_attestations_are_kept_and_listed_and_removed_with_the_file(hosted: Hosted) -> None:
    field = {"attestations": json.dumps([ATTESTATION])}
    assert hosted.upload(LIB).status_code == 200
    assert "provenance" not in hosted.page("acme-lib")["files"][0]
    assert hosted.upload(LIB, fields=field).status_code == 200
    assert hosted.lying() == [LIB.filename, PROVENANCE]
    assert len(checked((hosted.packages / PROVENANCE).read_bytes(), LIB.sha256)) == 1
    assert hosted.page("acme-lib")["files"][0]["provenance"].endswith(PROVENANCE)
    assert hosted.command("remove", "acme-lib", "1.0", "--yes").returncode == 0
    assert hosted.lying() == []


def test_the_provenance_of_an_earlier_file_is_not_that_of_a_new_one(hosted: Hosted) -> None:
    (hosted.packages / PROVENANCE).write_bytes(b"{}")
    assert hosted.upload(LIB).status_code == 200
    assert hosted.lying() == [LIB.filename]


def test_an_upload_with_attestations_of_another_file_leaves_nothing(refusing: Hosted) -> None:
    field = {"attestations": json.dumps([attestation(LIB.filename, OTHER.sha256)])}
    answer = refusing.upload(LIB, fields=field)
    assert (answer.status_code, "of another file" in answer.json()["detail"]) == (400, True)
    answer = refusing.upload(LIB, fields={"attestations": " " * (MAX_BYTES + 1)})
    assert f"attestations have more than {MAX_BYTES} bytes" in answer.json()["detail"]
    assert refusing.lying() == []


def test_publish_takes_the_attestations_beside_a_file(hosted: Hosted, tmp_path: Path) -> None:
    for dist in (LIB, OTHER):
        (tmp_path / dist.filename).write_bytes(dist.data)
        path = tmp_path / f"{dist.filename}.publish.attestation"
        path.write_text(json.dumps(attestation(dist.filename, dist.sha256)), "utf-8")
    dists = sorted(map(str, tmp_path.glob("*.*")))
    done = hosted.command("publish", *dists)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("published (local), with attestations") == 2
    named = [f"{dist.filename}{end}" for dist in (LIB, OTHER) for end in ("", ".provenance")]
    assert hosted.lying() == sorted(named)


def test_publish_names_the_attestation_that_it_cannot_read(
    refusing: Hosted, tmp_path: Path
) -> None:
    (tmp_path / LIB.filename).write_bytes(LIB.data)
    (tmp_path / f"{LIB.filename}.slsa.attestation").write_bytes(b"no JSON")
    done = refusing.command("publish", str(tmp_path / LIB.filename))
    assert done.returncode == 1
    assert f"{LIB.filename}.slsa.attestation: it is not JSON" in " ".join(done.stderr.split())
    assert refusing.lying() == []


def test_a_warning_is_in_the_answer_and_in_the_output_of_publish(
    hosted: Hosted, tmp_path: Path
) -> None:
    renamed = replace(LIB, filename="acme_lib-1.0-py2.py3-none-any.whl")
    words = "its WHEEL states py3-none-any, but its name says py2-none-any, py3-none-any"
    answer = hosted.upload(renamed)
    assert answer.text.startswith(f"OK: {renamed.filename} is listed now\nWarning: {words}")
    assert f"WARNING {renamed.filename} was uploaded, but {words}" in hosted.served.log
    (tmp_path / renamed.filename).write_bytes(LIB.data)
    done = hosted.command("publish", "--json", str(tmp_path / renamed.filename))
    assert f"{renamed.filename}: warning: {words}" in " ".join(done.stderr.split())
    assert json.loads(done.stdout)["files"][0]["warnings"][0].startswith(words)
