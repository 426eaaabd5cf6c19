"""PyPI's JSON of a project and of a version: whose it is, and what clients are answered."""

import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Serve
from tests.fakes import FakeIndex, Rule, flat_directory, sdist, wheel
from tests.fakes.pages import SUMMARY
from tests.serving import index_table, wait_until

PROJECT = "/pypi/demo/json"
VERSION = "/pypi/demo/1.0/json"
OLD, NEW = wheel("demo", "1.0", requires=["six>=1"]), wheel("demo", "2.0")
SOURCE = sdist("demo", "2.0")
#: Every page and document is stale at once.
STALE: dict[str, Any] = {"cache": {"fresh": "0 s"}}


@pytest.fixture
def pypi() -> Iterator[FakeIndex]:
    with FakeIndex([OLD, NEW, SOURCE], json=True) as index:
        yield index


def public(index: FakeIndex) -> str:
    return index_table("pypi", index.url)


def private(index: FakeIndex) -> str:
    return index_table("private", index.url, role="private")


def mirror(index: FakeIndex) -> str:
    return index_table("mirror", index.url, role="mirror", mirror_of="pypi")


def addresses(document: dict[str, Any]) -> list[str]:
    return [file["url"] for file in document["urls"]]


def is_own(document: dict[str, Any]) -> bool:
    """Tell whether a document is the index's, and not made here."""
    return bool(document["info"]["summary"] == SUMMARY)


# -- the index's own


@pytest.mark.parametrize("path", [PROJECT, VERSION])
def test_the_document_of_the_index_is_served_as_it_came(
    served: Serve, pypi: FakeIndex, path: str
) -> None:
    shim = served(public(pypi))
    answer = shim.get(path)
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "application/json"
    body = json.loads(answer.body)
    assert is_own(body)
    assert "ownership" in body
    (asked,) = [request for request in pypi.requests if request.path == path]
    assert asked.headers["Accept"] == "application/json"


def test_it_names_the_files_at_their_index(served: Serve, pypi: FakeIndex) -> None:
    assert addresses(served(public(pypi)).json(VERSION)) == [pypi.file_url(OLD.filename)]


def test_it_is_served_from_the_cache_while_it_is_fresh(served: Serve, pypi: FakeIndex) -> None:
    shim = served(public(pypi))
    assert shim.get(PROJECT).body == shim.get(PROJECT).body
    assert pypi.count(PROJECT) == 1


def test_a_client_that_has_it_is_answered_304(served: Serve, pypi: FakeIndex) -> None:
    shim = served(public(pypi))
    etag = shim.get(PROJECT).headers["ETag"]
    again = shim.get(PROJECT, {"If-None-Match": etag})
    assert (again.status, again.body) == (304, b"")


def test_head_has_no_body(served: Serve, pypi: FakeIndex) -> None:
    answer = served(public(pypi)).get(PROJECT, method="HEAD")
    assert (answer.status, answer.body) == (200, b"")


def test_a_stale_one_is_asked_for_with_its_validators(served: Serve, pypi: FakeIndex) -> None:
    shim = served(public(pypi), **STALE)
    bodies = [shim.get(PROJECT).body for _ in range(2)]
    first, second = [request for request in pypi.requests if request.path == PROJECT]
    assert "If-None-Match" not in first.headers
    assert "If-None-Match" in second.headers
    assert bodies[0] == bodies[1]


def test_no_cache_has_it_revalidated(served: Serve, pypi: FakeIndex) -> None:
    shim = served(public(pypi))
    shim.get(PROJECT)
    shim.get(PROJECT, {"Cache-Control": "no-cache"})
    assert pypi.count(PROJECT) == 2


def test_it_is_asked_for_again_when_the_page_has_changed(served: Serve, pypi: FakeIndex) -> None:
    shim = served(public(pypi))
    assert "3.0" not in shim.json(PROJECT)["releases"]
    pypi.add(wheel("demo", "3.0"))
    shim.get("/-/refresh/demo")
    assert "3.0" in shim.json(PROJECT)["releases"]


def test_equal_requests_at_once_share_one(served: Serve, pypi: FakeIndex) -> None:
    shim = served(public(pypi))
    shim.get("/simple/demo/")
    answers: list[int] = []
    with pypi.hang(path="/pypi/") as hanging:
        threads = [
            threading.Thread(target=lambda: answers.append(shim.get(PROJECT).status))
            for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        pypi.wait_for(PROJECT)
        hanging.lift()
        for thread in threads:
            thread.join()
    assert answers == [200] * 4
    assert pypi.count(PROJECT) == 1


def test_the_login_of_the_index_goes_with_it(served: Serve) -> None:
    with FakeIndex([OLD], json=True, username="ci", password="s3cret") as index:
        shim = served(index_table("private", index.login_url, role="private"))
        assert is_own(shim.json(VERSION))


def test_a_login_in_the_address_of_a_file_is_not_served(served: Serve) -> None:
    with FakeIndex([OLD], json=True) as index:
        index.files_url = f"http://ci:s3cret@127.0.0.1:{index.port}/files/"
        body = served(private(index)).get(PROJECT).body
    assert b"s3cret" not in body
    assert json.loads(body)["urls"][0]["url"].startswith(f"http://127.0.0.1:{index.port}/files/")


# -- while the index cannot be asked


@pytest.mark.parametrize("path", [PROJECT, VERSION])
def test_a_stale_one_stands_in_for_an_index_that_is_down(
    served: Serve, pypi: FakeIndex, path: str
) -> None:
    shim = served(public(pypi), **STALE)
    before = shim.get(path).body
    pypi.stop()
    assert shim.get(path).body == before


@pytest.mark.parametrize(
    "break_",
    [
        lambda index: index.fail(503, path="/pypi/"),
        lambda index: index.fail(403, path="/pypi/"),
        lambda index: index.fail(429, {"Retry-After": "60"}, path="/pypi/"),
        lambda index: index.answer(200, {"Content-Type": "text/html"}, b"<p>Log in", path="/pypi/"),
        lambda index: index.answer(200, {}, b'{"info": {"name": "other"}}', path="/pypi/"),
        lambda index: index.cut(after=40, path="/pypi/"),
    ],
    ids=["503", "403", "429", "portal", "other-json", "cut"],
)
def test_a_stale_one_stands_in_for_any_failure(
    served: Serve, pypi: FakeIndex, break_: Callable[[FakeIndex], Rule]
) -> None:
    shim = served(public(pypi), **STALE)
    before = shim.get(PROJECT).body
    pypi.add(wheel("demo", "3.0"))
    with break_(pypi):
        assert shim.get(PROJECT).body == before
    assert shim.get("/simple/demo/").status == 200


def test_an_index_that_is_silent_costs_one_wait(served: Serve, pypi: FakeIndex) -> None:
    pypi.add(wheel("other"))
    shim = served(public(pypi), limits={"deadline": "4 s"})
    with pypi.hang(path="/pypi/"):
        assert not is_own(shim.json(PROJECT))
        assert not is_own(shim.json("/pypi/other/json"))
    assert pypi.count("/pypi/other/json") == 0


def test_what_comes_late_is_kept_for_the_next_request(served: Serve, pypi: FakeIndex) -> None:
    shim = served(public(pypi), limits={"deadline": "2 s"})
    with pypi.hang(path="/pypi/"):
        assert not is_own(shim.json(PROJECT))
    wait_until(lambda: is_own(shim.json(PROJECT)), 10, "the late document was not kept")
    assert pypi.count(PROJECT) == 1


def test_offline_it_is_served_from_the_cache(
    served: Serve, pypi: FakeIndex, tmp_path: Path
) -> None:
    cache = tmp_path / "cache"
    online = served(public(pypi), cache_dir=cache)
    before = online.get(PROJECT).body
    online.stop()
    pypi.clear()
    shim = served(
        public(pypi), arguments=("--offline",), cache_dir=cache, directory=tmp_path / "two"
    )
    assert shim.get(PROJECT).body == before
    assert not pypi.requests


def test_a_document_that_fails_is_no_fault_of_its_index(served: Serve, pypi: FakeIndex) -> None:
    shim = served(public(pypi), limits={"deadline": "2 s"})
    with pypi.fail(503, path="/pypi/"):
        for version in range(5):
            shim.get(f"/pypi/demo/{version}.0/json")
    (status,) = shim.json("/-/status")["indexes"]
    assert status["state"] == "up"


# -- made from the page


@pytest.fixture
def plain() -> Iterator[FakeIndex]:
    with FakeIndex([OLD, NEW, SOURCE]) as index:
        yield index


def test_where_the_index_has_none_it_is_made(served: Serve, plain: FakeIndex) -> None:
    shim = served(public(plain))
    document = shim.json(VERSION)
    info, (file,) = document["info"], document["urls"]
    assert (info["name"], info["version"], info["requires_dist"]) == ("demo", "1.0", ["six>=1"])
    assert file["digests"] == {"sha256": OLD.sha256}
    assert file["size"] == len(OLD.data)
    assert file["url"].startswith(f"http://127.0.0.1:{shim.port}/files/pypi/")
    assert shim.get(file["url"].partition(str(shim.port))[2]).body == OLD.data


def test_the_made_document_of_a_project_is_of_its_newest_version(
    served: Serve, plain: FakeIndex
) -> None:
    plain.add(wheel("demo", "3.0"), yanked="broken")
    plain.add(wheel("demo", "4.0rc1"))
    document = served(public(plain)).json(PROJECT)
    assert document["info"]["version"] == "2.0"
    assert list(document["releases"]) == ["1.0", "2.0", "3.0", "4.0rc1"]
    assert document["urls"] == document["releases"]["2.0"]
    assert document["releases"]["3.0"][0]["yanked_reason"] == "broken"


def test_the_metadata_of_a_lone_sdist_is_read_from_it(served: Serve) -> None:
    source = sdist("demo", "1.0", requires=["six"])
    with FakeIndex([source]) as index:
        document = served(public(index)).json(VERSION)
    assert document["info"]["requires_dist"] == ["six"]


def test_one_request_tells_that_an_index_has_no_json(served: Serve, plain: FakeIndex) -> None:
    plain.add(wheel("other"))
    shim = served(public(plain))
    for path in (VERSION, PROJECT, "/pypi/other/json"):
        assert shim.get(path).status == 200
    assert [r.path for r in plain.requests if r.path.startswith("/pypi/")] == [VERSION]


def test_a_version_that_no_page_lists_tells_nothing_of_an_index(
    served: Serve, pypi: FakeIndex
) -> None:
    shim = served(public(pypi))
    assert shim.get("/pypi/demo/9.9/json").problem["status"] == 404
    assert is_own(shim.json(PROJECT))


def test_a_document_that_the_index_has_no_more_is_made(served: Serve, pypi: FakeIndex) -> None:
    shim = served(public(pypi), **STALE)
    assert is_own(shim.json(PROJECT))
    pypi.json = False
    assert not is_own(shim.json(PROJECT))


@pytest.mark.parametrize(
    "body",
    [b"<html><body>Log in</body></html>", b"{", b"[]", b'{"info": {}}', b"\xff\xfe"],
    ids=["portal", "cut", "list", "nameless", "binary"],
)
def test_what_is_no_document_is_never_kept(served: Serve, pypi: FakeIndex, body: bytes) -> None:
    shim = served(public(pypi))
    with pypi.answer(200, {"Content-Type": "application/json"}, body, path="/pypi/"):
        assert not is_own(shim.json(PROJECT))
    assert is_own(json.loads(shim.get(PROJECT, {"Cache-Control": "no-cache"}).body))


def test_a_document_beyond_the_limit_is_not_read(served: Serve, pypi: FakeIndex) -> None:
    shim = served(public(pypi), limits={"page_size": "50 KB"})
    own = shim.get(VERSION).body
    with pypi.answer(200, {}, own.replace(b"1.0", b"2.0") + b" " * 50_000, path="/pypi/"):
        assert not is_own(shim.json("/pypi/demo/2.0/json"))
    assert is_own(shim.json("/pypi/demo/2.0/json"))


def test_a_directory_has_its_documents_made(served: Serve, tmp_path: Path) -> None:
    directory = flat_directory(tmp_path / "wheels", [OLD])
    shim = served(index_table("wheels", str(directory), role="private"))
    document = shim.json(VERSION)
    assert document["info"]["requires_dist"] == ["six>=1"]
    assert shim.get(addresses(document)[0].partition(str(shim.port))[2]).body == OLD.data


# -- whose it is


def test_the_public_document_is_never_that_of_a_private_name(
    served: Serve, pypi: FakeIndex
) -> None:
    own = wheel("demo", "0.5")
    with FakeIndex([own]) as index:
        shim = served(private(index), public(pypi))
        document = shim.json(PROJECT)
        assert document["info"]["version"] == "0.5"
        assert list(document["releases"]) == ["0.5"]
        assert shim.get(VERSION).problem["status"] == 404
        index.remove_project("demo")
        assert shim.get(PROJECT, {"Cache-Control": "no-cache"}).problem["status"] == 404
    assert not [r for r in pypi.requests if r.path.startswith("/pypi/")]


def test_a_redirect_to_the_public_document_is_not_followed(served: Serve, pypi: FakeIndex) -> None:
    with FakeIndex([OLD]) as index:
        index.redirect(f"{pypi.base}{{path}}", path="/pypi/")
        assert not is_own(served(private(index), public(pypi)).json(VERSION))
    assert not pypi.count(VERSION)


def test_a_private_index_down_is_503_and_no_public_document(served: Serve, pypi: FakeIndex) -> None:
    with FakeIndex([wheel("acme-app")], json=True) as index:
        shim = served(private(index), public(pypi))
        with index.fail(503):
            assert shim.get(PROJECT).problem["status"] == 503
    assert not pypi.count(PROJECT)


def test_a_project_of_a_mirror_has_the_document_of_its_public_index(
    served: Serve, pypi: FakeIndex
) -> None:
    with FakeIndex([OLD, NEW]) as copy:
        shim = served(mirror(copy), public(pypi))
        document = shim.json(VERSION)
        assert is_own(document)
        assert addresses(document) == [pypi.file_url(OLD.filename)]
        assert not [r for r in copy.requests if r.path.startswith("/pypi/")]
        assert not pypi.count("/simple/demo/")


def test_the_mirrors_own_stands_in_for_it(served: Serve, pypi: FakeIndex) -> None:
    with FakeIndex([OLD], json=True) as copy:
        shim = served(mirror(copy), public(pypi))
        with pypi.fail(503):
            document = shim.json(VERSION)
        assert addresses(document) == [copy.file_url(OLD.filename)]


def test_a_mirrors_project_that_the_public_index_lacks_does_not_stop_its_json(
    served: Serve, pypi: FakeIndex
) -> None:
    with FakeIndex([wheel("extra"), OLD]) as copy:
        shim = served(mirror(copy), public(pypi))
        assert not is_own(shim.json("/pypi/extra/json"))
        assert is_own(shim.json(VERSION))


def test_with_the_whole_chain_down_and_nothing_kept_it_is_503(
    served: Serve, pypi: FakeIndex
) -> None:
    shim = served(public(pypi))
    with pypi.fail(503):
        assert shim.get(PROJECT).problem["status"] == 503


# -- withheld files


def test_a_file_that_has_changed_is_left_out(served: Serve, pypi: FakeIndex) -> None:
    shim = served(public(pypi), **STALE)
    assert shim.get(f"/files/pypi/demo.{OLD.sha256}/{OLD.filename}").status == 200
    other = wheel("demo", "1.0", requires=["evil"])
    pypi.add(other)
    # The pin is made just after the answer has ended.
    wait_until(lambda: addresses(shim.json(VERSION)) == [], 5, "the changed file is offered")
    releases = shim.json(PROJECT)["releases"]
    assert {version: len(files) for version, files in releases.items()} == {"2.0": 2}


def test_a_quarantined_project_offers_no_file(served: Serve, pypi: FakeIndex) -> None:
    pypi.project("demo").status = "quarantined"
    assert addresses(served(public(pypi)).json(VERSION)) == []


# -- addresses


@pytest.mark.parametrize(
    ("asked", "given"),
    [
        ("/pypi/De.Mo/json", "/pypi/de-mo/json"),
        ("/pypi/Demo/1.0+local/json", "/pypi/demo/1.0%2Blocal/json"),
    ],
)
def test_another_spelling_is_redirected(
    served: Serve, pypi: FakeIndex, asked: str, given: str
) -> None:
    answer = served(public(pypi)).get(asked)
    assert (answer.status, answer.headers["Location"]) == (301, given)


@pytest.mark.parametrize(
    "path", ["/pypi/-/json", "/pypi/demo/../json", "/pypi/demo/.../json", "/pypi/demo/a%3Fb/json"]
)
def test_what_names_nothing_is_404(served: Serve, pypi: FakeIndex, path: str) -> None:
    assert served(public(pypi)).get(path).problem["status"] == 404
    assert not pypi.requests


def test_an_unknown_project_is_404(served: Serve, pypi: FakeIndex) -> None:
    assert served(public(pypi)).get("/pypi/nowhere/json").problem["status"] == 404
