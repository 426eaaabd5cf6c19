"""The project and version of an uploaded file: its name, its metadata and the form agree."""

from dataclasses import replace
from pathlib import Path

import pytest

from indexfallback.errors import UploadRefusedError
from indexfallback.hosted.checks import Identity, check_file, check_filename
from tests.fakes import Dist, flat_directory, sdist


def checked(tmp_path: Path, dist: Dist) -> Identity:
    flat_directory(tmp_path, [dist])
    return check_file(tmp_path / dist.filename, dist.filename, None).identity


@pytest.mark.parametrize(
    ("filename", "name", "version"),
    [
        ("acme-lib-1.0-2.tar.gz", "acme-lib", "1.0.post2"),
        ("Acme.Lib-1.0-2.tar.gz", "acme_lib", "1.0-2"),
        ("acme-lib-1.0-2.tar.gz", "acme-lib-1.0", "2"),
        ("acme-1.0-rc1.tar.gz", "acme", "1.0rc1"),
    ],
)
def test_the_metadata_decides_on_an_ambiguous_name(
    tmp_path: Path, filename: str, name: str, version: str
) -> None:
    identity = checked(tmp_path, replace(sdist(name, version), filename=filename))
    assert identity.project == name.lower().replace("_", "-").replace(".", "-")
    assert identity.version == {"1.0-2": "1.0.post2"}.get(version, version)


@pytest.mark.parametrize(
    ("filename", "name", "version", "says"),
    [
        ("acme-lib-1.0-2.tar.gz", "other", "1.0", "says other 1.0, but its name says acme-lib-1-0"),
        (
            "acme-lib-1.0-2.tar.gz",
            "acme-lib",
            "1.0",
            "says acme-lib 1.0, but its name says acme-lib",
        ),
        ("acme-1.0-rc1.tar.gz", "other", "1.0", "but its name says no project and no version"),
        ("acme_lib-1.0.tar.gz", "acme", "1.0", "says acme 1.0, but its name says acme-lib 1.0"),
    ],
)
def test_metadata_that_does_not_fit_the_name_is_refused(
    tmp_path: Path, filename: str, name: str, version: str, says: str
) -> None:
    with pytest.raises(UploadRefusedError, match=says):
        checked(tmp_path, replace(sdist(name, version), filename=filename))


@pytest.mark.parametrize(
    "filename",
    ["a-1.0.tar.bz2", "a-1.0.tgz", "a-1.0-py2.7.egg", "a-1.0.win32.exe", "a-1.0.msi", "a-1.0.rpm"],
)
def test_another_format_is_refused_with_those_that_are_taken(filename: str) -> None:
    with pytest.raises(UploadRefusedError) as caught:
        check_filename(filename)
    assert caught.value.cause == "only wheels (.whl) and sdists (.tar.gz, .zip) are taken"


@pytest.mark.parametrize("filename", ["a.whl", "a.zip", "../a-1.0.zip", "README.md", ""])
def test_a_name_without_project_and_version_is_refused(filename: str) -> None:
    with pytest.raises(UploadRefusedError, match="not the name of a wheel"):
        check_filename(filename)
