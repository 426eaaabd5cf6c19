"""Metadata inside wheels: read where there is exactly one to trust, never at any price."""

import io
import struct
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from indexfallback.dists.bounds import MAX_METADATA
from indexfallback.dists.wheel import read_wheel_metadata, requires_python
from tests.fakes import wheel

APP = wheel("acme-app", requires_python=">=3.9,<4", requires=["idna"])
#: With its members compressed, as real ones are.
PACKED = io.BytesIO()
with zipfile.ZipFile(PACKED, "w", zipfile.ZIP_DEFLATED) as _archive:
    _archive.writestr("acme_app.py", b"x = 1\n" * 50)
    _archive.writestr("acme_app-1.0.dist-info/METADATA", APP.metadata * 5)


def archive(path: Path, members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as made:
        for name, content in members.items():
            made.writestr(name, content)
    return path


def read(path: Path) -> bytes | None:
    return read_wheel_metadata(path, APP.filename)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a.whl"


def test_a_wheels_metadata_is_read(path: Path) -> None:
    path.write_bytes(APP.data)
    assert read(path) == APP.metadata


@pytest.mark.parametrize(
    ("method", "found"),
    [(zipfile.ZIP_STORED, b"x"), (zipfile.ZIP_DEFLATED, b"x"), (zipfile.ZIP_LZMA, None)],
)
def test_only_the_usual_compressions_are_read(path: Path, method: int, found: bytes | None) -> None:
    assert read(archive(path, {"acme_app-1.0.dist-info/METADATA": b"x"}, method)) == found


@pytest.mark.fault(76)
@pytest.mark.parametrize(
    "members",
    [
        {},
        {"METADATA": b"x"},
        {"acme_app/METADATA": b"x"},
        {"vendored/acme_app-1.0.dist-info/METADATA": b"x"},
        {"other-1.0.dist-info/METADATA": b"x"},
        {"acme_app-1.0.dist-info/METADATA": b"x", "acme_app-2.0.dist-info/METADATA": b"y"},
        {"acme_app-1.0.dist-info/METADATA": bytes(MAX_METADATA + 1)},
    ],
)
def test_what_is_not_one_metadata_of_this_project_is_none(
    path: Path, members: dict[str, bytes]
) -> None:
    assert read(archive(path, members)) is None


@pytest.mark.fault(76)
def test_a_member_twice_is_none(path: Path) -> None:
    name = "acme_app-1.0.dist-info/METADATA"
    with zipfile.ZipFile(path, "w") as made:
        made.writestr(name, b"x")
        with pytest.warns(UserWarning, match="Duplicate name"):
            made.writestr(name, b"y")
    assert read(path) is None


@pytest.mark.fault(76)
def test_a_bomb_that_lies_about_its_size_is_bounded(path: Path) -> None:
    name = b"acme_app-1.0.dist-info/METADATA"
    archive(path, {name.decode(): bytes(8 * MAX_METADATA)})
    data = bytearray(path.read_bytes())
    # The size of the member once unpacked: in its own header and in the central directory.
    for signature, offset in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        struct.pack_into("<I", data, data.index(signature) + offset, 100)
    path.write_bytes(data)
    found = read(path)
    assert found is None or len(found) <= 100


@pytest.mark.parametrize("data", [b"", b"PK", b"no zip", bytes(100_000)])
def test_what_is_no_archive_has_none(path: Path, data: bytes) -> None:
    path.write_bytes(data)
    assert read(path) is None


@settings(
    max_examples=200,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    st.lists(
        st.tuples(st.integers(0, len(PACKED.getvalue()) - 1), st.integers(0, 255)), max_size=6
    ),
    st.integers(0, len(PACKED.getvalue())),
)
def test_a_damaged_wheel_has_its_metadata_or_none(
    path: Path, changes: list[tuple[int, int]], length: int
) -> None:
    data = bytearray(PACKED.getvalue())
    for position, value in changes:
        data[position] = value
    path.write_bytes(data[: length if length % 3 == 0 else None])
    found = read(path)
    assert found is None or isinstance(found, bytes)


def test_a_file_that_cannot_be_read_is_the_callers_business(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read(tmp_path / "absent.whl")


@pytest.mark.parametrize(
    ("metadata", "stated"),
    [
        (b"Requires-Python: >=3.9\n\n", ">=3.9"),
        (b"Name: acme-app\nrequires-python:>=3.9,<4\n\nRequires-Python: >=9\n", ">=3.9,<4"),
        (b"Requires-Python: >=3.9,\n  <4\n\n", ">=3.9, <4"),
        (b"Name: acme-app\n\nRequires-Python: >=9\n", None),
        (b"Requires-Python: >=3.9 \xff\n\n", None),
        (b"", None),
    ],
)
def test_requires_python_is_read_as_plain_text(metadata: bytes, stated: str | None) -> None:
    assert requires_python(metadata) == stated
