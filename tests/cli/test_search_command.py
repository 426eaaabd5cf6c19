"""``search``: by this process, and by a running shim."""

from pathlib import Path

import pytest

from tests.cli.support import COLUMNS, CommandLine
from tests.conftest import Serve
from tests.fakes import wheel
from tests.server.browse.described import described
from tests.serving import index_table, wait_until


@pytest.fixture(autouse=True)
def packages(cli: CommandLine, tmp_path: Path) -> str:
    """Make a directory with projects, and return a configuration with no other index."""
    folder = tmp_path / "packages"
    folder.mkdir()
    for name, summary in (("acme-app", "Says hello"), ("acme-hello", "A library")):
        dist = described(wheel(name), f"Summary: {summary}", "Classifier: Framework :: Django")
        (folder / dist.filename).write_bytes(dist.data)
    return cli.configure(index_table("shelf", str(folder), role="private"))


def test_it_lists_names_first_and_then_what_metadata_says(cli: CommandLine) -> None:
    done = cli.to_terminal("search", "hello").expect()
    assert [" ".join(line.split()) for line in done.out.splitlines()] == [
        "project version index summary",
        "acme-hello 1.0 shelf A library",
        "acme-app 1.0 shelf Says hello",
    ]
    assert done.err == ""
    assert done.widest <= COLUMNS


def test_a_classifier_is_enough(cli: CommandLine) -> None:
    done = cli("search", "--classifier", "framework", "--limit", "1").expect()
    assert "acme-app" in done.out
    assert "acme-hello" not in done.out
    assert "1 more project found: --limit 2 lists all" in done.err


def test_nothing_found_is_said_and_exits_with_1(cli: CommandLine) -> None:
    done = cli("search", "no such thing").expect(1)
    assert done.out.startswith("no known project was found; `indexfallback why NAME` asks")
    assert "TEXT or --classifier is needed" in cli("search").expect(2).err


def test_a_running_shim_answers_the_same(cli: CommandLine, packages: str, served: Serve) -> None:
    alone = cli("search", "hello", "--json").expect().json
    assert [each["project"] for each in alone["projects"]] == ["acme-hello", "acme-app"]
    shim = served(packages, directory=cli.directory)
    cli.use(shim)
    wait_until(lambda: shim.json("/-/search?q=hello")["complete"], 20, "metadata is not read")
    assert cli("search", "hello", "--json").expect().json == alone
    assert shim.json("/-/search?q=hello") == {k: v for k, v in alone.items() if k != "schema"}
