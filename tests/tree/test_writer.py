"""What is written into a tree, what is left alone, and what is removed."""

import json
import os
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from indexfallback.formats import parse_listing, parse_page
from indexfallback.store.locks import FileLock
from indexfallback.tree.destination import MARK
from tests.cli.support import CommandLine
from tests.fakes import flat_directory, wheel
from tests.serving import wait_until
from tests.tree.conftest import DISTS

APP, OLD_APP, LIB, PACKED = DISTS


def contents(tree: Path) -> dict[str, bytes]:
    """Return all files of a tree by their paths."""
    found = (path for path in tree.rglob("*") if path.is_file() and path.name != MARK)
    return {path.relative_to(tree).as_posix(): path.read_bytes() for path in found}


def stamps(tree: Path) -> dict[Path, tuple[int, int]]:
    """Return what would change if a file were written again."""
    found = (path for path in tree.rglob("*") if path.is_file() and path.name != MARK)
    return {path: (path.stat().st_ino, path.stat().st_mtime_ns) for path in found}


def test_a_tree_has_files_metadata_and_pages_in_both_forms(tree: Path) -> None:
    names = ("acme-app", "acme-lib", "packed")
    assert set(contents(tree)) == {
        "index.html",
        "simple/index.html",
        "simple/index.json",
        *(f"simple/{name}/index.{form}" for name in names for form in ("html", "json")),
        *(f"files/{dist.filename}" for dist in DISTS),
        *(f"files/{dist.filename}.metadata" for dist in DISTS),
    }
    assert (tree / "files" / APP.filename).read_bytes() == APP.data
    assert (tree / "files" / f"{APP.filename}.metadata").read_bytes() == APP.metadata


@pytest.mark.parametrize(
    ("form", "kind"),
    [("html", "text/html"), ("json", "application/vnd.pypi.simple.v1+json")],
)
def test_a_page_says_what_its_files_are(tree: Path, form: str, kind: str) -> None:
    base = "https://packages.example.com/tree"
    body = (tree / "simple" / "acme-app" / f"index.{form}").read_bytes()
    file = parse_page(body, kind, f"{base}/simple/acme-app/", "acme-app").file(APP.filename)
    assert file is not None
    assert file.url == f"{base}/files/{APP.filename}"
    assert file.hashes == {"sha256": APP.sha256}
    assert file.core_metadata == {"sha256": APP.metadata_sha256}
    assert file.requires_python == ">=3.8"
    names = (tree / "simple" / f"index.{form}").read_bytes()
    assert [name for name, _ in parse_listing(names, kind, f"{base}/simple/")[0]] == [
        "acme-app", "acme-lib", "packed"
    ]  # fmt: skip


def test_pages_state_all_that_their_version_requires_and_no_provenance_on_this_machine(
    cli: CommandLine, wheels: Path, tmp_path: Path
) -> None:
    (wheels / "acme-app" / f"{APP.filename}.provenance").write_bytes(b"{}")
    cli("publish-tree", str(tmp_path / "tree"), "--directory", str(wheels)).expect()
    page = json.loads((tmp_path / "tree/simple/acme-app/index.json").read_bytes())
    assert (page["meta"]["api-version"], sorted(page["versions"])) == ("1.4", ["1.3", "1.4"])
    assert all(file["size"] and file["upload-time"] for file in page["files"])
    assert not any("provenance" in file for file in page["files"])


def test_the_start_page_leads_to_the_pages_without_a_server(tree: Path) -> None:
    start = (tree / "index.html").read_text(encoding="utf-8")
    for name in ("acme-app", "acme-lib", "packed"):
        assert f'<a href="simple/{name}/index.html">{name}</a>' in start


def test_files_are_links_where_that_is_possible(tree: Path, wheels: Path) -> None:
    source = wheels / APP.project / APP.filename
    assert (tree / "files" / APP.filename).samefile(source)


@pytest.mark.skipif(os.name != "posix", reason="needs the rights of POSIX")
def test_a_file_that_others_may_not_read_is_copied(
    cli: CommandLine, wheels: Path, tmp_path: Path
) -> None:
    source = wheels / APP.project / APP.filename
    source.chmod(0o600)
    cli("publish-tree", str(tmp_path / "t"), "--directory", str(wheels)).expect()
    copy = tmp_path / "t" / "files" / APP.filename
    assert copy.read_bytes() == APP.data
    assert copy.stat().st_mode & 0o444 == 0o444
    assert source.stat().st_mode & 0o777 == 0o600


def test_nothing_is_written_again_that_has_not_changed(
    cli: CommandLine, tree: Path, wheels: Path
) -> None:
    before = stamps(tree)
    done = cli("publish-tree", str(tree), "--directory", str(wheels), "--json").expect()
    assert stamps(tree) == before
    assert done.json == {
        "schema": 1,
        "directory": str(tree), "projects": 3, "files": 4, "new_files": 0, "linked": 0,
        "pages": 0, "removed": 0, "skipped": [],
    }  # fmt: skip


def test_a_copy_is_not_made_again(cli: CommandLine, wheels: Path, tmp_path: Path) -> None:
    (wheels / APP.project / APP.filename).chmod(0o600)
    for _ in range(2):
        done = cli("publish-tree", str(tmp_path / "t"), "--directory", str(wheels), "--json")
    assert done.json["new_files"] == 0


def test_only_what_has_changed_is_written_and_nothing_is_left(
    cli: CommandLine, tree: Path, wheels: Path
) -> None:
    before = stamps(tree)
    flat_directory(wheels, [wheel("acme-app", "1.5")])
    shutil.rmtree(wheels / PACKED.project)
    (wheels / OLD_APP.project / OLD_APP.filename).unlink()
    done = cli("publish-tree", str(tree), "--directory", str(wheels), "--json").expect()
    after = stamps(tree)
    written = {
        path.relative_to(tree).as_posix() for path in after if after[path] != before.get(path)
    }
    new = wheel("acme-app", "1.5").filename
    pages = {f"{page}.{form}" for page in ("simple/index", "simple/acme-app/index")
             for form in ("html", "json")}  # fmt: skip
    assert written == {"index.html", f"files/{new}", f"files/{new}.metadata", *pages}
    gone = {path.relative_to(tree).as_posix() for path in before.keys() - after.keys()}
    assert gone == {
        f"files/{PACKED.filename}", f"files/{PACKED.filename}.metadata",
        f"files/{OLD_APP.filename}",
        f"files/{OLD_APP.filename}.metadata", "simple/packed/index.html",
        "simple/packed/index.json",
    }  # fmt: skip
    assert not (tree / "simple" / "packed").exists()
    assert (done.json["new_files"], done.json["pages"], done.json["removed"]) == (1, 5, 6)


def test_a_directory_with_other_things_is_refused_and_left_as_it_is(
    cli: CommandLine, wheels: Path, tmp_path: Path
) -> None:
    other = tmp_path / "www"
    other.mkdir()
    (other / "thesis.txt").write_text("all of it")
    done = cli("publish-tree", str(other), "--directory", str(wheels)).expect(1)
    assert "is not empty, and was not written by publish-tree" in done.words
    assert contents(other) == {"thesis.txt": b"all of it"}
    (tmp_path / "file").write_text("")
    assert "is a file" in cli(
        "publish-tree", str(tmp_path / "file"), "--directory", str(wheels)
    ).expect(1).words  # fmt: skip


def test_what_others_put_beside_the_tree_stays(cli: CommandLine, tree: Path, wheels: Path) -> None:
    (tree / "robots.txt").write_text("Disallow: /")
    cli("publish-tree", str(tree), "--directory", str(wheels)).expect()
    assert (tree / "robots.txt").exists()


@pytest.mark.parametrize("where", ["tree", "..", "."])
def test_a_tree_in_the_directory_that_it_is_made_of_is_refused(
    cli: CommandLine, wheels: Path, where: str
) -> None:
    dest = wheels / where
    done = cli("publish-tree", str(dest), "--directory", str(wheels)).expect(1)
    assert "lies in the same place as directory" in done.words
    assert not (dest / MARK).exists()


@pytest.mark.skipif(os.name != "posix", reason="Windows does not kill")
def test_one_that_is_killed_is_gone_on_with(cli: CommandLine, tmp_path: Path) -> None:
    many = flat_directory(tmp_path / "many", [wheel(f"p{n}") for n in range(300)])
    dest = tmp_path / "t"
    command = cli.arguments("publish-tree", str(dest), "--directory", str(many))
    process = subprocess.Popen(command, env=cli.environment(), cwd=cli.cwd)
    wait_until((dest / "simple").exists, 30, "nothing is written")
    process.send_signal(signal.SIGKILL)
    process.wait(60)
    part = dest / "files" / ".0123.part"
    part.write_bytes(b"half")
    for page in (dest / "simple").glob("*/index.json"):
        for file in json.loads(page.read_bytes())["files"]:
            assert (page.parent / file["url"]).exists()
    cli("publish-tree", str(dest), "--directory", str(many)).expect()
    assert len(list((dest / "simple").glob("*/index.html"))) == 300
    assert not part.exists()


def test_two_at_once_do_not_write_to_one_tree(cli: CommandLine, tree: Path, wheels: Path) -> None:
    lock = FileLock(tree / MARK)
    assert lock.acquire()
    done = cli("publish-tree", str(tree), "--directory", str(wheels)).expect(1)
    lock.release()
    assert "another publish-tree writes to it" in done.words
