"""Project pages and the list of names over a real socket."""

import json

import pytest

from tests.conftest import Serve
from tests.fakes import Dist, FakeIndex, wheel
from tests.server.conftest import DEMO, DEMO_SDIST, ZOPE, World
from tests.serving import index_table, wait_until

JSON = "application/vnd.pypi.simple.v1+json"
HTML = "application/vnd.pypi.simple.v1+html"
PIP = f"{JSON}, {HTML}; q=0.1, text/html; q=0.01"
UV = f"{JSON}, {HTML};q=0.2, text/html;q=0.01"
PAGES = ["/simple/", "/simple/demo/", "/index/pypi/simple/", "/index/pypi/simple/demo/"]


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        (None, "text/html"),
        ("*/*", "text/html"),
        ("text/html", "text/html"),
        (PIP, JSON),
        (UV, JSON),
        (JSON, JSON),
        (HTML, HTML),
        ("application/vnd.pypi.simple.latest+json", JSON),
    ],
)
def test_a_page_comes_in_the_form_asked_for(
    world: World, path: str, accept: str | None, expected: str
) -> None:
    answer = world.shim.get(path, {"Accept": accept} if accept else {})
    assert answer.status == 200
    assert answer.headers["Content-Type"].partition(";")[0] == expected
    assert answer.headers["Vary"] == "Accept"
    assert answer.headers["Cache-Control"] == "no-cache"
    if expected == JSON:
        assert json.loads(answer.body)["meta"]["api-version"].startswith("1.")
    else:
        assert answer.body.startswith(b"<!DOCTYPE html>")


@pytest.mark.parametrize("path", PAGES)
def test_an_unsupported_media_type_is_refused_as_406(world: World, path: str) -> None:
    answer = world.shim.get(path, {"Accept": "image/png"})
    assert answer.status == 406
    assert "application/vnd.pypi.simple.v1+json" in answer.problem["detail"]


@pytest.mark.fault(72)
@pytest.mark.parametrize("path", PAGES)
def test_a_page_that_the_client_holds_is_not_sent_again(world: World, path: str) -> None:
    etag = world.shim.get(path).headers["ETag"]
    for known in (etag, f'"other", {etag}', f"W/{etag}", "*"):
        answer = world.shim.get(path, {"If-None-Match": known})
        assert (answer.status, answer.body) == (304, b"")
        assert answer.headers["ETag"] == etag
        assert answer.headers["Vary"] == "Accept"
    assert world.shim.get(path, {"If-None-Match": '"other"'}).status == 200


@pytest.mark.parametrize("path", PAGES)
def test_each_form_of_a_page_has_an_etag_of_its_own(world: World, path: str) -> None:
    answers = [world.shim.get(path, {"Accept": accept}) for accept in ("text/html", JSON)]
    assert len({answer.headers["ETag"] for answer in answers}) == 2


@pytest.mark.fault(72)
@pytest.mark.parametrize("path", PAGES)
def test_head_answers_as_get_without_the_body(world: World, path: str) -> None:
    got, head = world.shim.get(path), world.shim.get(path, method="HEAD")
    assert (head.status, head.body) == (200, b"")
    assert int(head.headers["Content-Length"]) == len(got.body)
    for name in ("Content-Type", "ETag", "Vary", "Cache-Control"):
        assert head.headers[name] == got.headers[name]


@pytest.mark.parametrize("page", ["/simple/demo/", "/index/pypi/simple/demo/"])
@pytest.mark.parametrize("dist", [DEMO, DEMO_SDIST], ids=["wheel", "sdist"])
def test_a_pages_links_lead_to_the_files(world: World, page: str, dist: Dist) -> None:
    answer = world.shim.get(world.href(page, dist.filename))
    assert (answer.status, answer.body) == (200, dist.data)


@pytest.mark.parametrize("page", ["/simple/demo/", "/index/pypi/simple/demo/"])
def test_a_json_pages_links_lead_to_the_files_and_their_metadata(world: World, page: str) -> None:
    files = json.loads(world.shim.get(page, {"Accept": JSON}).body)["files"]
    (file,) = [file for file in files if file["filename"] == DEMO.filename]
    assert file["hashes"] == {"sha256": DEMO.sha256}
    assert file["core-metadata"] == {"sha256": DEMO.metadata_sha256}
    url = file["url"]
    assert url.startswith("../")
    path = "/" + url.replace("../", "")
    assert world.shim.get(path).body == DEMO.data
    assert world.shim.get(path + ".metadata").body == DEMO.metadata


def test_links_carry_the_sha256(world: World) -> None:
    body = world.shim.get("/simple/demo/").body.decode()
    for dist in (DEMO, DEMO_SDIST):
        assert f"{dist.filename}#sha256={dist.sha256}" in body


@pytest.mark.parametrize(
    ("asked", "given"),
    [
        ("/simple/Zope.Interface/", "/simple/zope-interface/"),
        ("/simple/zope_interface/", "/simple/zope-interface/"),
        ("/simple/zope--interface/", "/simple/zope-interface/"),
        ("/simple/ZOPE-INTERFACE", "/simple/zope-interface/"),
        ("/simple/zope-interface", "/simple/zope-interface/"),
        ("/simple", "/simple/"),
        ("/index/pypi/simple", "/index/pypi/simple/"),
        ("/index/pypi/simple/demo", "/index/pypi/simple/demo/"),
        ("/index/pypi/simple/De.Mo/", "/index/pypi/simple/de-mo/"),
    ],
)
def test_another_spelling_of_an_address_is_redirected(world: World, asked: str, given: str) -> None:
    answer = world.shim.get(asked)
    assert (answer.status, answer.headers["Location"]) == (301, given)


def test_the_names_are_those_served_so_far(world: World) -> None:
    for project in (DEMO.project, ZOPE.project, "acme-core"):
        assert world.shim.get(f"/simple/{project}/").status == 200
    chain = json.loads(world.shim.get("/simple/", {"Accept": JSON}).body)
    assert {p["name"] for p in chain["projects"]} >= {"demo", "zope-interface", "acme-core"}
    one = json.loads(world.shim.get("/index/private/simple/", {"Accept": JSON}).body)
    assert one["projects"] == [{"name": "acme-core"}]


def test_the_list_of_names_asks_no_index(world: World) -> None:
    before = world.pypi.count(), world.private.count()
    assert world.shim.get("/simple/").status == 200
    assert (world.pypi.count(), world.private.count()) == before


def test_one_index_alone_is_asked_under_its_own_address(world: World) -> None:
    assert world.shim.get("/index/pypi/simple/acme-core/").status == 404
    assert world.shim.get("/index/private/simple/acme-core/").status == 200


def test_a_project_that_no_index_has_is_a_404_with_the_reason(world: World) -> None:
    problem = world.shim.get("/simple/never-asked-for-before/").problem
    assert problem["title"] == "No such project"
    assert "pypi: absent (404 Not Found)" in problem["detail"]


def test_an_index_that_is_not_configured_is_a_404(world: World) -> None:
    for path in ("/index/nobody/simple/", "/index/nobody/simple/demo/"):
        assert world.shim.get(path).problem["status"] == 404


def test_a_query_changes_nothing(world: World) -> None:
    assert world.shim.get("/simple/demo/?format=x").body == world.shim.get("/simple/demo/").body


def test_a_fresh_page_is_served_without_asking(world: World) -> None:
    world.shim.get("/simple/demo/")
    before = world.pypi.count("/simple/demo/")
    assert world.shim.get("/simple/demo/").status == 200
    assert world.pypi.count("/simple/demo/") == before


@pytest.mark.parametrize("root", ["/simple/", "/index/pypi/simple/", "/direct/simple/"])
def test_a_client_with_no_cache_gets_what_the_index_has_now(served: Serve, root: str) -> None:
    with FakeIndex([wheel("idna", "3.9")]) as index:
        shim = served(index_table("pypi", index.url))
        page = f"{root}idna/"
        assert b"idna-3.9" in shim.get(page).body
        index.add(wheel("idna", "3.10"))
        assert b"idna-3.10" not in shim.get(page, {"Cache-Control": "max-age=0"}).body
        assert b"idna-3.10" in shim.get(page, {"Cache-Control": "no-cache"}).body
        assert b"idna-3.10" in shim.get(page).body
        assert index.count("/simple/idna/") == 2
        assert "If-None-Match" in index.requests[-1].headers


def test_offline_a_client_with_no_cache_gets_the_stored_page(served: Serve) -> None:
    with FakeIndex([dist := wheel("idna", "3.9")]) as index, FakeIndex() as private:
        # Asked anew, this one would be waited for.
        first = index_table("private", private.url, role="private", on_outage="stop")
        tables = (first, index_table("pypi", index.url))
        online = served(*tables)
        href = json.loads(online.get("/simple/idna/", {"Accept": JSON}).body)["files"][0]["url"]
        assert online.get(href.removeprefix("../..")).status == 200
        offline = served(*tables, arguments=("--offline",))

        def page() -> bytes:
            return offline.get("/simple/idna/", {"Cache-Control": "no-cache"}).body

        # The client had the last byte before the file was recorded.
        wait_until(lambda: dist.filename.encode() in page(), 20, "the stored page is not offered")
