"""Indexes as they are: what pip and uv install directly, they install through the shim as well."""

from collections.abc import Callable, Iterator
from time import monotonic

import pytest
import requests

from tests.clients.support import (
    CLIENT_SECONDS,
    Client,
    Done,
    Served,
    User,
    installed,
    write_config,
)
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
    write_config(owner.config, {"public": {"url": index.url, "role": "public"}})
    with owner.serve() as served:
        yield served


@pytest.fixture(params=["pip", "uv"])
def client(request: pytest.FixtureRequest, environments: dict[str, Client]) -> Client:
    return environments[request.param]


def install(user: User, client: Client, url: str, project: str) -> tuple[Done, dict[str, str]]:
    """Return how an installation ends, and what is installed then."""
    target = user.target()
    done = user.call(*client.install(target, "--index-url", url, "--no-deps", project))
    return done, installed(target)


def page(index: FakeIndex, dist: Dist, html: str) -> Rule:
    """Put an HTML page in place of a project's."""
    return index.answer(
        200, {"Content-Type": HTML_TYPE}, html.encode(), path=f"/simple/{dist.project}/"
    )


Imperfect = Callable[[FakeIndex, Dist], object]
#: What is no reason to refuse a file or a page.
INSTALLABLE: dict[str, tuple[Callable[..., Dist], Imperfect]] = {
    "an sdist called a tar in gzip": (
        sdist,
        lambda i, d: i.header("Content-Encoding", "gzip", path=f"/files/{d.filename}"),
    ),
    "an sdist called a tar in x-gzip, without a hash": (
        sdist,
        lambda i, d: (
            page(i, d, f'<a href="{i.file_url(d.filename)}">{d.filename}</a>'),
            i.header("Content-Encoding", "x-gzip", path=f"/files/{d.filename}"),
        ),
    ),
    "a page without its end": (
        wheel,
        lambda i, d: page(i, d, f'<html><body><a href="{i.file_url(d.filename)}">x</a><br/>\n'),
    ),
    "a page in chunks without its end": (
        wheel,
        lambda i, d: (
            page(i, d, f'<html><body><a href="{i.file_url(d.filename)}">x</a><br/>\n'),
            i.chunked(path=f"/simple/{d.project}/"),
        ),
    ),
    "a wheel called a web page": (
        wheel,
        lambda i, d: i.header("Content-Type", "text/html", path=f"/files/{d.filename}"),
    ),
    "a link with the name of another file as its text": (
        wheel,
        lambda i, d: page(
            i, d, f'<a href="{i.file_url(d.filename)}#sha256={d.sha256}">{d.project}-9.0.zip</a>'
        ),
    ),
}


@pytest.mark.parametrize("case", INSTALLABLE)
def test_what_installs_directly_installs_through_the_shim(
    index: FakeIndex, served: Served, user: User, client: Client, case: str
) -> None:
    make, spoil = INSTALLABLE[case]
    # A name of its own for each test: the shim keeps what it has seen.
    dist = make(f"imperfect-{list(INSTALLABLE).index(case)}-{client.name}")
    index.add(dist)
    spoil(index, dist)
    if client.name == "pip":  # uv decodes what is called encoded, whatever its hash says
        done, got = install(user, client, index.url, dist.name)
        assert got == {dist.project: "1.0"}, done
    done, got = install(user, client, served.url, dist.name)
    assert got == {dist.project: "1.0"}, done


def test_a_release_whose_upload_time_has_an_offset_is_found_by_exclude_newer(
    served: Served, user: User, environments: dict[str, Client], index: FakeIndex
) -> None:
    index.formats = ("html", "json")
    client = environments["uv"]
    index.add(wheel("timed", "1.0"), upload_time="2024-01-01T01:00:00+02:00")
    index.add(wheel("timed", "2.0"), upload_time="2024-01-01T01:00:00-02:00")
    for url in (index.url, served.url):
        target = user.target()
        limit = ("--exclude-newer", "2024-01-01T00:00:00Z")
        user.call(*client.install(target, "--index-url", url, *limit, "timed")).expect()
        assert installed(target) == {"timed": "1.0"}, url


@pytest.mark.parametrize("status", [401, 403, 404, 410])
def test_a_file_whose_signed_address_has_expired_is_installed(
    index: FakeIndex, served: Served, user: User, client: Client, status: int
) -> None:
    dist = wheel(f"signed-{status}-{client.name}")
    path = f"/signed/{dist.filename}"
    index.add(dist, url=f"{index.base}{path}?token=old")
    requests.get(f"{served.url}{dist.project}/", timeout=CLIENT_SECONDS).raise_for_status()
    index.add(dist, url=f"{index.base}{path}?token=new")
    index.answer(200, {"Content-Type": "application/zip"}, dist.data, path=path)
    index.answer(200, {}, dist.metadata, path=f"{path}.metadata")
    index.fail(status, path=path, times=1)
    done, got = install(user, client, served.url, dist.name)
    assert got == {dist.project: "1.0"}, done
    targets = [request.target for request in index.requests if request.path.startswith(path)]
    first = f"{path}.metadata" if client.name == "pip" else path  # with --no-deps uv needs none
    assert targets[:2] == [f"{first}?token=old", f"{first}?token=new"]
    assert targets[-1] == f"{path}?token=new"


#: What is final: installed neither directly nor through the shim.
FINAL: dict[str, tuple[Imperfect, str]] = {
    "a file that is not there": (
        lambda i, d: i.fail(404, path=f"/files/{d.filename}"),
        "public: 404 Not Found",
    ),
    "a file that is gone": (
        lambda i, d: i.fail(410, path=f"/files/{d.filename}"),
        "public: 410 Gone",
    ),
    "wrong bytes": (lambda i, d: i.corrupt(d.filename), "gave wrong bytes lately: sha256 "),
}
#: What a final answer may cost beyond the client's own way to it, seconds.
COST = 10.0


@pytest.mark.parametrize("case", FINAL)
def test_what_is_final_costs_no_retries_and_is_said(
    index: FakeIndex, served: Served, user: User, client: Client, case: str
) -> None:
    spoil, said = FINAL[case]
    dist = sdist(f"final-{list(FINAL).index(case)}-{client.name}")
    index.add(dist)
    spoil(index, dist)
    began = monotonic()
    done, got = install(user, client, index.url, dist.name)
    directly = monotonic() - began
    assert (done.code == 0, got) == (False, {})
    for _ in range(2):
        began = monotonic()
        done, got = install(user, client, served.url, dist.name)
        assert monotonic() - began < directly + COST
        assert (done.code == 0, got) == (False, {})
        assert "404" in done.stderr or "409" in done.stderr, done
        assert "503" not in done.stderr
    failures = served.get("/-/status")["activity"]["failures"]
    (failure,) = [failure for failure in failures if failure["what"] == dist.filename]
    assert said in failure["cause"]


def test_run_says_which_hash_was_expected_and_which_came(
    index: FakeIndex, user: User, client: Client
) -> None:
    dist = sdist(f"said-{client.name}")
    index.add(dist)
    index.corrupt(dist.filename)
    write_config(user.config, {"public": {"url": index.url, "role": "public"}})
    done = user.run(*client.install(user.target(), "--no-deps", dist.name))
    assert done.code != 0
    assert f"{dist.filename} was refused." in done.said
    assert "public: wrong bytes: sha256 " in done.said
    assert f"where {dist.sha256} was expected" in done.said


#: A promise of metadata that does not hold.
PROMISED: dict[str, Imperfect] = {
    "missing": lambda i, d: i.fail(404, path=f"/files/{d.filename}.metadata"),
    "wrong": lambda i, d: i.corrupt(f"{d.filename}.metadata"),
}


@pytest.mark.parametrize("case", PROMISED)
def test_promised_metadata_that_is_not_to_be_had_stops_no_installation(
    index: FakeIndex, served: Served, user: User, client: Client, case: str
) -> None:
    dist = wheel(f"promised-{case}-{client.name}", requires=["needed-by-it"])
    index.add(dist)
    index.add(wheel("needed-by-it"))
    PROMISED[case](index, dist)
    target = user.target()
    user.call(*client.install(target, "--index-url", served.url, dist.name)).expect()
    assert installed(target) == {dist.project: "1.0", "needed-by-it": "1.0"}
