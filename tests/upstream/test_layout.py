"""Layouts of directories that other tools write: the projects and files that each must give."""

import html
import os
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from indexfallback.outcome import Kind
from tests.fakes import Dist, flat_directory, sdist, wheel
from tests.serving import wait_until
from tests.upstream.conftest import within
from tests.upstream.directories import SECONDS, Open, filenames, outcome, page, skipped

APP = wheel("acme-app", "1.0")
OLD = sdist("acme-app", "0.9")
LIB = wheel("acme.lib", "2.0")
DISTS = (APP, OLD, LIB)
NEEDS_LINKS = pytest.mark.skipif(os.name != "posix", reason="needs symbolic links")
FILES = {"acme-app": {APP.filename, OLD.filename}, "acme-lib": {LIB.filename}}


def write_page(path: Path, hrefs: Iterable[str]) -> None:
    """Write an ``index.html`` that links to files or directories, and nothing more."""
    path.mkdir(parents=True, exist_ok=True)
    links = "".join(f'<a href="{html.escape(h)}">{h.rsplit("/")[-1] or h}</a><br>\n' for h in hrefs)
    body = f"<html><head><title>Simple Index</title></head><body>\n{links}</body></html>\n"
    (path / "index.html").write_text(body)


def write_pages(root: Path, prefix: str = "", dists: Iterable[Dist] = DISTS) -> None:
    """Write ``simple/``, whose pages link to each file behind a prefix."""
    projects = sorted({dist.project for dist in dists})
    for project in projects:
        names = (prefix + dist.filename for dist in dists if dist.project == project)
        write_page(root / "simple" / project, names)
    write_page(root / "simple", (f"{project}/" for project in projects))


def pip_download(root: Path) -> None:
    flat_directory(root, DISTS)


def with_subdirectories(root: Path) -> None:
    flat_directory(root / "wheels", [APP, LIB])
    flat_directory(root / "sdists" / "2024", [OLD])


def with_a_saved_listing(root: Path) -> None:
    with_subdirectories(root)
    write_page(root / "wheels", [APP.filename, LIB.filename])


def with_documentation(root: Path) -> None:
    with_subdirectories(root)
    write_page(root / "docs", ["api/", "guide.html"])
    write_page(root / "docs" / "api", ["module.html"])


def simpleindex(root: Path) -> None:
    for dist in DISTS:
        flat_directory(root / dist.project, [dist])


def pip2pi(root: Path) -> None:
    """Write what dir2pi does: pages beside symbolic links to the files in the top directory."""
    pip2pi_links(root, os.symlink)


def pip2pi_copies(root: Path) -> None:
    """Write what ``dir2pi --no-symlink`` does, which copies with the times of the files."""

    def copy(target: str, path: Path) -> None:
        original = path.parent / target
        path.write_bytes(original.read_bytes())
        os.utime(path, ns=(original.stat().st_atime_ns, original.stat().st_mtime_ns))

    pip2pi_links(root, copy)


def pip2pi_links(root: Path, link: Callable[[str, Path], None]) -> None:
    flat_directory(root, DISTS)
    write_pages(root)
    for dist in DISTS:
        link(f"../../{dist.filename}", root / "simple" / dist.project / dist.filename)


def piprepo(root: Path) -> None:
    flat_directory(root, DISTS)
    write_pages(root, "../../")


def publish_tree(root: Path) -> None:
    flat_directory(root / "files", DISTS)
    write_pages(root, "../../files/")
    write_page(root, ["simple/"])


def dumb_pypi(root: Path) -> None:
    flat_directory(root / "pool", DISTS)
    write_pages(root, "../../pool/")
    write_page(root, ["simple/"])
    write_page(root / "changelog", ["page0.html"])
    for dist in DISTS:
        write_page(root / "pypi" / dist.project, ["json"])


def bandersnatch(root: Path) -> None:
    for dist in DISTS:
        flat_directory(root / "packages" / dist.sha256[:2] / dist.sha256[2:4], [dist])
    for project in FILES:
        dists = [dist for dist in DISTS if dist.project == project]
        folders = (f"../../packages/{d.sha256[:2]}/{d.sha256[2:4]}/" for d in dists)
        names = [folder + dist.filename for folder, dist in zip(folders, dists, strict=True)]
        write_page(root / "simple" / project, names)
    write_page(root / "simple", (f"{project}/" for project in FILES))


def bandersnatch_root(root: Path) -> None:
    bandersnatch(root / "web")


def devpi_export(root: Path) -> None:
    (root / "dataindex.json").parent.mkdir(parents=True)
    (root / "dataindex.json").write_text("{}")
    for dist in DISTS:
        flat_directory(root / "root" / "dev" / dist.project / dist.version, [dist])


@pytest.mark.parametrize(
    ("write", "url"),
    [
        (pip_download, ""),
        (with_subdirectories, ""),
        (with_a_saved_listing, ""),
        (with_documentation, ""),
        (simpleindex, ""),
        pytest.param(pip2pi, "", marks=NEEDS_LINKS),
        pytest.param(pip2pi, "simple", marks=NEEDS_LINKS),
        (pip2pi_copies, ""),
        (pip2pi_copies, "simple"),
        (piprepo, ""),
        (piprepo, "simple"),
        (publish_tree, ""),
        (publish_tree, "simple"),
        (publish_tree, "files"),
        (dumb_pypi, ""),
        (dumb_pypi, "simple"),
        (bandersnatch, ""),
        (bandersnatch, "simple"),
        (bandersnatch_root, ""),
        (bandersnatch_root, "web/simple"),
        (devpi_export, ""),
    ],
)
def test_a_layout_gives_its_projects_and_their_files(
    directory: Open, tmp_path: Path, write: Callable[[Path], None], url: str
) -> None:
    write(tmp_path / "w")
    index = directory(tmp_path / "w" / url)
    assert set(index.names(within()).names) == set(FILES)
    assert {project: set(filenames(index, project)) for project in FILES} == FILES
    assert skipped(index).keys() <= {"wheels/index.html"}
    for project in ("simple", "docs", "wheels", "pypi", "changelog", "web", "root", "dev"):
        assert outcome(index, project).kind is Kind.ABSENT
    for project in FILES:
        for file in page(index, project).files:
            body = index.open(file, 0, None, 5).body
            assert body is not None
            body.close()


# Evidence that contradicts a page.


def test_a_page_beside_loose_files_is_that_of_a_project_if_it_lists_one(
    directory: Open, tmp_path: Path
) -> None:
    flat_directory(tmp_path, [LIB])
    write_page(tmp_path / "acme-app", [f"../{APP.filename}"])
    index = directory(tmp_path)
    assert set(index.names(within()).names) == {"acme-app", "acme-lib"}


def test_a_page_beside_loose_files_of_its_project_is_not_used(
    directory: Open, tmp_path: Path
) -> None:
    flat_directory(tmp_path, [APP])
    write_page(tmp_path / "acme-app", ["acme_app-0.1.tar.gz"])
    assert filenames(directory(tmp_path)) == [APP.filename]


def test_a_page_that_is_left_out_is_told_and_comes_back_when_it_is_written_again(
    directory: Open, tmp_path: Path
) -> None:
    flat_directory(tmp_path, [LIB])
    (tmp_path / "acme-app").mkdir()
    (tmp_path / "acme-app" / "index.html").write_text("<form>log in</form>")
    index = directory(tmp_path)
    assert skipped(index) == {"acme-app/index.html": "lists no distribution of acme-app"}
    assert outcome(index).kind is Kind.ABSENT
    # In place, so that the directory stays as it is.
    (tmp_path / "acme-app" / "index.html").write_text(f"<a href=../{APP.filename}>x</a>")
    names = {"acme-app", "acme-lib"}
    wait_until(lambda: set(index.names(within()).names) == names, SECONDS, "the page is not read")


def test_an_empty_static_tree_has_no_project_simple(directory: Open, tmp_path: Path) -> None:
    write_page(tmp_path / "simple", [])
    index = directory(tmp_path)
    assert index.names(within()).names == ()
    assert outcome(index, "simple").kind is Kind.ABSENT


def test_pages_in_simple_link_to_no_other_files_beside_it(directory: Open, tmp_path: Path) -> None:
    flat_directory(tmp_path / "private", [OLD])
    flat_directory(tmp_path, [APP])
    (tmp_path / "secret.zip").write_bytes(b"secret")
    write_page(
        tmp_path / "simple" / "acme-app",
        [f"../../{APP.filename}", "../../secret.zip", f"../../private/{OLD.filename}"],
    )
    found = page(directory(tmp_path / "simple"))
    assert [file.filename for file in found.files] == [APP.filename]
    assert found.dropped == {"a link out of the directory": 2}
