"""The command ``publish-tree``: what it publishes."""

import json
from pathlib import Path

import pytest

from tests.cli.support import CommandLine
from tests.conftest import Serve
from tests.fakes import DirectoryTree, Dist, FakeIndex, flat_directory, wheel
from tests.serving import index_table, wait_until

WHEEL = wheel("acme-app", "1.4")


@pytest.fixture
def dest(cli: CommandLine) -> Path:
    return cli.directory / "tree"


def published(dest: Path) -> list[str]:
    return sorted(path.name for path in (dest / "files").glob("*.whl"))


def test_by_default_it_is_the_only_directory_of_the_chain(
    cli: CommandLine, dest: Path, public: FakeIndex
) -> None:
    wheels = flat_directory(cli.directory / "wheels", [WHEEL])
    cli.configure(index_table("local", str(wheels), role="private"), index_table("p", public.url))
    done = cli("publish-tree", str(dest)).expect()
    assert published(dest) == [WHEEL.filename]
    assert "has 1 project and 1 file: 1 new file (1 linked), 5 pages written" in done.words
    assert public.count() == 0


def test_an_index_may_be_named(cli: CommandLine, dest: Path) -> None:
    one = flat_directory(cli.directory / "one", [WHEEL])
    two = flat_directory(cli.directory / "two", [wheel("idna")])
    chain = ("--index", f"one={one}", "--index", f"two={two}")
    asked = cli(*chain, "publish-tree", str(dest)).expect(2)
    assert "say what to publish" in asked.words
    assert "one, two" in asked.words
    cli(*chain, "publish-tree", str(dest), "--index", "two").expect()
    assert published(dest) == [wheel("idna").filename]
    cli("publish-tree", str(dest), *chain, "--index", "one").expect()
    assert published(dest) == [WHEEL.filename]


def test_a_private_index_is_fetched(
    cli: CommandLine, chain: str, dest: Path, private: FakeIndex
) -> None:
    done = cli("publish-tree", str(dest), "--index", "private", "--json").expect()
    assert published(dest) == [WHEEL.filename]
    assert (dest / "files" / WHEEL.filename).read_bytes() == WHEEL.data
    assert (dest / "files" / WHEEL.filename).stat().st_mode & 0o444 == 0o444
    assert done.json["linked"] == 1
    private.stop_listening()
    cli("publish-tree", str(dest), "--index", "private").expect(1)
    assert published(dest) == [WHEEL.filename]
    cli("--offline", "publish-tree", str(dest), "--index", "private").expect()
    assert published(dest) == [WHEEL.filename]


def test_what_is_cached_is_published_and_nothing_is_asked(
    cli: CommandLine, chain: str, dest: Path, served: Serve, public: FakeIndex
) -> None:
    shim = served(chain, directory=cli.directory)
    for page in ("acme-app", "idna"):
        assert shim.get(f"/simple/{page}/").status == 200
    file: Dist = wheel("idna", "3.10")
    assert shim.get(f"/files/pypi/idna.{file.sha256}/{file.filename}").status == 200
    wait_until(lambda: shim.json("/-/status")["cache"]["files"], 10, "the file is not kept")
    shim.stop()  # it asks in the background whether the file is vulnerable
    asked = public.count()
    cli("publish-tree", str(dest), "--cached").expect()
    assert published(dest) == [file.filename]
    page = json.loads((dest / "simple" / "idna" / "index.json").read_bytes())
    assert [entry["filename"] for entry in page["files"]] == [file.filename]
    assert not (dest / "simple" / "acme-app").exists()
    assert public.count() == asked


def test_a_static_tree_can_be_published_again(cli: CommandLine, dest: Path) -> None:
    DirectoryTree(cli.directory / "old", [WHEEL])
    source = cli.directory / "old" / "simple"
    cli("publish-tree", str(dest), "--directory", str(source)).expect()
    assert published(dest) == [WHEEL.filename]


def test_what_cannot_be_published_is_said(cli: CommandLine, dest: Path) -> None:
    cut = Dist("acme-app", "1.5", "acme_app-1.5-py3-none-any.whl", WHEEL.data[:200], b"")
    wheels = flat_directory(cli.directory / "wheels", [WHEEL, cut])
    done = cli("publish-tree", str(dest), "--directory", str(wheels)).expect()
    assert published(dest) == [WHEEL.filename]
    assert f"left out: {cut.filename}: is truncated" in done.words


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--cached", "--index", "private"), "exclude one another"),
        (("--index", "pypi"), "--cached publishes what is cached of it"),
        (("--index", "privat"), "names no index; there are: private, pypi"),
        ((), "say what to publish"),
    ],
)
def test_a_wrong_use_is_said(
    cli: CommandLine, chain: str, dest: Path, arguments: tuple[str, ...], said: str
) -> None:
    done = cli("publish-tree", str(dest), *arguments).expect(2)
    assert said in done.words
    assert not dest.exists()


def test_an_index_that_cannot_be_listed_leaves_the_tree_as_it_was(
    cli: CommandLine, chain: str, dest: Path, private: FakeIndex
) -> None:
    private.stop_listening()
    done = cli("publish-tree", str(dest), "--index", "private").expect(1)
    assert "private: its list of names: connection refused" in done.words
    assert not (dest / "simple").exists()
