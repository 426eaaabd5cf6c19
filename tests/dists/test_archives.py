"""Archives that can be read in two ways, or lead somewhere else, are not taken."""

import io
import struct
import tarfile
import zipfile
from pathlib import Path

import pytest

from indexfallback.dists.bounds import ArchiveError
from indexfallback.dists.tars import read_tar
from indexfallback.dists.zips import check_zip
from tests.fakes import sdist, wheel

LIB = wheel("acme-lib", "1.0")


def zipped(path: str) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("first.py", b"1")
        archive.writestr(path, b"2")
    return data.getvalue()


def streamed() -> bytes:
    """Return a zip whose sizes follow its members, as from a program that writes to a pipe."""

    class Pipe(io.BytesIO):
        def seekable(self) -> bool:
            return False

        def tell(self) -> int:
            raise OSError

    data = Pipe()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.py", b"1")
        archive.writestr("b.py", b"2")
    return data.getvalue()


@pytest.mark.parametrize("data", [LIB.data, zipped("second.py"), streamed()])
def test_a_plain_archive_is_well(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "file").write_bytes(data)
    assert check_zip(tmp_path / "file")


@pytest.mark.fault(76)
@pytest.mark.parametrize(
    "data",
    [
        b"",
        LIB.data[:-30],
        b"prefix" + LIB.data,
        LIB.data + b"suffix",
        LIB.data + LIB.data,
        zipped("second.py").replace(b"second.py", b"xecond.py", 1),
        zipped("second.py").replace(b"second.py", b"first.pyx").replace(b"first.pyx", b"../st.py "),
        zipped("../out.py"),
        zipped("/out.py"),
        zipped("a\\out.py"),
        LIB.data[:-6] + struct.pack("<LH", 0, 0),
    ],
    ids=[
        "nothing", "cut", "prefix", "suffix", "two archives", "another name before it",
        "up", "out", "root", "drive", "no directory",
    ],
)  # fmt: skip
def test_an_archive_that_can_be_read_in_two_ways_is_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "file").write_bytes(data)
    with pytest.raises(ArchiveError):
        check_zip(tmp_path / "file")


@pytest.mark.fault(76)
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_member_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(zipped("first.py"))
    with pytest.raises(ArchiveError, match="twice"):
        check_zip(tmp_path / "file")


def tarred(*members: tuple[str, bytes, str], size: int = 0) -> bytes:
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w:gz") as archive:
        for name, kind, link in members:
            member = tarfile.TarInfo(name)
            member.type, member.linkname, member.size = kind, link, size
            archive.addfile(member, io.BytesIO(bytes(size)))
    return data.getvalue()


def test_an_sdist_is_well(tmp_path: Path) -> None:
    dist = sdist("acme-lib", "1.0")
    (tmp_path / "file").write_bytes(dist.data)
    assert read_tar(tmp_path / "file")[1] == dist.metadata


@pytest.mark.parametrize(
    "data",
    [
        b"no gzip",
        sdist("acme-lib", "1.0").data[:-20],
        tarred(("../out", tarfile.REGTYPE, "")),
        tarred(("/out", tarfile.REGTYPE, "")),
        tarred(("a/pipe", tarfile.FIFOTYPE, "")),
        tarred(("a/link", tarfile.SYMTYPE, "../../etc/passwd")),
        tarred(("a/link", tarfile.LNKTYPE, "/etc/passwd")),
        tarred(("a/x", tarfile.REGTYPE, ""), ("a/x", tarfile.REGTYPE, "")),
        tarred(("a/zeros", tarfile.REGTYPE, ""), size=70 * 1024**2),
        tarred(("a/PKG-INFO", tarfile.REGTYPE, ""), size=6 * 1024**2),
    ],
    ids=["none", "cut", "up", "root", "pipe", "symlink", "link", "twice", "bomb", "metadata"],
)
def test_an_sdist_that_leads_out_or_never_ends_is_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "file").write_bytes(data)
    with pytest.raises(ArchiveError):
        read_tar(tmp_path / "file")
