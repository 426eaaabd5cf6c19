"""What is mirrored is served with no index behind, whatever its age and whatever else there is."""

import subprocess
import sys
from pathlib import Path

import pytest

from indexfallback.store import Store
from tests.cli.support import CommandLine
from tests.conftest import Serve
from tests.fakes import FakeIndex, wheel
from tests.mirror.support import Mirrored
from tests.serving import Served, index_table


def _served(mirror: Mirrored, served: Serve, *arguments: str) -> Served:
    return served(
        index_table("upstream", mirror.source),
        arguments=arguments, cache_dir=mirror.cli.cache, cache={"keep": "0 s", "fresh": "0 s"},
    )  # fmt: skip


def test_with_the_index_gone_pages_and_files_are_served(mirror: Mirrored, served: Serve) -> None:
    mirror.run()
    mirror.upstream.stop_listening()
    shim = _served(mirror, served)
    other = wheel("other", "1.0")
    assert other.filename.encode() in shim.get("/simple/other/").body
    file = f"/files/upstream/other.{other.sha256}/{other.filename}"
    assert shim.get(file).body == other.data
    assert shim.get(f"{file}.metadata").body == other.metadata
    assert shim.json("/-/why/other")["how"] == "mirrored"


def test_a_mirrored_project_is_not_asked_for(mirror: Mirrored, served: Serve) -> None:
    mirror.run()
    mirror.upstream.clear()
    shim = _served(mirror, served)
    assert shim.get("/simple/acme-app/").status == 200
    assert mirror.upstream.count("/simple/acme-app/") == 0


def test_offline_it_is_served_as_well(mirror: Mirrored, served: Serve) -> None:
    mirror.run()
    shim = _served(mirror, served, "--offline")
    assert wheel("other", "1.0").filename.encode() in shim.get("/simple/other/").body


def test_what_is_kept_hidden_is_not_listed_and_served_to_lock_files(
    mirror: Mirrored, served: Serve
) -> None:
    mirror.configure(projects=["*"], on_removed="keep-hidden")
    mirror.run()
    gone = wheel("acme-app", "1.0")
    mirror.upstream.remove(gone.filename)
    mirror.run()
    mirror.upstream.stop_listening()
    shim = _served(mirror, served)
    assert gone.filename.encode() not in shim.get("/simple/acme-app/").body
    file = f"/files/upstream/acme-app.{gone.sha256}/{gone.filename}"
    assert shim.get(file).body == gone.data


def test_a_limit_of_the_cache_evicts_nothing_that_is_mirrored(mirror: Mirrored) -> None:
    mirror.run()
    store = mirror.open()
    store.blobs.eviction.evict(0)
    store.close()
    assert len(mirror.state()["files"]) == 14
    info = mirror.cli("cache", "info", "--json").expect().json
    assert (info["mirrored"], info["bytes"]) == (14, 0)


def test_publish_tree_writes_what_is_mirrored(mirror: Mirrored, tmp_path: Path) -> None:
    mirror.run()
    mirror.upstream.stop_listening()
    mirror.cli("publish-tree", str(tmp_path / "tree"), "--cached").expect()
    assert (tmp_path / "tree" / "simple" / "other" / "index.html").is_file()
    assert len(list((tmp_path / "tree" / "files").glob("*.whl"))) == 13


def test_status_says_how_much_there_is(mirror: Mirrored) -> None:
    mirror.run()
    found = mirror("status", "--json").expect().json
    assert (found["projects"], found["files"], found["incomplete"]) == (3, 14, 0)
    assert found["last_run"]["failed"] == 0


def test_a_dry_run_changes_nothing(mirror: Mirrored) -> None:
    result = mirror.run("--dry-run")
    assert (result["files"], result["dry_run"]) == (14, True)
    assert mirror.state() == {"pages": {}, "files": []}


def test_without_a_table_nothing_is_to_be_mirrored(mirror: Mirrored) -> None:
    mirror.cli.configure(index_table("upstream", mirror.source))
    assert "the configuration does not say what to mirror" in mirror().expect(2).words


def test_pip_installs_with_the_index_gone(mirror: Mirrored, served: Serve, tmp_path: Path) -> None:
    mirror.run()
    mirror.upstream.stop_listening()
    shim = _served(mirror, served)
    subprocess.run(
        [sys.executable, "-m", "pip", "install", "--no-cache-dir", "--target", tmp_path / "there",
         "--index-url", shim.url, "acme-app<1.5", "other"],
        env=mirror.cli.environment(), check=True, capture_output=True,
    )  # fmt: skip
    assert (tmp_path / "there" / "acme_app-1.4.dist-info").is_dir()


@pytest.mark.parametrize("by", ["ledger", "projects"])
def test_a_name_that_belongs_to_a_private_index_is_not_mirrored_from_the_public_one(
    cli: CommandLine, by: str
) -> None:
    with FakeIndex() as own, FakeIndex([wheel("acme-app"), wheel("idna")]) as far:
        claims = {"projects": ["acme-*"]} if by == "projects" else {}
        cli.configure(
            index_table("private", own.url, role="private", **claims),
            index_table("pypi", far.url, role="public"),
            mirror={"index": "pypi", "projects": ["acme-app", "idna"]},
        )
        if by == "ledger":
            store = Store(cli.cache, 10**9)
            store.ledger.record_page(own.url, "acme-app")
            store.close()
        done = cli("mirror").expect()
        assert "1 project belongs to a private index and is not mirrored" in done.words
        assert "acme-app (private)" in done.words
        assert far.count("/simple/acme-app/") == 0
        assert cli("mirror", "--json").expect().json["owned"] == {"acme-app": "private"}
        store = Store(cli.cache, 10**9)
        assert store.mirrors.names(far.url) == ["idna"]
        store.close()
