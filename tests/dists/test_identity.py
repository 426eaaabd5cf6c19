"""The project of a distribution at hand: by its name, or by the metadata inside."""

import io
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from indexfallback.dists import tars
from indexfallback.dists.bounds import ContradictionError
from indexfallback.dists.identity import project_at, stated_in

NAME = "foo-bar-1.0-2.tar.gz"
PKG_INFO = b"Metadata-Version: 1.0\nName: Foo.Bar\nVersion: 1.0-2\n\n"


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that writes a tar archive of the members given."""

    def write(*members: tuple[str, bytes]) -> Path:
        path = tmp_path / NAME
        with tarfile.open(path, "w:gz") as archive:
            for name, content in members:
                member = tarfile.TarInfo(name)
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))
        return path

    return write


@pytest.mark.parametrize("prefix", ["foo-bar-1.0-2", "./foo-bar-1.0-2", "anything"])
def test_the_pkg_info_in_the_only_directory_decides(
    write: Callable[..., Path], prefix: str
) -> None:
    path = write((f"{prefix}/docs/PKG-INFO", b"Name: x\n"), (f"{prefix}/PKG-INFO", PKG_INFO))
    assert project_at(path, NAME) == "foo-bar"


def test_a_file_whose_name_is_clear_is_not_opened(tmp_path: Path) -> None:
    assert project_at(tmp_path / "missing", "foo_bar-1.0.tar.gz") == "foo-bar"
    with pytest.raises(FileNotFoundError):
        project_at(tmp_path / "missing", NAME)


def test_without_metadata_the_name_decides(write: Callable[..., Path]) -> None:
    assert project_at(write(("foo-bar-1.0-2/setup.py", b"")), NAME) == "foo-bar-1-0"
    assert project_at(write(), NAME) == "foo-bar-1-0"


def test_metadata_of_another_project_is_a_contradiction(write: Callable[..., Path]) -> None:
    path = write(("x/PKG-INFO", PKG_INFO.replace(b"Foo.Bar", b"other")))
    with pytest.raises(ContradictionError, match="its PKG-INFO says other"):
        project_at(path, NAME)


def test_the_metadata_is_searched_within_limits(
    write: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(("x/data", bytes(100_000)), ("x/PKG-INFO", PKG_INFO))
    assert project_at(path, NAME) == "foo-bar"
    monkeypatch.setattr(tars, "_SEARCHED", 50_000)
    assert project_at(path, NAME) == "foo-bar-1-0"


@pytest.mark.parametrize(
    "metadata",
    [b"", b"Name: foo\n\n", b"Version: 1\n\n", b"Name: f o\nVersion: 1\n\n",
     "Name: f\u00f6\nVersion: 1\n\n".encode()],
)  # fmt: skip
def test_metadata_without_a_valid_name_and_version_states_nothing(metadata: bytes) -> None:
    assert stated_in(metadata) is None
