"""A tree in a bucket: what is written, what is left alone, what is removed, and pip."""

import json
import os
import posixpath
import shutil
import subprocess
from pathlib import Path

import pytest

from indexfallback.config.bucket_url import parse_bucket_url
from indexfallback.errors import TreeError
from indexfallback.page import ProjectPage
from indexfallback.store.shared.answers import Outcome
from indexfallback.store.shared.bucket import Bucket
from indexfallback.tree.bucket import BucketTree
from indexfallback.tree.destination import MARK
from indexfallback.tree.writer import Tree
from tests.cli.support import CommandLine
from tests.clients.support import Client, User, installed
from tests.fakes import flat_directory, wheel
from tests.fakes.object_store import WRITER, ObjectStore
from tests.fakes.proxy import FaultProxy
from tests.serving import wait_until
from tests.tree.conftest import DISTS

APP, OLD_APP, LIB, PACKED = DISTS


@pytest.fixture
def bucket(bucket_url: str, object_store: ObjectStore, cli: CommandLine) -> Bucket:
    """Return an empty bucket, for which the commands have credentials."""
    cli.environ |= {**WRITER, "AWS_ENDPOINT_URL": object_store.endpoint}
    return Bucket(parse_bucket_url(bucket_url), endpoint=object_store.endpoint)


def publish(cli: CommandLine, bucket: Bucket, wheels: Path, code: int = 0) -> dict[str, object]:
    """Publish a directory, and return what the command says."""
    done = cli("publish-tree", str(bucket.url), "--directory", str(wheels), "--json").expect(code)
    return dict(done.json) if not code else {"words": done.words}


def contents(bucket: Bucket) -> dict[str, tuple[str, bytes]]:
    """Return the type and the bytes of each object."""
    return {
        entry.key: (
            bucket.head(entry.key).attributes["Content-Type"], bucket.get(entry.key).data
        )
        for entry in bucket.list()
        if entry.key != MARK
    }  # fmt: skip


def test_a_bucket_has_the_tree_of_a_directory_with_the_types_of_its_pages(
    cli: CommandLine, bucket: Bucket, tree: Path, wheels: Path
) -> None:
    publish(cli, bucket, wheels)
    here = {
        path.relative_to(tree).as_posix(): path.read_bytes()
        for path in tree.rglob("*")
        if path.is_file() and path.name != MARK
    }
    found = contents(bucket)
    assert {path: body for path, (_, body) in found.items()} == here
    kinds = {Path(path).suffix: kind for path, (kind, _) in found.items()}
    assert kinds == {
        ".html": "text/html; charset=utf-8",
        ".json": "application/vnd.pypi.simple.v1+json",
        ".metadata": "text/plain; charset=utf-8",
        ".whl": "application/octet-stream",
        ".gz": "application/gzip",  # as this server says for all of that name
    }


def test_nothing_is_sent_again_that_has_not_changed(
    cli: CommandLine, bucket: Bucket, wheels: Path
) -> None:
    publish(cli, bucket, wheels)
    before = {entry.key: entry.modified for entry in bucket.list() if entry.key != MARK}
    again = publish(cli, bucket, wheels)
    assert (again["new_files"], again["pages"], again["removed"]) == (0, 0, 0)
    assert {e.key: e.modified for e in bucket.list() if e.key != MARK} == before


def test_only_what_has_changed_is_sent_and_nothing_is_left(
    cli: CommandLine, bucket: Bucket, wheels: Path
) -> None:
    publish(cli, bucket, wheels)
    bucket.put("robots.txt", b"Disallow: /")
    bucket.put(f"files/{APP.filename}", b"written by another")
    flat_directory(wheels, [wheel("acme-app", "1.5")])
    shutil.rmtree(wheels / PACKED.project)
    done = publish(cli, bucket, wheels)
    assert (done["new_files"], done["pages"], done["removed"]) == (2, 5, 4)
    keys = set(contents(bucket))
    assert bucket.get(f"files/{APP.filename}").data == APP.data
    assert "robots.txt" in keys
    assert not {key for key in keys if "packed" in key}


def test_a_page_is_not_sent_before_its_files(bucket: Bucket, tmp_path: Path) -> None:
    with Tree(BucketTree(bucket)) as tree:
        tree.put_file(APP.filename, tmp_path / "missing", APP.sha256)
        with pytest.raises(TreeError):
            tree.put_pages(ProjectPage(name="acme-app"))
    assert [entry.key for entry in bucket.list()] == [MARK]


def test_one_that_was_interrupted_is_gone_on_with(
    bucket: Bucket, bucket_url: str, object_store: ObjectStore, tmp_path: Path
) -> None:
    source = tmp_path / APP.filename
    source.write_bytes(APP.data)
    with BucketTree(bucket) as broken:
        broken.put_file(f"files/{APP.filename}", source, APP.sha256)
        broken.settle()
    sent: list[str] = []
    seen = Bucket(
        parse_bucket_url(bucket_url),
        endpoint=object_store.endpoint,
        observe=lambda operation, _outcome, _seconds: sent.append(operation),
    )
    with BucketTree(seen) as renewed:
        renewed.put_file(f"files/{APP.filename}", source, APP.sha256)
        renewed.settle()
        renewed.clear({f"files/{APP.filename}"})
    assert renewed.written.new_files == 0
    assert "put" not in sent
    assert sent.count("head") == 1


def test_a_bucket_with_other_things_is_refused_and_left_as_it_is(
    cli: CommandLine, bucket: Bucket, wheels: Path
) -> None:
    bucket.put("thesis.txt", b"all of it")
    done = publish(cli, bucket, wheels, 1)
    assert "is not empty, and was not written by publish-tree" in str(done["words"])
    assert [entry.key for entry in bucket.list()] == ["thesis.txt"]


def test_of_two_at_once_one_says_so_and_removes_nothing(bucket: Bucket) -> None:
    with BucketTree(bucket) as first, BucketTree(bucket) as second:
        second.put("simple/index.html", b"second")
        second.settle()
        second.clear({"simple/index.html"})
        with pytest.raises(TreeError, match="another publish-tree has written to it"):
            first.clear(set())
    assert bucket.get("simple/index.html").data == b"second"


def test_without_its_bucket_it_says_so(
    cli: CommandLine, bucket: Bucket, wheels: Path, object_store: ObjectStore
) -> None:
    with FaultProxy(object_store.port) as proxy:
        proxy.faults.cut, proxy.faults.reset = 0, True
        cli.environ["AWS_ENDPOINT_URL"] = proxy.base
        done = publish(cli, bucket, wheels, 1)
    assert "run again when it answers" in str(done["words"])
    assert bucket.get(MARK).outcome is Outcome.ABSENT


def test_pip_installs_from_what_is_in_the_bucket(
    cli: CommandLine, bucket: Bucket, wheels: Path, user: User, environments: dict[str, Client]
) -> None:
    publish(cli, bucket, wheels)
    site = user.home / "site"
    for path, (_, body) in contents(bucket).items():
        (site / path).parent.mkdir(parents=True, exist_ok=True)
        (site / path).write_bytes(body)
    target = user.target()
    where = ("--index-url", f"{site.as_uri()}/simple/")
    user.call(*environments["pip"].install(target, *where, "acme-lib")).expect()
    assert installed(target) == {"acme-lib": "1.1"}


@pytest.mark.skipif(os.name != "posix", reason="Windows does not kill")
def test_one_that_is_killed_leaves_pages_whose_files_are_there(
    cli: CommandLine, bucket: Bucket, tmp_path: Path
) -> None:
    many = flat_directory(tmp_path / "many", [wheel(f"p{n}") for n in range(100)])
    command = cli.arguments("publish-tree", str(bucket.url), "--directory", str(many))
    process = subprocess.Popen(command, env=cli.environment(), cwd=cli.cwd)
    wait_until(lambda: bucket.folder("simple/").folders, 30, "nothing is written")
    process.kill()
    process.wait(60)
    keys = {entry.key for entry in bucket.list()}
    pages = [key for key in keys if key.endswith("/index.json")]
    assert pages
    for page in pages:
        for file in json.loads(bucket.get(page).data)["files"]:
            assert posixpath.normpath(posixpath.join(posixpath.dirname(page), file["url"])) in keys
    publish(cli, bucket, many)
    assert len(bucket.folder("simple/").folders) == 100
