"""A directory of distributions, or a static tree of pages, as an index."""

import os
from pathlib import Path

import pytest

from indexfallback.outcome import Kind
from indexfallback.page import File
from indexfallback.store import Store
from indexfallback.upstream.answers import FileAnswer
from tests.fakes import DirectoryTree, Dist, FakeIndex, flat_directory, wheel
from tests.upstream.conftest import CountingFacts, within
from tests.upstream.directories import SDIST, WHEEL, Open, filenames, outcome, page, skipped


def content(answer: FileAnswer) -> bytes:
    assert answer.body is not None, answer.outcome
    data = b"".join(iter(answer.body.read, b""))
    answer.body.close()
    return data


# Flat.


def test_a_file_speaks_for_itself(directory: Open, wheels: Path) -> None:
    found = page(directory(wheels)).file(WHEEL.filename)
    assert found is not None
    assert found.hashes == {"sha256": WHEEL.sha256}
    assert found.requires_python == ">=3.9"
    assert found.core_metadata == {"sha256": WHEEL.metadata_sha256}
    assert found.size == len(WHEEL.data)
    assert found.url == (wheels / WHEEL.filename).as_uri()


def test_an_sdist_has_its_hash_and_metadata(directory: Open, wheels: Path) -> None:
    found = page(directory(wheels)).file(SDIST.filename)
    assert found is not None
    assert found.core_metadata == {"sha256": SDIST.metadata_sha256}
    assert found.sha256 == SDIST.sha256


def test_names_are_those_of_the_files_normalised(directory: Open, tmp_path: Path) -> None:
    path = flat_directory(tmp_path / "w", [wheel("Zope.Interface"), wheel("acme_app")])
    answer = directory(path).names(within())
    assert (answer.outcome.kind, answer.names) == (Kind.FOUND, ("acme-app", "zope-interface"))
    assert filenames(directory(path), "zope-interface") == ["zope_interface-1.0-py3-none-any.whl"]


def test_a_missing_project_is_absent(directory: Open, wheels: Path) -> None:
    assert outcome(directory(wheels), "unknown").kind is Kind.ABSENT


def test_a_file_is_read_once_and_a_touched_one_again(
    directory: Open, wheels: Path, facts: CountingFacts
) -> None:
    index = directory(wheels)
    for _ in range(3):
        page(index)
    assert sorted(facts.read) == sorted([WHEEL.filename, SDIST.filename])
    os.utime(wheels / WHEEL.filename, (1, 1))
    page(index)
    assert facts.read.count(WHEEL.filename) == 2


def test_hashes_survive_a_restart(directory: Open, wheels: Path, tmp_path: Path) -> None:
    read = []
    for _ in range(2):
        store = Store(tmp_path / "restarted", 10**6)
        facts = CountingFacts(store.local_files)
        assert len(page(directory(wheels, facts)).files) == 2
        read.append(len(facts.read))
        store.close()
    assert read == [2, 0]


def test_a_damaged_wheel_is_listed_without_metadata(directory: Open, wheels: Path) -> None:
    broken = Dist("acme-app", "2.0", "acme_app-2.0-py3-none-any.whl", b"no archive", b"")
    flat_directory(wheels, [broken])
    found = page(directory(wheels)).file(broken.filename)
    assert found is not None
    assert (found.sha256, found.core_metadata) == (broken.sha256, False)


# Files.


def test_a_file_is_read_from_any_offset(directory: Open, wheels: Path) -> None:
    index = directory(wheels)
    found = page(index).file(WHEEL.filename)
    assert found is not None
    for offset in (0, 100, len(WHEEL.data)):
        answer = index.open(found, offset, None, 5)
        assert answer.body is not None
        assert (answer.body.start, answer.body.total) == (offset, len(WHEEL.data))
        assert content(answer) == WHEEL.data[offset:]


def test_metadata_is_read_out_of_the_wheel(directory: Open, wheels: Path) -> None:
    name = f"{WHEEL.filename}.metadata"
    file = File(filename=name, url=(wheels / name).as_uri())
    assert content(directory(wheels).open(file, 0, None, 5)) == WHEEL.metadata


def test_a_removed_file_is_absent(directory: Open, wheels: Path) -> None:
    file = File(filename="gone.whl", url=(wheels / "gone.whl").as_uri())
    assert directory(wheels).open(file, 0, None, 5).outcome.kind is Kind.ABSENT


# An outage is not "absent".


@pytest.mark.parametrize("is_file", [True, False])
def test_a_directory_that_cannot_be_read_is_an_outage(
    directory: Open, tmp_path: Path, is_file: bool
) -> None:
    path = tmp_path / "unmounted"
    if is_file:
        path.write_bytes(b"")
    index = directory(path)
    found = outcome(index)
    assert found.kind is Kind.UNREACHABLE
    assert str(path) in str(found)
    assert index.names(within()).outcome.kind is Kind.UNREACHABLE


def test_a_removed_directory_is_an_outage_until_it_is_restored(
    directory: Open, wheels: Path
) -> None:
    index = directory(wheels)
    page(index)
    away = wheels.rename(wheels.with_name("away"))
    assert outcome(index).kind is Kind.UNREACHABLE
    away.rename(wheels)
    assert len(page(index).files) == 2


# A static tree.


def test_the_pages_of_a_static_tree_are_served_unchanged(
    directory: Open, tmp_path: Path, facts: CountingFacts
) -> None:
    DirectoryTree(tmp_path, [WHEEL, wheel("idna", "3.0")])
    index = directory(tmp_path / "simple")
    found = page(index).file(WHEEL.filename)
    assert found is not None
    assert found.sha256 == WHEEL.sha256
    assert content(index.open(found, 0, None, 5)) == WHEEL.data
    metadata = File(filename=f"{WHEEL.filename}.metadata", url=f"{found.url}.metadata")
    assert content(index.open(metadata, 0, None, 5)) == WHEEL.metadata
    assert facts.read == []
    assert index.names(within()).names == ("acme-app", "idna")
    assert outcome(index, "unknown").kind is Kind.ABSENT


def test_a_static_tree_may_link_to_another_host(directory: Open, tmp_path: Path) -> None:
    with FakeIndex([WHEEL]) as remote:
        html = f'<a href="{remote.file_url(WHEEL.filename)}">{WHEEL.filename}</a>'
        (tmp_path / "acme-app").mkdir()
        (tmp_path / "acme-app" / "index.html").write_text(html)
        index = directory(tmp_path)
        found = page(index).file(WHEEL.filename)
        assert found is not None
        assert content(index.open(found, 0, None, 5)) == WHEEL.data
        index.close()


@pytest.mark.parametrize("body", [b"<form>log in</form>", b"x" * 200_000])
def test_a_page_of_a_tree_that_is_none_is_not_an_index(
    directory: Open, tmp_path: Path, body: bytes
) -> None:
    (tmp_path / "acme-app").mkdir()
    (tmp_path / "acme-app" / "index.html").write_bytes(body)
    found = outcome(directory(tmp_path))
    assert found.kind is Kind.NOT_AN_INDEX
    assert f"{tmp_path}/acme-app/index.html is not a page of acme-app: " in found.detail
    assert "portal" not in found.detail


# What its pages may link to.


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    """Return a distribution that lies outside of the tree."""
    return flat_directory(tmp_path / "elsewhere", [WHEEL]) / WHEEL.filename


def tree_with(tmp_path: Path, *hrefs: str) -> Path:
    """Return a tree of one page that lists a file of its own, and links under other names."""
    folder = flat_directory(tmp_path / "tree" / "acme-app", [SDIST])
    names = (f"acme-app-9.{number}.tar.gz" for number in range(len(hrefs)))
    links = "".join(f'<a href="{h}">{name}</a>' for h, name in zip(hrefs, names, strict=True))
    own = f'<a href="{SDIST.filename}">{SDIST.filename}</a>'
    (folder / "index.html").write_text(own + links)
    return folder.parent


@pytest.mark.fault(75)
@pytest.mark.parametrize(
    "href",
    [
        "../../../../../../../../etc/passwd",
        "..%2F..%2F..%2F..%2F..%2F..%2F..%2F..%2F..%2Fetc/passwd",
        "%2e%2e/%2e%2e/elsewhere/{name}",
        "file:///etc/passwd",
        "{secret}",
        "../../elsewhere/{name}",
        "../../tree-of-another/{name}",
    ],
)
def test_a_page_links_to_no_file_out_of_its_directory(
    directory: Open, tmp_path: Path, secret: Path, href: str
) -> None:
    link = href.format(secret=secret.as_uri(), name=secret.name)
    found = page(directory(tree_with(tmp_path, link)))
    assert [file.filename for file in found.files] == [SDIST.filename]
    assert found.dropped == {"a link out of the directory": 1}


@pytest.mark.fault(75)
def test_a_page_links_to_no_symbolic_link_out_of_its_directory(
    directory: Open, tmp_path: Path, secret: Path
) -> None:
    root = tree_with(tmp_path, "link-1.0.tar.gz", "folder/" + secret.name)
    (root / "acme-app" / "link-1.0.tar.gz").symlink_to(secret)
    (root / "acme-app" / "folder").symlink_to(secret.parent)
    found = page(directory(root))
    assert [file.filename for file in found.files] == [SDIST.filename]
    assert found.dropped == {"a link out of the directory": 2}


def test_a_page_that_is_a_symbolic_link_out_of_the_directory_is_none(
    directory: Open, tmp_path: Path
) -> None:
    root = tree_with(tmp_path)
    at = root / "acme-app" / "index.html"
    (tmp_path / "index.html").write_bytes(at.read_bytes())
    at.unlink()
    at.symlink_to(tmp_path / "index.html")
    index = directory(root)
    assert skipped(index) == {"acme-app/index.html": "a symbolic link out of the directory"}
    assert page(index).dropped == {}


@pytest.mark.fault(75)
def test_a_file_out_of_the_directory_is_not_opened_whoever_lists_it(
    directory: Open, tmp_path: Path, secret: Path
) -> None:
    index = directory(tree_with(tmp_path))
    for name in (secret.name, f"{secret.name}.metadata"):
        url = f"{secret.parent.as_uri()}/{name}"
        answer = index.open(File(filename=name, url=url), 0, None, 5)
        assert (answer.outcome.kind, answer.body) == (Kind.ABSENT, None)


@pytest.mark.parametrize("files", ["files", "packages", "pool"])
def test_pages_in_simple_link_to_the_files_beside_it(
    directory: Open, tmp_path: Path, files: str
) -> None:
    flat_directory(tmp_path / files / "a" / "b", [WHEEL])
    flat_directory(tmp_path / "private", [SDIST])
    pages = tmp_path / "simple" / "acme-app"
    pages.mkdir(parents=True)
    hrefs = (f"../../{files}/a/b/{WHEEL.filename}", f"../../private/{SDIST.filename}")
    (pages / "index.html").write_text("".join(f'<a href="{href}">x</a>' for href in hrefs))
    index = directory(tmp_path / "simple")
    (found,) = page(index).files
    assert content(index.open(found, 0, None, 5)) == WHEEL.data
