"""Pages under ``/direct/simple/``, with links to the files at their index."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Serve
from tests.fakes import DirectoryTree, FakeIndex, flat_directory, wheel
from tests.server.conftest import DEMO, DEMO_SDIST, World
from tests.serving import index_table

JSON = {"Accept": "application/vnd.pypi.simple.v1+json"}


def urls(world: World, path: str) -> dict[str, str]:
    files = json.loads(world.shim.get(path, JSON).body)["files"]
    return {file["filename"]: file["url"] for file in files}


def test_files_have_the_address_of_their_index(world: World) -> None:
    expected = {d.filename: world.pypi.file_url(d.filename) for d in (DEMO, DEMO_SDIST)}
    assert urls(world, "/direct/simple/demo/") == expected


def test_the_html_page_has_them_too_with_their_hashes(world: World) -> None:
    body = world.shim.get("/direct/simple/demo/").body.decode()
    for dist in (DEMO, DEMO_SDIST):
        assert f'href="{world.pypi.file_url(dist.filename)}#sha256={dist.sha256}"' in body
    assert str(world.shim.port) not in body


def test_nothing_but_the_addresses_differs_from_the_usual_page(world: World) -> None:
    pages = [json.loads(world.shim.get(f"{prefix}/simple/demo/", JSON).body)
             for prefix in ("", "/direct")]  # fmt: skip
    for page in pages:
        for file in page["files"]:
            del file["url"]
    assert pages[0] == pages[1]


@pytest.mark.parametrize("headers", [{}, JSON], ids=["html", "json"])
def test_the_etag_is_another_one_than_the_usual_pages(
    world: World, headers: dict[str, str]
) -> None:
    usual = world.shim.get("/simple/demo/", headers).headers["ETag"]
    direct = world.shim.get("/direct/simple/demo/", headers).headers["ETag"]
    assert usual != direct
    for known, status in ((usual, 200), (direct, 304)):
        asked = world.shim.get("/direct/simple/demo/", {**headers, "If-None-Match": known})
        assert asked.status == status


@pytest.mark.parametrize(
    ("asked", "given"),
    [
        ("/direct/simple", "/direct/simple/"),
        ("/direct/simple/demo", "/direct/simple/demo/"),
        ("/direct/simple/De.Mo/", "/direct/simple/de-mo/"),
        ("/direct/simple/De.Mo", "/direct/simple/de-mo/"),
    ],
)
def test_another_spelling_is_redirected_within(world: World, asked: str, given: str) -> None:
    answer = world.shim.get(asked)
    assert (answer.status, answer.headers["Location"]) == (301, given)


def test_the_first_index_that_has_it_owns_it_here_too(world: World) -> None:
    (url,) = urls(world, "/direct/simple/acme-core/").values()
    assert url.startswith(world.private.base)


def test_the_names_are_the_same(world: World) -> None:
    world.shim.get("/direct/simple/demo/")
    names = json.loads(world.shim.get("/direct/simple/", JSON).body)["projects"]
    assert {"name": "demo"} in names


def test_an_unknown_project_is_a_404(world: World) -> None:
    assert world.shim.get("/direct/simple/nowhere-at-all/").problem["status"] == 404


def test_credentials_of_an_index_are_on_no_page(served: Serve) -> None:
    login = "http://ci:s3cret@127.0.0.1"
    with FakeIndex(username="ci", password="s3cret") as index:
        dist = wheel("acme-app")
        index.add(dist, url=f"{login}:{index.port}/files/{dist.filename}")
        shim = served(index_table("private", index.login_url, role="private"))
        body = shim.get("/direct/simple/acme-app/").body.decode()
        assert f'href="{index.file_url(dist.filename)}#' in body
    assert "s3cret" not in body


@pytest.mark.parametrize(
    "make",
    [
        lambda path: flat_directory(path, [wheel("acme-app")]),
        lambda path: DirectoryTree(path, [wheel("acme-app")]).root / "simple",
    ],
    ids=["heap", "tree"],
)
def test_files_of_a_directory_keep_our_address(
    served: Serve, tmp_path: Path, make: Callable[[Path], Path]
) -> None:
    shim = served(index_table("wheels", str(make(tmp_path / "wheels"))))
    body = shim.get("/direct/simple/acme-app/").body.decode()
    (href,) = re.findall(r'href="([^"#]*)', body)
    assert href.startswith("../../../files/wheels/")
    assert shim.get(href.replace("../../..", "")).body == wheel("acme-app").data


def test_metadata_is_promised_only_where_it_is_served(served: Serve) -> None:
    with FakeIndex([wheel("plain")], metadata=False) as index:
        shim = served(index_table("pypi", index.url))
        for prefix, promised in (("", True), ("/direct", False)):
            (file,) = json.loads(shim.get(f"{prefix}/simple/plain/", JSON).body)["files"]
            assert file["core-metadata"] is file["dist-info-metadata"] is promised
            html = shim.get(f"{prefix}/simple/plain/").body.decode()
            for attribute in ("data-core-metadata", "data-dist-info-metadata"):
                assert (f'{attribute}="true"' in html) is promised
