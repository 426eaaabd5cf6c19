"""Pages at the addresses of intercepted indexes."""

import json
import re
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urljoin
from urllib.request import Request, urlopen

import pytest
from pip._internal.network.session import user_agent

from indexfallback.config.pip import default_url
from tests.conftest import Serve
from tests.fakes import FakeIndex, flat_directory, sdist, wheel
from tests.server.intercepting import JSON, files, via
from tests.serving import Served, config_text, index_table, serving, wait_until

DEMO = wheel("demo", requires_python=">=3.8,<4")
PLUS = wheel("plus", "1.0+local.1")
PLUS_SDIST = sdist("plus", "1.0+local.1")
ACME = wheel("acme-core")
LOGIN = {"Authorization": f"Basic {b64encode(b'ci:s3cret').decode()}"}


class World(NamedTuple):
    """A shim in front of a private index, a mirror and its public index."""

    shim: Served
    private: FakeIndex
    mirror: FakeIndex
    pypi: FakeIndex


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with (
        FakeIndex([ACME]) as private,
        FakeIndex([DEMO], metadata=False) as mirror,
        FakeIndex([DEMO, wheel("only-there"), wheel("acme-core", "9.0")]) as pypi,
    ):
        pypi.add(PLUS, yanked='a "reason" & more', gpg_sig=True, provenance="../../p/plus")
        hashes = {"md5": "0" * 32, "sha256": PLUS_SDIST.sha256}
        pypi.add(PLUS_SDIST, upload_time="2024-01-02T03:04:05.678900Z", hashes=hashes)
        tables = (
            index_table("private", private.url, role="private"),
            index_table("mirror", mirror.url, role="mirror", mirror_of="pypi"),
            index_table("pypi", pypi.url),
        )
        with serving(tmp_path_factory.mktemp("via"), config_text(*tables)) as shim:
            yield World(shim, private, mirror, pypi)


def direct(url: str, accept: str) -> bytes:
    """Return what the index itself answers."""
    with urlopen(Request(url, headers={"Accept": accept})) as answer:
        return bytes(answer.read())


def test_what_a_lock_file_records_is_as_the_index_has_it(world: World) -> None:
    url = f"{world.pypi.url}plus/"
    own = json.loads(direct(url, JSON["Accept"]))["files"]
    for file in own:
        file["url"] = urljoin(url, file["url"])
        if "provenance" in file:
            file["provenance"] = urljoin(url, file["provenance"])
    given = list(files(world.shim, url).values())
    for name in ("filename", "url", "hashes", "size", "upload-time", "yanked", "provenance"):
        assert [f.get(name) for f in given] == [f.get(name) for f in own], name
        # Lock files are written in the order of these.
        assert [list(f["hashes"]) for f in given] == [list(f["hashes"]) for f in own]


def links(page: bytes, url: str) -> list[tuple[str, dict[str, str]]]:
    """Return the absolute address of each link on a page, and its attributes."""
    found = []
    for attributes in re.findall(r"<a ([^>]*)>", page.decode()):
        known = dict(re.findall(r'([\w-]+)="([^"]*)"', attributes))
        found.append((urljoin(url, known.pop("href")), known))
    return found


def test_the_links_of_an_html_page_lead_where_those_of_the_index_do(world: World) -> None:
    url = f"{world.pypi.url}plus/"
    own, given = (links(direct(url, "text/html"), url), links(via(world.shim, url).body, url))
    assert given[0][0] == own[0][0]
    assert "#sha256=" in own[0][0]
    # Of several hashes of the index, we write the one that every client checks.
    assert [url.partition("#")[0] for url, _ in given] == [url.partition("#")[0] for url, _ in own]
    for name in ("data-requires-python", "data-yanked", "data-gpg-sig"):
        assert [a.get(name) for _, a in given] == [a.get(name) for _, a in own]


def test_a_mirror_in_front_changes_nothing_at_the_address_of_its_public_index(
    world: World,
) -> None:
    own = files(world.shim, f"{world.pypi.url}demo/")[DEMO.filename]
    assert own["url"] == world.pypi.file_url(DEMO.filename)
    mirrored = files(world.shim, f"{world.mirror.url}demo/")[DEMO.filename]
    assert mirrored["url"] == world.mirror.file_url(DEMO.filename)


def test_what_the_mirror_lacks_is_there_at_its_address_all_the_same(world: World) -> None:
    (file,) = files(world.shim, f"{world.mirror.url}only-there/").values()
    assert file["url"].startswith(world.pypi.base)


@pytest.mark.parametrize("at", ["private", "mirror", "pypi"])
def test_a_private_project_is_the_private_one_at_every_address(world: World, at: str) -> None:
    root = getattr(world, at).url
    assert list(files(world.shim, f"{root}acme-core/")) == [ACME.filename]
    (file,) = files(world.shim, f"{root}acme-core/").values()
    assert file["url"] == world.private.file_url(ACME.filename)


def test_a_public_project_is_not_at_the_address_of_a_private_index(world: World) -> None:
    problem = via(world.shim, f"{world.private.url}demo/").problem
    assert problem["status"] == 404
    assert "belongs to mirror" in problem["detail"]


def test_what_nobody_has_is_a_404_at_each_address(world: World) -> None:
    for index in (world.private, world.mirror, world.pypi):
        assert via(world.shim, f"{index.url}nowhere/").problem["status"] == 404


@pytest.mark.parametrize(
    ("asked", "location"),
    [("De.Mo/", "/simple/de-mo/"), ("demo", "/simple/demo/"), ("De_Mo", "/simple/de-mo/")],
)
def test_another_spelling_is_redirected_within_its_host(
    world: World, asked: str, location: str
) -> None:
    answer = via(world.shim, f"{world.pypi.url}{asked}")
    assert (answer.status, answer.headers["Location"]) == (301, location)


def test_the_list_of_names_is_short(world: World) -> None:
    via(world.shim, f"{world.pypi.url}demo/")
    names = json.loads(via(world.shim, world.pypi.url, JSON).body)["projects"]
    assert {"name": "demo"} in names
    files(world.shim, f"{world.private.url}acme-core/")
    assert json.loads(via(world.shim, world.private.url, JSON).body)["projects"] == [
        {"name": "acme-core"}
    ]


@pytest.mark.parametrize("path", ["", "help/", "simple/demo/index.html", "pypi/demo/1.0/x/json"])
def test_other_things_at_its_host_are_not_ours(world: World, path: str) -> None:
    assert via(world.shim, f"{world.pypi.base}/{path}").problem["status"] == 421


def test_another_host_is_not_ours(world: World) -> None:
    assert via(world.shim, "https://www.example.com/simple/demo/").problem["status"] == 421
    assert via(world.shim, "https://www.example.com").problem["status"] == 421


def test_an_upload_is_no_request_for_this(world: World) -> None:
    assert via(world.shim, f"{world.pypi.url}demo/", method="POST").status == 405


def test_head_and_validators_are_answered(world: World) -> None:
    url = f"{world.pypi.url}demo/"
    page = via(world.shim, url, JSON)
    head = via(world.shim, url, JSON, method="HEAD")
    assert (head.status, head.body) == (200, b"")
    known = via(world.shim, url, {**JSON, "If-None-Match": page.headers["ETag"]})
    assert (known.status, known.body) == (304, b"")


def test_a_page_is_asked_again_for_a_client_that_wants_it(world: World) -> None:
    url = f"{world.pypi.url}demo/"
    via(world.shim, url)
    world.pypi.clear()
    via(world.shim, url, {"Cache-Control": "no-cache"})
    assert world.pypi.count("/simple/demo/") == 1


def test_every_wheel_has_metadata_where_the_chain_alone_tells_of_the_host(served: Serve) -> None:
    with FakeIndex([DEMO], metadata=False) as own, FakeIndex([], metadata=False) as other:
        own.add(PLUS, url=f"http://localhost:{other.port}/{PLUS.filename}")
        shim = served(index_table("pypi", own.url))
        assert files(shim, f"{own.url}demo/")[DEMO.filename]["core-metadata"] is True
        assert files(shim, f"{own.url}plus/")[PLUS.filename]["core-metadata"] is False


@pytest.mark.parametrize("asked", ["pypi", "default"])
def test_files_of_a_directory_are_beside_the_page_that_was_asked_for(
    served: Serve, tmp_path: Path, asked: str
) -> None:
    flat_directory(tmp_path / "wheels", [ACME])
    with FakeIndex([DEMO]) as pypi:
        shim = served(
            index_table("wheels", str(tmp_path / "wheels"), role="private"),
            index_table("pypi", pypi.url),
        )
        root = pypi.url if asked == "pypi" else default_url()
        (file,) = files(shim, f"{root}acme-core/").values()
        assert file["url"] == f"{root}acme-core/{ACME.filename}"  # whichever port the shim has
        assert via(shim, file["url"]).body == ACME.data
        assert via(shim, f"{file['url']}.metadata").body == ACME.metadata


def test_while_the_public_index_is_down_a_private_one_says_what_it_lacks(served: Serve) -> None:
    with FakeIndex([ACME]) as private, FakeIndex([DEMO]) as pypi:
        shim = served(
            index_table("private", private.url, role="private"), index_table("pypi", pypi.url)
        )
        pypi.stop_listening()
        assert via(shim, f"{private.url}nowhere/").problem["status"] == 404
        assert via(shim, f"{pypi.url}nowhere/").problem["status"] == 503
        private.stop_listening()
        assert via(shim, f"{private.url}acme-other/").problem["status"] == 503


def test_two_private_indexes_keep_to_their_addresses(served: Serve) -> None:
    with FakeIndex([ACME]) as first, FakeIndex([DEMO]) as second, FakeIndex([]) as pypi:
        shim = served(
            index_table("first", first.url, role="private"),
            index_table("second", second.url, role="private"),
            index_table("pypi", pypi.url),
        )
        assert list(files(shim, f"{second.url}demo/")) == [DEMO.filename]
        assert "belongs to first" in via(shim, f"{second.url}acme-core/").problem["detail"]
        assert "belongs to second" in via(shim, f"{first.url}demo/").problem["detail"]


def closed(served: Serve, index: FakeIndex, pypi: FakeIndex, **keys: object) -> Served:
    """Return a shim with a private index that wants a login, which it does not have."""
    return served(
        index_table("private", index.url, role="private", **keys), index_table("pypi", pypi.url)
    )


def test_a_private_index_asks_for_a_login_at_its_own_address_alone(served: Serve) -> None:
    with FakeIndex([ACME], username="ci", password="s3cret") as own, FakeIndex([DEMO]) as pypi:
        shim = closed(served, own, pypi)
        answer = via(shim, f"{own.url}acme-core/")
        assert answer.status == 401
        assert answer.headers["WWW-Authenticate"] == 'Basic realm="private"'
        assert via(shim, f"{pypi.url}acme-core/").problem["status"] == 503
        again = via(shim, f"{own.url}acme-core/")
        assert again.status == 401, "also while it is held"


def test_a_clients_login_opens_the_index_even_while_it_is_held(served: Serve) -> None:
    with FakeIndex([ACME], username="ci", password="s3cret") as own, FakeIndex([DEMO]) as pypi:
        shim = closed(served, own, pypi)
        assert via(shim, f"{own.url}acme-core/").status == 401
        assert list(files(shim, f"{own.url}acme-core/", LOGIN)) == [ACME.filename]
        assert list(files(shim, f"{pypi.url}acme-core/")) == [ACME.filename], "its page is kept"


def test_a_clients_login_is_used_once_and_kept_nowhere(served: Serve, tmp_path: Path) -> None:
    with FakeIndex([ACME], username="ci", password="s3cret") as own, FakeIndex([DEMO]) as pypi:
        shim = closed(served, own, pypi, fresh="0 s")
        assert via(shim, f"{own.url}acme-core/", LOGIN).status == 200
        own.clear()
        assert via(shim, f"{own.url}acme-core/").status == 401
        asked = [r for r in own.requests if r.path == "/simple/acme-core/"]
        assert [r.headers.get("Authorization") for r in asked] == [None]
        assert all(r.headers.get("Authorization") is None for r in pypi.requests)
        told = json.dumps([shim.json("/-/status"), shim.json("/-/why/acme-core")]) + shim.log
    secret = LOGIN["Authorization"].partition(" ")[2]
    kept = b"".join(p.read_bytes() for p in tmp_path.rglob("*") if p.is_file())
    for text in (secret, "s3cret"):
        assert text not in told
        assert text.encode() not in kept


def test_a_wrong_login_is_refused_and_holds_the_index_for_nobody_else(served: Serve) -> None:
    wrong = {"Authorization": f"Basic {b64encode(b'ci:wrong').decode()}"}
    with FakeIndex([ACME], username="ci", password="s3cret") as own, FakeIndex([DEMO]) as pypi:
        shim = served(
            index_table("private", own.login_url, role="private"), index_table("pypi", pypi.url)
        )
        assert via(shim, f"{own.url}acme-core/", wrong).status == 401
        assert via(shim, f"{own.url}acme-core/").status == 200, "by the login of the settings"


def test_a_stale_page_is_for_who_has_brought_a_login_that_is_refused(served: Serve) -> None:
    with FakeIndex([ACME], username="ci", password="s3cret") as own, FakeIndex([DEMO]) as pypi:
        shim = closed(served, own, pypi, fresh="0 s")
        assert via(shim, f"{own.url}acme-core/", LOGIN).status == 200
        own.demand("ci", "another")
        assert via(shim, f"{own.url}acme-core/", LOGIN).status == 200
        assert via(shim, f"{own.url}acme-core/").status == 401


def test_a_public_index_never_asks_for_a_login(served: Serve) -> None:
    with FakeIndex([DEMO], username="ci", password="s3cret") as pypi:
        shim = served(index_table("pypi", pypi.url))
        assert via(shim, f"{pypi.url}demo/").problem["status"] == 503


def test_each_login_is_sent_by_itself(served: Serve) -> None:
    with FakeIndex([ACME]) as own, FakeIndex([DEMO]) as pypi:
        shim = closed(served, own, pypi, fresh="0 s")
        for password in (b"one", b"two"):
            login = {"Authorization": f"Basic {b64encode(b'ci:' + password).decode()}"}
            via(shim, f"{own.url}acme-core/", login)
        asked = [r for r in own.requests if r.path == "/simple/acme-core/"]
        assert len({r.headers["Authorization"] for r in asked}) == 2


def test_what_a_client_will_ask_for_next_is_fetched_ahead(served: Serve) -> None:
    agent = {"User-Agent": user_agent()}
    app = wheel("app", requires=["lib"])
    with FakeIndex([app, wheel("lib")]) as mirror, FakeIndex([app, wheel("lib")]) as pypi:
        shim = served(
            index_table("mirror", mirror.url, role="mirror", mirror_of="pypi"),
            index_table("pypi", pypi.url),
        )
        via(shim, f"{pypi.url}app/", agent)
        pypi.wait_for("/simple/lib/")
        wait_until(lambda: shim.json("/-/status")["activity"]["ahead"]["bytes"], 30, "no bytes")
        pypi.clear()
        files(shim, f"{pypi.url}lib/", agent)
        assert pypi.count("/simple/lib/") == 0
        assert mirror.count("/simple/lib/") == 0


def test_why_and_the_activity_tell_of_what_was_served(world: World) -> None:
    via(world.shim, f"{world.pypi.url}demo/", {"User-Agent": "uv/0.13"})
    activity = world.shim.json("/-/status")["activity"]
    assert activity["projects"]["demo"]["owner"] in ("pypi", "mirror")
    assert "uv/0.13" in activity["clients"]
    assert world.shim.json("/-/why/demo")["status"] == 200
