"""A wheelhouse has the files that are here, and pip alone installs from it."""

import subprocess
from pathlib import Path

import pytest

from indexfallback.carry.wheelhouse import REQUIREMENTS, chosen, write
from indexfallback.errors import CarryError
from indexfallback.store import Store
from tests.carry.support import APP, NEW, OLD, PRIVATE, PYPI, keep_file
from tests.clients.support import CLIENT_SECONDS, Client, installed
from tests.fakes import sdist, wheel
from tests.serving import clean_environment

#: The projects of these tests.
ALL = ("acme-app", "acme-web", "idna")


def test_it_has_the_files_of_the_projects_and_no_metadata(full: Store, tmp_path: Path) -> None:
    blob = full.blobs.add(NEW.metadata)
    full.pins.record("idna", f"{NEW.filename}.metadata", blob.sha256, PYPI.key)
    house = tmp_path / "house"
    assert write(full, chosen(full, ALL), house) == len(APP.data) + len(NEW.data)
    assert {path.name for path in house.iterdir()} == {APP.filename, NEW.filename, REQUIREMENTS}
    assert (house / NEW.filename).read_bytes() == NEW.data
    assert [file.filename for file in chosen(full, ["idna"])] == [NEW.filename]


def test_of_a_private_project_only_the_private_index_s_files_go_in(full: Store) -> None:
    public = wheel("acme-app", "99.0")
    keep_file(full, PYPI, public)
    assert [file.filename for file in chosen(full, ["acme-app"])] == [APP.filename]
    full.ledger.forget("acme-app")
    assert len(chosen(full, ["acme-app"])) == 2


def test_of_a_copied_project_the_public_index_s_files_go_in(full: Store) -> None:
    full.ledger.record_name(PRIVATE.key, "idna")
    full.ledger.record_copy(PRIVATE.key, "idna")
    assert [file.filename for file in chosen(full, ["idna"], [PRIVATE.key])] == [NEW.filename]
    assert chosen(full, ["idna"]) == []


def test_of_two_files_of_one_name_the_first_goes_in_and_the_other_is_said(
    full: Store, caplog: pytest.LogCaptureFixture
) -> None:
    second = wheel("idna", NEW.version, size=10)
    keep_file(full, PYPI, second)
    full.pins.record("idna", NEW.filename, NEW.sha256, PYPI.key)  # and without a sha256
    assert [file.sha256 for file in chosen(full, ["idna"])] == [NEW.sha256]
    (said,) = caplog.messages
    assert said.startswith(f"{NEW.filename}: a directory holds one file of a name")
    assert f"(sha256 {second.sha256}) is left out" in said


def test_again_it_writes_only_what_is_new_and_leaves_other_files(
    full: Store, tmp_path: Path
) -> None:
    house = tmp_path / "house"
    write(full, chosen(full, ALL), house)
    (house / "mine.txt").write_text("mine")
    keep_file(full, PYPI, OLD)
    assert write(full, chosen(full, ALL), house) == len(OLD.data)
    assert (house / "mine.txt").read_text() == "mine"


def test_another_file_of_that_name_is_not_replaced(full: Store, tmp_path: Path) -> None:
    house = tmp_path / "house"
    house.mkdir()
    (house / NEW.filename).write_bytes(b"mine")
    with pytest.raises(CarryError, match="exists with another content"):
        write(full, chosen(full, ALL), house)
    assert (house / NEW.filename).read_bytes() == b"mine"


def test_somebody_s_own_requirements_are_not_replaced(full: Store, tmp_path: Path) -> None:
    (tmp_path / REQUIREMENTS).write_text("flask\n")
    with pytest.raises(CarryError, match="was not written by an export"):
        write(full, chosen(full, ALL), tmp_path)
    assert (tmp_path / REQUIREMENTS).read_text() == "flask\n"


def test_the_requirements_name_the_newest_final_release_with_all_its_hashes(
    full: Store, tmp_path: Path
) -> None:
    source = sdist("idna", "3.10")
    for dist in (OLD, source, wheel("idna", "4.0rc1")):
        keep_file(full, PYPI, dist)
    write(full, chosen(full, ["idna"]), tmp_path / "house")
    lines = (tmp_path / "house" / REQUIREMENTS).read_text().splitlines()
    hashes = sorted((NEW.sha256, source.sha256))
    assert lines[1:] == [
        "idna==3.10 \\",
        f"    --hash=sha256:{hashes[0]} \\",
        f"    --hash=sha256:{hashes[1]}",
    ]


def test_the_requirements_do_not_name_what_only_builds_others(full: Store, tmp_path: Path) -> None:
    house = tmp_path / "house"
    write(full, chosen(full, ALL), house, build_only={"idna"})
    text = (house / REQUIREMENTS).read_text()
    assert "acme-app==1.4" in text
    assert "idna" not in text
    assert (house / NEW.filename).exists()


def test_pip_installs_from_it_with_hashes_and_without_any_index(
    full: Store, tmp_path: Path, environments: dict[str, Client]
) -> None:
    app = wheel("acme-web", "1.0", requires=["idna>=3"])
    keep_file(full, PRIVATE, app)
    house, target = tmp_path / "house", tmp_path / "target"
    write(full, chosen(full, ALL), house)
    options = ("--no-index", "--find-links", str(house), "--require-hashes")
    command = environments["pip"].install(target, *options, "-r", str(house / REQUIREMENTS))
    subprocess.run(command, env=clean_environment(tmp_path), check=True, timeout=CLIENT_SECONDS)
    assert installed(target) == {"acme-app": "1.4", "acme-web": "1.0", "idna": "3.10"}
