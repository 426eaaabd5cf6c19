"""Real clients install from a tree, behind plain web servers and without one."""

import json
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

from indexfallback.formats import parse_page
from tests.clients.support import Client, User, installed
from tests.tree.servers import nginx

ALL = {"acme-app": "1.4", "acme-lib": "1.1", "packed": "3.0"}
JSON = "application/vnd.pypi.simple.v1+json"


@pytest.mark.parametrize("name", ["pip", "uv"])
def test_a_client_installs_from_a_tree(
    name: str, address: str, user: User, environments: dict[str, Client]
) -> None:
    target = user.target()
    where = ("--index-url", f"{address}/simple/")
    user.call(*environments[name].install(target, *where, "acme-app")).expect()
    assert installed(target) == ALL


@pytest.mark.parametrize("name", ["pip", "uv"])
def test_a_client_finds_the_files_as_a_directory_of_links(
    name: str, tree: Path, user: User, environments: dict[str, Client]
) -> None:
    target = user.target()
    where = ("--no-index", "--find-links", str(tree / "files"))
    user.call(*environments[name].install(target, *where, "acme-app")).expect()
    assert installed(target) == ALL


def test_pip_finds_the_links_of_a_page(
    tree: Path, user: User, environments: dict[str, Client]
) -> None:
    page = (tree / "simple" / "packed" / "index.html").as_uri()
    target = user.target()
    where = ("--no-index", "--find-links", page)
    user.call(*environments["pip"].install(target, *where, "packed")).expect()
    assert installed(target) == {"packed": "3.0"}


def _get(url: str, accept: str) -> tuple[str, str | None, bytes]:
    with urlopen(Request(url, headers={"Accept": accept}), timeout=60) as answer:
        return answer.headers["Content-Type"], answer.headers["Vary"], answer.read()


def test_nginx_negotiates_as_documented(tree: Path, tmp_path: Path) -> None:
    accept_of_pip = f"{JSON}, application/vnd.pypi.simple.v1+html; q=0.1, text/html; q=0.01"
    with nginx(tree, tmp_path / "server") as url:
        kind, vary, body = _get(f"{url}/simple/acme-app/", accept_of_pip)
        assert (kind, vary) == (JSON, "Accept")
        files = json.loads(body)["files"]
        assert [file["size"] > 0 for file in files] == [True, True]
        assert _get(f"{url}/simple/", accept_of_pip)[0] == JSON
        for accept in ("text/html", "*/*", "application/vnd.pypi.simple.v1+html"):
            kind, vary, body = _get(f"{url}/simple/acme-app/", accept)
            assert (kind, vary) == ("text/html", "Accept")
            assert parse_page(body, kind, url, "acme-app").files
