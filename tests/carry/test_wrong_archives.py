"""Archives that are cut short, altered or made to harm: refused, and nothing of them is merged."""

import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from indexfallback.carry.manifest import Manifest, read_manifest, write_manifest
from indexfallback.errors import CarryError
from indexfallback.page import File, ProjectPage
from indexfallback.store import Store
from tests.carry.support import (
    APP,
    NEW,
    PYPI,
    file_of,
    read,
    rewrite,
    sha256_of,
    with_manifest,
    write,
)

BLOCK = 512


def refuse(store: Store, path: Path, match: str) -> None:
    """See that an archive is refused, and that nothing says that there was one."""
    with pytest.raises(CarryError, match=match) as caught:
        read(store, path)
    assert str(caught.value).startswith(f"{path}: ")
    assert store.pages.count() == 0
    assert list(store.pins) == []
    assert store.ledger.owners("acme-app") == {}
    assert {verdict for _, verdict in store.blobs.verify()} <= {"right"}
    assert list(store.blobs.partials.directory.iterdir()) == []


def test_what_tar_writes_again_is_taken(empty: Store, archive: Path) -> None:
    rewrite(archive, lambda members: None)
    assert read(empty, archive).files == 2


def test_cut_short_at_any_block(empty: Store, archive: Path) -> None:
    whole = archive.read_bytes()
    for size in [*range(0, len(whole), BLOCK), len(whole) - 1]:
        archive.write_bytes(whole[:size])
        refuse(empty, archive, "it is cut short")
    archive.write_bytes(whole)
    assert read(empty, archive).pages == 2


def test_a_byte_that_changed_in_any_member(empty: Store, archive: Path) -> None:
    with tarfile.open(archive) as tar:
        infos = tar.getmembers()
    whole = archive.read_bytes()
    for info in infos[1:]:
        damaged = bytearray(whole)
        damaged[info.offset_data + info.size // 2] ^= 1
        archive.write_bytes(damaged)
        refuse(empty, archive, f"{info.name} has another sha256 than in the manifest")


@pytest.mark.parametrize(
    ("kind", "link"),
    [(tarfile.SYMTYPE, "/etc/passwd"), (tarfile.LNKTYPE, "../../x"), (tarfile.DIRTYPE, ""),
     (tarfile.CHRTYPE, ""), (tarfile.FIFOTYPE, ""), (tarfile.XHDTYPE, ""),
     (tarfile.GNUTYPE_LONGNAME, ""), (tarfile.GNUTYPE_SPARSE, "")],
)  # fmt: skip
def test_a_member_that_is_no_regular_file(
    empty: Store, archive: Path, kind: bytes, link: str
) -> None:
    whole = archive.read_bytes()
    with tarfile.open(archive) as tar:
        info = tar.getmembers()[1]
    info.type, info.linkname = kind, link
    header = info.tobuf(tarfile.GNU_FORMAT)
    assert len(header) == BLOCK
    start = info.offset_data - BLOCK
    archive.write_bytes(whole[:start] + header + whole[info.offset_data :])
    refuse(empty, archive, "where files/")


@pytest.mark.parametrize("name", ["../../evil", "/etc/evil", "files/../../evil", "manifest.json"])
def test_a_member_that_is_called_otherwise(empty: Store, archive: Path, name: str) -> None:
    def rename(members: dict[str, bytes]) -> None:
        names = list(members)
        data = [members.pop(each) for each in names]
        names[1] = name
        members.update(zip(names, data, strict=True))

    rewrite(archive, rename)
    refuse(empty, archive, "it has|it is cut short|damaged")


def test_one_more_member(empty: Store, archive: Path) -> None:
    rewrite(archive, lambda members: members.update({"more": b"x"}))
    refuse(empty, archive, "it has more members")


def test_a_member_of_another_size(empty: Store, archive: Path) -> None:
    rewrite(archive, lambda members: members.update({f"files/{NEW.sha256}": b"x"}))
    refuse(empty, archive, "has another size")


def test_what_is_no_archive(empty: Store, tmp_path: Path) -> None:
    path = tmp_path / "photo.jpg"
    for content, problem in ((b"", "cut short"), (b"\xff" * 4096, "not an archive"),
                             (b"\0" * 4096, "not an archive")):  # fmt: skip
        path.write_bytes(content)
        refuse(empty, path, problem)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda m: m.update(format="indexfallback archive 2"), "'indexfallback archive 2'"),
        (lambda m: m.update(format=7), "damaged"),
        (lambda m: m.update(more=1), "unknown field"),
        (lambda m: m["files"][0].update(sha256="../../x"), "a sha256 is invalid"),
        (lambda m: m["files"][0].update(size=-1), "a size is negative"),
        (lambda m: m["files"].append(m["files"][0]), "twice"),
        (lambda m: m["pages"].append(m["pages"][0]), "twice"),
        (lambda m: m["pages"][0].update(project="../x"), "a project's name is invalid"),
        (
            lambda m: m["pages"][0].update(source="https://other.example.com/"),
            "belongs to no index",
        ),
        (lambda m: m["pages"][0].update(size=1 << 40), "too large"),
        (lambda m: m["pins"][0].__setitem__(1, "../../x.whl"), "a file's name is invalid"),
        (lambda m: m["pins"][0].__setitem__(3, "0"), "a sha256 is invalid"),
        (lambda m: m["pins"][0].__setitem__(2, "0" * 64), "the sha256 in an address is invalid"),
        (lambda m: m["indexes"].append(m["indexes"][0]), "two indexes have one address"),
        (lambda m: m["indexes"][0]["names"].append(["A/b", None, 1.0]), "name is invalid"),
    ],
)
def test_a_manifest_that_is_no_manifest(
    empty: Store, archive: Path, change: Callable[[dict[str, Any]], None], problem: str
) -> None:
    with_manifest(archive, change)
    refuse(empty, archive, problem)


def test_a_manifest_that_is_nested_without_end(empty: Store, archive: Path) -> None:
    rewrite(archive, lambda members: members.update({"manifest.json": b"[" * 10**6}))
    refuse(empty, archive, "manifest is damaged")


def forge(
    path: Path, file: File, project: str = "idna", dropped: dict[str, int] | None = None
) -> None:
    """Replace the page of idna by one with one other file, everywhere with the right hashes."""

    def change(members: dict[str, bytes]) -> None:
        manifest = read_manifest(members["manifest.json"])
        body = msgspec.msgpack.encode(
            ProjectPage(name=project, files=(file,), dropped=dropped or {})
        )
        (page,) = (page for page in manifest.pages if page.project == "idna")
        forged = msgspec.structs.replace(page, sha256=sha256_of(body), size=len(body))
        others = [other for other in manifest.pages if other is not page]
        assert isinstance(manifest, Manifest)
        manifest = msgspec.structs.replace(manifest, pages=(*others, forged))
        del members[page.member]
        members |= {"manifest.json": write_manifest(manifest), forged.member: body}

    rewrite(path, change)


def test_a_forged_page_that_could_be_one_is_taken(empty: Store, archive: Path) -> None:
    forge(archive, file_of(APP))
    assert read(empty, archive).pages == 2


@pytest.mark.parametrize(
    "url",
    ["file:///etc/passwd", "http://127.0.0.1:22/x.whl", "http://localhost/x.whl", "ftp://x/x.whl",
     "javascript:alert(1)", "https://user:secret@files.example.com/x.whl", "x.whl", ""],
)  # fmt: skip
def test_a_page_with_an_address_that_no_public_page_may_have(
    empty: Store, archive: Path, url: str
) -> None:
    forge(archive, msgspec.structs.replace(file_of(NEW), url=url))
    refuse(empty, archive, f"cannot be from {PYPI.url}")


@pytest.mark.parametrize(
    "file",
    [msgspec.structs.replace(file_of(NEW), filename="../../x.whl"),
     msgspec.structs.replace(file_of(NEW), hashes={"sha256": "<script>"}),
     msgspec.structs.replace(file_of(NEW), provenance="file:///etc/passwd")],
)  # fmt: skip
def test_a_page_with_a_name_hash_or_provenance_that_is_none(
    empty: Store, archive: Path, file: File
) -> None:
    forge(archive, file)
    refuse(empty, archive, "cannot be from")


@pytest.mark.parametrize(
    "dropped", [{"\x1b[2J": 1}, {"x" * 1000: 1}, {f"reason {number}": 1 for number in range(100)}]
)
def test_a_page_with_reasons_for_left_out_files_that_no_reader_gives(
    empty: Store, archive: Path, dropped: dict[str, int]
) -> None:
    forge(archive, file_of(APP), dropped=dropped)
    refuse(empty, archive, "the page of idna cannot be from")


def test_a_page_of_another_project(empty: Store, archive: Path) -> None:
    forge(archive, file_of(NEW), project="acme-app")
    refuse(empty, archive, "cannot be from")


def test_a_page_that_is_no_page(empty: Store, archive: Path) -> None:
    def change(members: dict[str, bytes]) -> None:
        manifest = read_manifest(members["manifest.json"])
        page = manifest.pages[-1]
        broken = msgspec.structs.replace(page, sha256=sha256_of(b"\xc1"), size=1)
        manifest = msgspec.structs.replace(manifest, pages=(*manifest.pages[:-1], broken))
        del members[page.member]
        members |= {"manifest.json": write_manifest(manifest), broken.member: b"\xc1"}

    rewrite(archive, change)
    refuse(empty, archive, "is damaged")


def test_an_export_of_a_file_that_is_wrong_leaves_what_was_there_and_leaves_it_out_next_time(
    full: Store, empty: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("indexfallback.store.blobs.SMALL_FILE", 0)  # all files count as large ones
    full.blobs._verified.clear()
    path = tmp_path / "packages.tar"
    path.write_bytes(b"what was there")
    lying = full.blobs.path(NEW.sha256)
    lying.write_bytes(bytes(lying.stat().st_size))
    with pytest.raises(CarryError, match="run again: damaged files are left out"):
        write(full, path)
    assert path.read_bytes() == b"what was there"
    assert not [each.name for each in tmp_path.iterdir() if each.name.startswith(".")]
    write(full, path)
    assert read(empty, path).files == 1
