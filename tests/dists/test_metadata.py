"""Metadata that stands beside a distribution: of an sdist only what building does not change."""

import bz2
import gzip
import io
import tarfile
import zipfile
from pathlib import Path

import pytest

from indexfallback.dists.bounds import MAX_METADATA
from indexfallback.dists.metadata import read_metadata, read_requirements
from tests.fakes import sdist, wheel

APP = sdist("acme-app", requires=["idna"], requires_python=">=3.9")
PKG_INFO = b"Metadata-Version: %s\nName: acme-app\nVersion: 1.0\n%s\n"


def tar_of(metadata: bytes, *, name: str = "acme_app-1.0/PKG-INFO") -> bytes:
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w:gz") as archive:
        member = tarfile.TarInfo(name)
        member.size = len(metadata)
        archive.addfile(member, io.BytesIO(metadata))
    return data.getvalue()


def zip_of(*members: tuple[str, bytes]) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for name, content in members:
            archive.writestr(name, content)
    return data.getvalue()


def read(path: Path, data: bytes, filename: str = "acme_app-1.0.tar.gz") -> bytes | None:
    path.write_bytes(data)
    return read_metadata(path, filename)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a"


def test_an_sdists_metadata_is_read(path: Path) -> None:
    assert read(path, APP.data, APP.filename) == APP.metadata


def test_that_of_a_zip_is_read_too(path: Path) -> None:
    data = zip_of(("acme_app-1.0/PKG-INFO", APP.metadata), ("acme_app-1.0/setup.py", b""))
    assert read(path, data, "acme_app-1.0.zip") == APP.metadata


def test_a_wheels_metadata_is_read(path: Path) -> None:
    built = wheel("acme-app")
    assert read(path, built.data, built.filename) == built.metadata


@pytest.mark.parametrize(
    ("metadata", "is_read"),
    [
        (PKG_INFO % (b"2.2", b""), True),
        (PKG_INFO % (b"2.10", b""), True),
        (PKG_INFO % (b"2.1", b""), False),
        (PKG_INFO % (b"2.4", b"Dynamic: Requires-Dist\n"), False),
        (PKG_INFO % (b"2.4", b"dynamic: license-file\n"), False),
        (PKG_INFO % (b"soon", b""), False),
        (b"Name: acme-app\n\n", False),
        (b"", False),
    ],
)
def test_an_sdists_metadata_counts_only_if_building_changes_nothing_of_it(
    path: Path, metadata: bytes, is_read: bool
) -> None:
    assert read(path, tar_of(metadata)) == (metadata if is_read else None)


@pytest.mark.parametrize(
    ("metadata", "is_stated"),
    [
        (PKG_INFO % (b"2.2", b""), True),
        (PKG_INFO % (b"2.1", b"Requires-Dist: idna\n"), False),
        (PKG_INFO % (b"2.4", b"Dynamic: Version\n"), True),
        (PKG_INFO % (b"2.4", b"Dynamic: Version\nDynamic: Requires-Dist\n"), False),
        (PKG_INFO % (b"2.4", b"dynamic: requires-dist\n"), False),
    ],
)
def test_an_sdist_states_its_requirements_if_building_does_not_change_these(
    path: Path, metadata: bytes, is_stated: bool
) -> None:
    path.write_bytes(tar_of(metadata))
    found = read_requirements(path, "acme_app-1.0.tar.gz")
    assert found == (metadata if is_stated else None)


def test_an_sdist_of_any_format_states_its_requirements(path: Path) -> None:
    path.write_bytes(bz2.compress(gzip.decompress(tar_of(APP.metadata))))
    assert read_requirements(path, "acme_app-1.0.tar.bz2") == APP.metadata
    path.write_bytes(b"MZ" + bytes(2000))
    assert read_requirements(path, "acme_app-1.0.exe") is None


@pytest.mark.parametrize(
    "data",
    [
        b"not an archive",
        APP.data[: len(APP.data) // 2],
        tar_of(APP.metadata, name="../PKG-INFO"),
        tar_of(APP.metadata, name="acme_app-1.0/src/PKG-INFO"),
        tar_of(APP.metadata + b"x" * MAX_METADATA),
    ],
)
def test_an_archive_that_is_not_to_be_unpacked_has_none(path: Path, data: bytes) -> None:
    assert read(path, data) is None


@pytest.mark.parametrize(
    "data",
    [
        zip_of(("a-1/PKG-INFO", APP.metadata), ("b-1/PKG-INFO", APP.metadata)),
        zip_of(("a-1/PKG-INFO", APP.metadata + b"x" * MAX_METADATA)),
        zip_of(("a-1/setup.py", b"")),
    ],
)
def test_a_zip_with_no_metadata_of_its_own_has_none(path: Path, data: bytes) -> None:
    assert read(path, data, "a-1.zip") is None


def test_other_kinds_have_none(path: Path) -> None:
    assert read(path, wheel("acme-app").data, "acme_app-1.0-py3.11.egg") is None
