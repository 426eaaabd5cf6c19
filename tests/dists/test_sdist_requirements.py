"""What an sdist requires is read from its archive, whatever its format or state."""

import io
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from indexfallback.dists.sdist_requirements import (
    DEFAULT_BUILD,
    build_requirements,
    runtime_requirements,
)

STATED = "Metadata-Version: 2.1\nName: app\nVersion: 1.0\nDynamic: requires-dist\n"
OLD = {
    "app-1.0/PKG-INFO": STATED,
    "app-1.0/src/app.egg-info/requires.txt": "base>=1\n\n[fast:os_name == 'nt']\nspeed\n(odd\n",
}


def write(path: Path, members: Mapping[str, str]) -> Path:
    """Write an archive in the format that its name tells."""
    if path.name.endswith(".zip"):
        with zipfile.ZipFile(path, "w") as archive:
            for name, text in members.items():
                archive.writestr(name, text)
        return path
    with tarfile.open(path, "w:bz2" if path.suffix == ".bz2" else "w:gz") as tar:
        for name, text in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(text)
            tar.addfile(member, io.BytesIO(text.encode()))
    return path


@pytest.mark.parametrize(
    "name", ["app-1.0.tar.gz", "app-1.0.zip", "app-1.0.tar.bz2", "app-1.0.tgz"]
)
def test_they_are_read_from_each_format(tmp_path: Path, name: str) -> None:
    document = "[build-system]\nrequires = [\"builder[fast]>=2; os_name == 'nt'\"]\n"
    stated = {"app-1.0/PKG-INFO": f"{STATED}Requires-Dist: base\n"}
    path = write(tmp_path / name, {"app-1.0/pyproject.toml": document, **stated})
    assert build_requirements(path, name) == ("builder[fast]>=2; os_name == 'nt'",)
    assert [str(each) for each in runtime_requirements(path, name)] == ["base"]


@pytest.mark.parametrize(
    "document",
    [
        "[tool.x]\n",
        "[build-system]\n",
        "[build-system]\nrequires = 'setuptools'\n",
        "build-system = 3\n",
        "[build-system\n",
    ],
)
def test_an_sdist_that_states_no_build_requirements_has_those_of_setuptools(
    tmp_path: Path, document: str
) -> None:
    path = write(tmp_path / "app-1.0.tar.gz", {"app-1.0/pyproject.toml": document})
    assert build_requirements(path, path.name) == DEFAULT_BUILD


def test_a_pyproject_of_another_directory_is_not_that_of_the_sdist(tmp_path: Path) -> None:
    document = "[build-system]\nrequires = []\n"
    path = write(tmp_path / "app-1.0.zip", {"app-1.0/tests/pyproject.toml": document})
    assert build_requirements(path, path.name) == DEFAULT_BUILD


@pytest.mark.parametrize("name", ["app-1.0.tar.gz", "app-1.0.zip"])
def test_a_damaged_archive_states_nothing(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(b"damaged")
    assert build_requirements(path, name) == DEFAULT_BUILD
    assert list(runtime_requirements(path, name)) == []


def test_an_old_setuptools_states_what_an_sdist_requires_in_requires_txt(tmp_path: Path) -> None:
    path = write(tmp_path / "app-1.0.tar.gz", OLD)
    assert [str(each) for each in runtime_requirements(path, path.name)] == ["base>=1", "speed"]
