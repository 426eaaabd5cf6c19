"""Indexes as they are: pip and uv install through the shim whatever they install directly."""

import bz2
import gzip
import hashlib
import lzma
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
import requests

from tests.clients.support import CLIENT_SECONDS, Client, Served, User, write_config
from tests.fakes import Dist, FakeIndex, sdist, wheel
from tests.fakes.faults import Rule
from tests.fakes.pages import HTML_ONLY, HTML_TYPE


@pytest.fixture(scope="module")
def index() -> Iterator[FakeIndex]:
    with FakeIndex(formats=HTML_ONLY) as index:
        yield index


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, index: FakeIndex) -> Iterator[Served]:
    owner = User(tmp_path_factory.mktemp("owner"))
    # The index gets the client's own requests alone.
    public = {"public": {"url": index.url, "role": "public"}}
    write_config(owner.config, public, limits_read_ahead=False)
    with owner.serve() as served:
        yield served


@pytest.fixture(params=["pip", "uv"])
def client(request: pytest.FixtureRequest, environments: dict[str, Client]) -> Client:
    return environments[request.param]


@pytest.fixture
def uv(environments: dict[str, Client]) -> Client:
    """For what no client has a part in: what the shim asks for, and what `run` says."""
    return environments["uv"]


def page(index: FakeIndex, dist: Dist, html: str) -> Rule:
    """Put an HTML page in place of a project's."""
    return index.answer(
        200, {"Content-Type": HTML_TYPE}, html.encode(), path=f"/simple/{dist.project}/"
    )


def sign(index: FakeIndex, dist: Dist, token: str) -> str:
    """Have a file and its metadata at addresses with a query; return their path."""
    path = f"/signed/{dist.filename}"
    index.add(dist, url=f"{index.base}{path}?token={token}")
    index.answer(200, {"Content-Type": "application/zip"}, dist.data, path=path)
    index.answer(200, {}, dist.metadata, path=f"{path}.metadata")
    return path


Imperfect = Callable[[FakeIndex, Dist], object]
BOTH, PIP, UV = frozenset({"pip", "uv"}), frozenset({"pip"}), frozenset({"uv"})
#: What is no reason to refuse a file or a page; and the clients that install it directly.
INSTALLABLE: dict[str, tuple[Callable[..., Dist], Imperfect, frozenset[str]]] = {
    "an sdist called a tar in gzip": (
        sdist,
        lambda i, d: i.header("Content-Encoding", "gzip", path=f"/files/{d.filename}"),
        PIP,  # uv decodes what is called encoded, whatever its hash says
    ),
    "an sdist called a tar in x-gzip, without a hash": (
        sdist,
        lambda i, d: (
            page(i, d, f'<a href="{i.file_url(d.filename)}">{d.filename}</a>'),
            i.header("Content-Encoding", "x-gzip", path=f"/files/{d.filename}"),
        ),
        BOTH,
    ),
    "a page without its end": (
        wheel,
        lambda i, d: page(i, d, f'<html><body><a href="{i.file_url(d.filename)}">x</a><br/>\n'),
        BOTH,
    ),
    "a page in chunks without its end": (
        wheel,
        lambda i, d: (
            page(i, d, f'<html><body><a href="{i.file_url(d.filename)}">x</a><br/>\n'),
            i.chunked(path=f"/simple/{d.project}/"),
        ),
        BOTH,
    ),
    "a wheel called a web page": (
        wheel,
        lambda i, d: i.header("Content-Type", "text/html", path=f"/files/{d.filename}"),
        BOTH,
    ),
    "a link with the name of another file as its text": (
        wheel,
        lambda i, d: page(
            i, d, f'<a href="{i.file_url(d.filename)}#sha256={d.sha256}">{d.project}-9.0.zip</a>'
        ),
        BOTH,
    ),
    "a query behind the name of a file with metadata": (
        wheel,
        lambda i, d: sign(i, d, "t"),
        UV,  # pip asks for the metadata behind the query
    ),
    "a second file with a name that is not ASCII": (
        wheel,
        lambda i, d: page(
            i, d, f'<a href="{i.file_url(d.filename)}">x</a> <a href="../../files/ü-2.0.zip">x</a>'
        ),
        BOTH,
    ),
    "a gateway that wants its cookie back": (
        wheel,
        lambda i, d: (
            i.demand_cookie(path=f"/simple/{d.project}/"),
            i.demand_cookie(path=f"/files/{d.filename}"),
        ),
        PIP,
    ),
    "promised metadata that is missing": (
        wheel,
        lambda i, d: i.fail(404, path=f"/files/{d.filename}.metadata"),
        frozenset(),
    ),
    "promised metadata that is wrong": (
        wheel,
        lambda i, d: i.corrupt(f"{d.filename}.metadata"),
        frozenset(),
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", INSTALLABLE)
def test_what_installs_directly_installs_through_the_shim(
    index: FakeIndex, served: Served, user: User, client: Client, case: str
) -> None:
    make, spoil, direct = INSTALLABLE[case]
    # A name of its own for each test: the shim keeps what it has seen.
    number = f"{list(INSTALLABLE).index(case)}-{client.name}"
    dist = make(f"imperfect-{number}", requires=[f"needed-by-{number}"])
    index.add(dist)
    index.add(wheel(f"needed-by-{number}"))
    spoil(index, dist)
    expected = {dist.project: "1.0", f"needed-by-{number}": "1.0"}
    if client.name in direct:
        assert user.install(client, index.url, dist.name).expect() == expected
    assert user.install(client, served.url, dist.name).expect() == expected


#: Sdists of formats from before PEP 625, by the endings of their names.
OLD_FORMATS: dict[str, Callable[[bytes], bytes]] = {
    ".tbz": bz2.compress,
    ".txz": lzma.compress,
    ".tar": lambda data: data,
}


@pytest.mark.parametrize("ending", OLD_FORMATS)
def test_pip_installs_an_sdist_of_an_old_format(
    index: FakeIndex,
    served: Served,
    user: User,
    environments: dict[str, Client],
    ending: str,
) -> None:
    dist = sdist(f"old{ending.replace('.', '-')}")
    data = OLD_FORMATS[ending](gzip.decompress(dist.data))
    index.add(replace(dist, filename=dist.filename.replace(".tar.gz", ending), data=data))
    for url in (index.url, served.url):
        found = user.install(environments["pip"], url, dist.name).expect()
        assert found == {dist.project: "1.0"}, url


def test_an_address_with_two_slashes_behind_its_host_is_asked_as_it_is(
    index: FakeIndex, user: User, uv: Client
) -> None:
    dist = wheel("slashes")
    index.add(dist)
    url = f"{index.base}//simple/"
    write_config(user.config, {"public": {"url": url, "role": "public"}})
    with user.serve() as served:
        through_shim = user.install(uv, served.url, dist.name).expect()
    asked = [each.path for each in index.requests if dist.project in each.path]
    assert asked[0] == f"//simple/{dist.project}/"
    assert through_shim == user.install(uv, url, dist.name).expect() == {dist.project: "1.0"}


def test_a_release_whose_upload_time_has_an_offset_is_found_by_exclude_newer(
    user: User, environments: dict[str, Client]
) -> None:
    limit = ("--exclude-newer", "2024-01-01T00:00:00Z")
    with FakeIndex() as index:
        index.add(wheel("timed", "1.0"), upload_time="2024-01-01T01:00:00+02:00")
        index.add(wheel("timed", "2.0"), upload_time="2024-01-01T01:00:00-02:00")
        write_config(user.config, {"public": {"url": index.url, "role": "public"}})
        with user.serve() as served:
            for url in (index.url, served.url):
                found = user.install(environments["uv"], url, *limit, "timed").expect()
                assert found == {"timed": "1.0"}, url


@pytest.mark.parametrize("status", [401, 403, 404, 410])
def test_a_file_whose_signed_address_has_expired_is_installed(
    index: FakeIndex, served: Served, user: User, client: Client, status: int
) -> None:
    dist = wheel(f"signed-{status}-{client.name}")
    path = sign(index, dist, "old")
    requests.get(f"{served.url}{dist.project}/", timeout=CLIENT_SECONDS).raise_for_status()
    sign(index, dist, "new")
    # pip asks for metadata, which are in the wheel too; with --no-deps uv needs none.
    paths = [f"{path}.metadata", path] if client.name == "pip" else [path]
    index.fail(status, path=path, times=len(paths))
    expected = {dist.project: "1.0"}
    assert user.install(client, served.url, "--no-deps", dist.name).expect() == expected
    targets = [request.target for request in index.requests if request.path.startswith(path)]
    assert targets[: len(paths)] == [f"{asked}?token=old" for asked in paths]
    assert targets[len(paths)] == f"{paths[0]}?token=new"
    assert targets[-1] == f"{path}?token=new"
    # pip itself would ask for the metadata behind the query.
    index.project(dist.project).files[dist.filename].metadata = False
    assert user.install(client, index.url, "--no-deps", dist.name).expect() == expected


#: What is final: installed neither directly nor through the shim; and the cause in `run`'s words.
FINAL: dict[str, tuple[Imperfect, str]] = {
    "a file that is not there": (
        lambda i, d: i.fail(404, path=f"/files/{d.filename}"),
        "{filename} was not found. public: 404 Not Found.",
    ),
    "a file that is gone": (
        lambda i, d: i.fail(410, path=f"/files/{d.filename}"),
        "{filename} was not found. public: 410 Gone.",
    ),
    "wrong bytes": (
        lambda i, d: i.corrupt(d.filename),
        "{filename} was refused. public: wrong bytes: sha256 {wrong} where {sha256} was expected.",
    ),
    "no file but one with a name that is not ASCII": (
        lambda i, d: page(i, d, '<a href="../../files/ü-1.0.zip">ü-1.0.zip</a>'),
        (
            "Of the files that public lists, 1 left out (1: a name with characters that no "
            "distribution's has)."
        ),
    ),
}
#: What a final answer may cost beyond the client's own way to it, seconds.
COST = 10.0


def spoilt(index: FakeIndex, case: str, name: str) -> Dist:
    """Offer an sdist that cannot be installed."""
    dist = sdist(name)
    index.add(dist)
    spoil, _ = FINAL[case]
    spoil(index, dist)
    return dist


@pytest.mark.parametrize("case", FINAL)
def test_what_is_final_costs_no_retries(
    index: FakeIndex, served: Served, user: User, client: Client, case: str
) -> None:
    dist = spoilt(index, case, f"final-{list(FINAL).index(case)}-{client.name}")
    direct = user.install(client, index.url, dist.name)
    assert direct.has_failed
    for _ in range(2):
        through_shim = user.install(client, served.url, dist.name)
        assert through_shim.has_failed
        assert through_shim.seconds < direct.seconds + COST
        assert "503" not in through_shim.done.stderr


@pytest.mark.parametrize("case", FINAL)
def test_run_says_why_nothing_is_installed(
    index: FakeIndex, user: User, uv: Client, case: str
) -> None:
    dist = spoilt(index, case, f"said-{list(FINAL).index(case)}")
    write_config(user.config, {"public": {"url": index.url, "role": "public"}})
    done = user.run(*uv.install(user.target(), dist.name))
    assert done.code != 0
    wrong = bytearray(dist.data)
    wrong[len(wrong) // 2] ^= 0xFF  # as `FakeIndex.corrupt` does
    sha256 = hashlib.sha256(wrong).hexdigest()
    _, said = FINAL[case]
    assert said.format(filename=dist.filename, sha256=dist.sha256, wrong=sha256) in done.said


def test_run_says_that_a_web_page_came_where_a_file_should_be(
    index: FakeIndex, user: User, uv: Client
) -> None:
    # It may pass, as a login page does: the client would try for ten seconds.
    user.environment["UV_HTTP_RETRIES"] = "0"
    dist = sdist("portal")
    index.add(dist, hashes={})
    login = b"<!DOCTYPE html><html><body>Log in</body></html>"
    index.answer(200, {"Content-Type": HTML_TYPE}, login, path=f"/files/{dist.filename}")
    assert user.install(uv, index.url, dist.name).has_failed
    write_config(user.config, {"public": {"url": index.url, "role": "public"}})
    done = user.run(*uv.install(user.target(), dist.name))
    assert done.code != 0
    assert f"{dist.filename} could not be fetched." in done.said
    assert "public: a web page where a file should be." in done.said
    assert "log in to the network" in done.said
