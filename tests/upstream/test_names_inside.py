"""Distributions whose metadata decides on their project, or contradicts their file name."""

import bz2
import gzip
import io
import lzma
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from indexfallback.outcome import Kind
from indexfallback.store import Store
from indexfallback.upstream.directory import DirectoryIndex
from indexfallback.upstream.scan import scan
from tests.fakes import Dist, flat_directory, sdist, wheel
from tests.serving import wait_until
from tests.upstream.conftest import CountingFacts, within
from tests.upstream.directories import SECONDS, Open, filenames, outcome, skipped

#: As distutils named it: a version with a dash, behind a name with a dash.
LEGACY = replace(sdist("foo-bar", "1.0.post2"), filename="foo-bar-1.0-2.tar.gz")
PLAIN = sdist("foo-bar", "2.0")
OTHER = replace(sdist("other", "1.0"), filename=LEGACY.filename)
TAR = gzip.decompress(LEGACY.data)


def names(index: DirectoryIndex) -> tuple[str, ...]:
    return tuple(index.names(within()).names)


def zipped(metadata: bytes) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("foo-bar-1.0-2/PKG-INFO", metadata)
    return data.getvalue()


@pytest.mark.parametrize(
    ("filename", "data"),
    [
        ("foo-bar-1.0-2.tar.gz", LEGACY.data),
        ("foo-bar-1.0-2.tgz", LEGACY.data),
        ("foo-bar-1.0-2.tar.bz2", bz2.compress(TAR)),
        ("foo-bar-1.0-2.tar.xz", lzma.compress(TAR)),
        ("foo-bar-1.0-2.tar", TAR),
        ("foo-bar-1.0-2.zip", zipped(LEGACY.metadata)),
        ("Foo.Bar-1.0-rc1.tar.gz", LEGACY.data),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_metadata_of_an_sdist_with_an_ambiguous_name_decides_on_its_project(
    directory: Open, tmp_path: Path, filename: str, data: bytes
) -> None:
    flat_directory(tmp_path / "w", [replace(LEGACY, filename=filename, data=data), PLAIN])
    index = directory(tmp_path / "w")
    assert names(index) == ("foo-bar",)
    assert set(filenames(index, "foo-bar")) == {filename, PLAIN.filename}


@pytest.mark.parametrize(
    "data",
    [b"no archive", gzip.compress(b"no tar"), LEGACY.data[:20], zipped(b"Name: \n\n")],
    ids=["no archive", "no tar", "cut short", "no name"],
)
def test_the_file_name_decides_where_the_metadata_cannot_be_read(
    directory: Open, tmp_path: Path, data: bytes
) -> None:
    flat_directory(tmp_path / "w", [replace(LEGACY, data=data)])
    assert names(directory(tmp_path / "w")) == ("foo-bar-1-0",)


def test_only_ambiguous_files_are_opened_for_the_list_of_names_and_once(
    directory: Open, tmp_path: Path
) -> None:
    flat_directory(tmp_path / "w", [LEGACY, PLAIN, wheel("foo-bar", "3.0")])
    read = []
    for _ in range(2):
        store = Store(tmp_path / "restarted", 10**6)
        facts = CountingFacts(store.local_files)
        index = directory(tmp_path / "w", facts)
        for _ in range(2):
            assert names(index) == ("foo-bar",)
        read.append(facts.read)
        store.close()
    assert read == [[LEGACY.filename], []]


def test_a_file_that_is_replaced_in_place_moves_to_its_new_project(
    directory: Open, tmp_path: Path
) -> None:
    flat_directory(tmp_path / "w", [replace(LEGACY, data=LEGACY.data[:20])])
    index = directory(tmp_path / "w")
    assert names(index) == ("foo-bar-1-0",)
    (tmp_path / "w" / LEGACY.filename).write_bytes(LEGACY.data)  # the directory does not change
    wait_until(lambda: names(index) == ("foo-bar",), SECONDS, "the replaced file is not read")


def test_an_sdist_whose_name_and_metadata_have_no_project_in_common_is_skipped(
    directory: Open, tmp_path: Path
) -> None:
    flat_directory(tmp_path / "w", [OTHER])
    index = directory(tmp_path / "w")
    assert names(index) == ()
    assert skipped(index) == {OTHER.filename: "is named wrongly: its PKG-INFO says other 1.0"}


def test_a_scan_without_a_cache_reads_the_metadata_too(tmp_path: Path) -> None:
    flat_directory(tmp_path / "w", [LEGACY])
    assert scan(tmp_path / "w").names == ("foo-bar",)


# Wheels.


def inside_of(dist: Dist, change: Callable[[str, bytes], tuple[str, bytes]]) -> Dist:
    """Return a wheel under the same name, with each member changed."""
    data = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(dist.data)) as old, zipfile.ZipFile(data, "w") as new:
        for name in old.namelist():
            new.writestr(*change(name, old.read(name)))
    return replace(dist, data=data.getvalue())


WHEEL = wheel("acme-app", "1.0")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda n, c: (n, c.replace(b"Name: acme-app", b"Name: other")), "METADATA says other 1.0"),
        (
            lambda n, c: (n, c.replace(b"Version: 1.0\n", b"Version: 1.1\n")),
            "METADATA says acme-app 1.1",
        ),
        (
            lambda n, c: (n.replace("acme_app-1.0.dist", "x-1.0.dist"), c),
            "x-1.0.dist-info/METADATA is of another project",
        ),
    ],
)
def test_a_wheel_whose_metadata_contradicts_its_name_is_skipped_with_a_reason(
    directory: Open, tmp_path: Path, change: Callable[[str, bytes], tuple[str, bytes]], says: str
) -> None:
    flat_directory(tmp_path / "w", [inside_of(WHEEL, change)])
    index = directory(tmp_path / "w")
    for _ in range(2):
        found = outcome(index)
        assert (found.kind, found.detail) == (
            Kind.LOCAL,
            f"{WHEEL.filename} is named wrongly: its {says}",
        )
    assert skipped(index) == {WHEEL.filename: f"is named wrongly: its {says}"}
    flat_directory(tmp_path / "w", [WHEEL])
    assert filenames(index) == [WHEEL.filename]


@pytest.mark.parametrize("version", ["1.0.0", "1.0 ", "1.0-final (old)"])
def test_a_version_that_is_written_in_another_way_is_the_same(
    directory: Open, tmp_path: Path, version: str
) -> None:
    written = f"Version: {version}\n".encode()
    dist = inside_of(WHEEL, lambda n, c: (n, c.replace(b"Version: 1.0\n", written)))
    flat_directory(tmp_path / "w", [dist])
    assert filenames(directory(tmp_path / "w")) == [WHEEL.filename]
