"""Promotion of a release from one hosted index to another, by the command and by request."""

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from indexfallback.config.bucket_url import parse_bucket_url
from indexfallback.errors import (
    IndexFallbackError,
    PromotionError,
    UploadExistsError,
    UploadFailedError,
    UploadForbiddenError,
    UploadRefusedError,
)
from indexfallback.hosted.index import HostedIndex
from indexfallback.hosted.promotion import copy, promote
from indexfallback.store.shared.bucket import Bucket
from tests.fakes import wheel
from tests.fakes.object_store import ObjectStore
from tests.fakes.provenance import attestation
from tests.hosted.houses import LIB, RELEASER, SOURCE, VERSION, House
from tests.in_process import indexfallback
from tests.serving import clean_environment

OTHER = wheel("acme-lib", "1.0", requires_python=">=3.9")


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with closing(House(tmp_path).fill()) as made:
        yield made


def test_all_files_are_copied_and_recorded_once(house: House) -> None:
    assert house.promote() == [False, False]
    assert house.lying() == house.lying("staging") == sorted([LIB.filename, SOURCE.filename])
    for file in house.prod.files("acme-lib"):
        data = (house.directories["staging"] / file.filename).read_bytes()
        assert file.sha256 == hashlib.sha256(data).hexdigest()
    event = next(house.store.hosting.events.read())
    assert (event.action, event.subject, event.index_name, event.detail) == (
        "promoted", "1.0", "prod", "from staging"
    )  # fmt: skip
    assert event.actor == RELEASER.actor
    assert house.promote() == [True, True]
    assert house.actions().count("promoted") == 1


def test_a_promoted_file_has_the_time_of_its_promotion(house: House) -> None:
    def uploaded(index: HostedIndex) -> list[float]:
        files = house.store.hosting.files.of_project(index.index.key, "acme-lib")
        return [file.uploaded for file in files.values()]

    house.promote()
    assert min(uploaded(house.prod)) > max(uploaded(house.staging))


def test_what_came_later_is_promoted_beside_what_is_there(house: House) -> None:
    house.promote()
    late = replace(LIB, filename="acme_lib-1.0-1-py3-none-any.whl")
    house.put(house.staging, late)
    assert sorted(house.promote()) == [False, True, True]


def test_attestations_go_along_unchanged(house: House) -> None:
    attestations = json.dumps([attestation(LIB.filename, LIB.sha256)]).encode()
    with house.staging.receive() as incoming:
        incoming.write(LIB.data)
        house.staging.publish(incoming, LIB.filename, None, RELEASER, attestations)
    house.promote()
    name = f"{LIB.filename}.provenance"
    before, after = (house.directories[index] / name for index in ("staging", "prod"))
    assert before.read_bytes() == after.read_bytes()
    listed = {file.filename: file.provenance for file in house.prod.files("acme-lib")}
    assert listed == {LIB.filename: after.as_uri(), SOURCE.filename: None}


def test_a_release_in_a_bucket_is_promoted_to_a_directory(
    tmp_path: Path, bucket_url: str, object_store: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", object_store.endpoint)
    with closing(House(tmp_path, url=bucket_url).fill()) as house:
        assert house.promote() == [False, False]
        assert house.lying() == sorted([LIB.filename, SOURCE.filename])
        late = replace(LIB, filename="acme_lib-1.0-1-py3-none-any.whl")
        bucket = Bucket(parse_bucket_url(bucket_url), endpoint=object_store.endpoint)
        bucket.put(f"acme-lib/{late.filename}", late.data)  # by another tool, without a hash
        assert sorted(house.promote()) == [False, True, True]
        assert house.promote() == [True, True, True]
        assert house.actions().count("promoted") == 2


def another_content(house: House) -> None:
    house.put(house.prod, OTHER)


def another_spelling(house: House) -> None:
    house.put(house.prod, replace(SOURCE, filename="Acme_Lib-1.0.tar.gz"))


def a_wrong_provenance(house: House) -> None:
    path = house.directories["staging"] / f"{SOURCE.filename}.provenance"
    path.write_text("{}", encoding="utf-8")


def an_egg(house: House) -> None:
    path = house.directories["staging"] / "acme_lib-1.0-py2.7.egg"
    path.write_bytes(LIB.data)
    os.utime(path, (1.5e9, 1.5e9))  # not being written any more


def yanked(house: House) -> None:
    house.staging.yank("acme-lib", VERSION, "broken", RELEASER.actor)


def nothing(house: House) -> None:
    house.staging.remove("acme-lib", VERSION, RELEASER.actor)


@pytest.mark.parametrize(
    ("prepare", "error", "reason"),
    [
        (another_content, UploadExistsError, "prod has it with other content"),
        (another_spelling, UploadExistsError, "is another spelling of the name"),
        (a_wrong_provenance, PromotionError, f"{SOURCE.filename}.provenance: "),
        (an_egg, UploadRefusedError, "egg: only wheels"),
        (yanked, PromotionError, "it is yanked in staging"),
        (nothing, PromotionError, "staging has no file of acme-lib"),
    ],
)
def test_a_release_is_promoted_whole_or_not_at_all(
    prepare: Callable[[House], None],
    error: type[IndexFallbackError],
    reason: str,
    house: House,
) -> None:
    prepare(house)
    before = house.lying()
    with pytest.raises(error, match=reason):
        house.promote()
    assert house.lying() == before
    assert "promoted" not in house.actions()


def test_the_project_of_another_index_is_not_promoted(tmp_path: Path) -> None:
    with (
        closing(House(tmp_path, projects=["acme-*"]).fill()) as house,
        pytest.raises(UploadRefusedError, match="staging claims acme-lib, so prod cannot"),
    ):
        house.promote()


def test_a_permit_for_another_project_promotes_nothing(house: House) -> None:
    with pytest.raises(UploadForbiddenError):
        house.promote(RELEASER._replace(projects=("acme-app",)))
    assert house.lying() == []


def test_an_index_is_not_promoted_to_itself(house: House) -> None:
    with pytest.raises(PromotionError, match="the same index"):
        promote(house.staging, house.staging, "acme-lib", VERSION, RELEASER)


def test_a_failure_half_way_takes_back_what_was_placed(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf = house.prod._shelf
    placed: list[object] = []
    place = shelf.place

    def failing(*arguments: object) -> object:
        if placed:
            raise UploadFailedError("second", "the disk is full", "Free space")
        placed.append(arguments)
        return place(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(shelf, "place", failing)
    with pytest.raises(UploadFailedError):
        house.promote()
    assert placed
    assert house.lying() == []


def test_bytes_that_differ_from_the_hash_of_the_source_are_not_promoted(house: House) -> None:
    (wheel_file,) = (f for f in house.staging.files("acme-lib") if f.filename == LIB.filename)
    path = house.directories["staging"] / LIB.filename
    path.write_bytes(OTHER.data)
    with (
        house.prod.receive() as incoming,
        pytest.raises(PromotionError, match="its content is not that of its hash"),
    ):
        copy(house.staging, wheel_file, incoming)


def test_a_directory_that_cannot_be_read_is_named(house: House) -> None:
    files = house.staging.files("acme-lib")
    shutil.rmtree(house.directories["staging"])
    with house.prod.receive() as incoming, pytest.raises(PromotionError):
        copy(house.staging, files[0], incoming)


def test_the_command_promotes_and_says_so(
    tmp_path: Path, house: House, run: Callable[..., str]
) -> None:
    house.close()
    arguments = ("promote", "acme-lib", "1.0", "--from", "staging", "--to", "prod")
    assert "Promoted: acme-lib 1.0 to prod, 2 files" in run(tmp_path, *arguments)
    assert "prod has acme-lib 1.0 already" in run(tmp_path, *arguments)
    told = json.loads(run(tmp_path, *arguments, "--json"))
    assert (told["from"], told["to"], told["version"]) == ("staging", "prod", "1.0")
    assert [file["was_there"] for file in told["files"]] == [True, True]
    (event,) = json.loads(run(tmp_path, "log", "--action", "promoted", "--json"))["events"]
    assert (event["index"], event["token"], event["address"]) == ("prod", None, "")


@pytest.fixture
def run() -> Callable[..., str]:
    """Return what runs a command of ours with the configuration in a directory."""

    def command(directory: Path, *arguments: str) -> str:
        done = indexfallback(
            "--config", str(directory / "config.toml"), *arguments,
            environ=clean_environment(directory),
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    return command
