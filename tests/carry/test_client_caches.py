"""The caches that a real pip and a real uv leave."""

import io
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from indexfallback.carry.candidates import PIP, UV, Skipped, candidates, kind_of, project_inside
from indexfallback.shim import Shim
from tests.carry.test_adopt import run
from tests.clients.support import CLIENT_SECONDS, Client
from tests.conftest import MakeShim
from tests.fakes import FakeIndex, sdist, wheel
from tests.serving import clean_environment

WHEEL = wheel("acme-app", "1.4", requires=["acme-lib"])
SDIST = sdist("acme-lib", "2.0")


@pytest.fixture
def index() -> Iterator[FakeIndex]:
    with FakeIndex([WHEEL, SDIST], metadata=False) as index:
        yield index


@pytest.fixture
def made(shim: MakeShim, index: FakeIndex) -> Shim:
    return shim(index)


def call(directory: Path, *command: str) -> None:
    environment = clean_environment(directory)
    subprocess.run(command, check=True, env=environment, cwd=directory, timeout=CLIENT_SECONDS)


def test_pip_s_cache_gives_wheels_and_sdists_and_not_what_it_built(
    made: Shim, index: FakeIndex, environments: dict[str, Client], tmp_path: Path
) -> None:
    cache = tmp_path / "cache"
    pip = [each for each in environments["pip"].start if each]
    # By default pip keeps nothing that came without TLS.
    options = ("--index-url", index.url, "--trusted-host", "127.0.0.1", "--cache-dir", str(cache))
    call(tmp_path, *pip, "install", "--target", "target", *options, "acme-app")
    assert kind_of(cache) == PIP
    taken, left = run(made, cache)
    assert {each.filename for each in taken} == {WHEEL.filename, SDIST.filename}
    assert left.pop("acme_lib-2.0-py3-none-any.whl") == "pypi does not list it"
    assert set(left.values()) == {"a page, metadata or another file that is not a distribution"}


def test_of_uv_s_cache_it_is_said_that_wheels_are_unpacked(
    made: Shim, index: FakeIndex, environments: dict[str, Client], tmp_path: Path
) -> None:
    cache = tmp_path / "cache"
    options = ("--default-index", index.url, "--cache-dir", str(cache))
    uv = environments["uv"]
    start = (*uv.start, "install", "--python", uv.options[-1], "--target", "target")
    call(tmp_path, *start, *options, "acme-app")
    assert kind_of(cache) == UV
    taken, left = run(made, cache)
    assert taken == []
    assert "an unpacked wheel, whose file cannot be restored" in left.values()


def test_what_is_damaged_in_a_cache_is_left(made: Shim, tmp_path: Path) -> None:
    place = tmp_path / "http-v2" / "a" / "b" / "c" / "d" / "e"
    place.mkdir(parents=True)
    (place / "whole.body").write_bytes(WHEEL.data)
    for name, data in {
        "short": WHEEL.data[:-30],
        "tar": SDIST.data[:20],
        "page": b"<html>",
        "none": b"",
        "magic": b"PK\x03\x04",
    }.items():
        (place / f"{name}.body").write_bytes(data)
    taken, left = run(made, tmp_path)
    assert [each.filename for each in taken] == [WHEEL.filename]
    assert len(left) == 5


def test_the_cache_of_an_old_pip_is_not_passed_over_in_silence(tmp_path: Path) -> None:
    (tmp_path / "http").mkdir()
    (left,) = candidates(tmp_path)
    assert isinstance(left, Skipped)
    assert "pip before 23.3" in left.reason
    shutil.rmtree(tmp_path / "http")


def test_the_project_of_a_legacy_sdist_is_that_of_its_metadata(tmp_path: Path) -> None:
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w:gz") as archive:
        content = b"Metadata-Version: 1.0\nName: foo-bar\nVersion: 1.0-2\n\n"
        member = tarfile.TarInfo("foo-bar-1.0-2/PKG-INFO")
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))
    (tmp_path / "body").write_bytes(data.getvalue())
    assert project_inside(tmp_path / "body") == "foo-bar"
    (tmp_path / "body").write_bytes(SDIST.data)
    assert project_inside(tmp_path / "body") == "acme-lib"
