"""Resolving large wheels costs their metadata, not the wheels, whatever the index offers."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.clients.support import Client, Done, Served, User, installed, write_config
from tests.fakes import FakeIndex, wheel
from tests.fakes.pages import HTML_ONLY

SIZE = 20_000_000
LARGE = [
    wheel("large-a", requires=["large-b"], size=SIZE),
    wheel("large-b", requires=["large-c"], size=SIZE),
    wheel("large-c", size=SIZE),
]
#: Bytes that the index may send for the three.
LITTLE = 1_000_000
SMALL = wheel("small", requires=["unlisted"])


@pytest.fixture(params=["json", "html"])
def index(request: pytest.FixtureRequest) -> Iterator[FakeIndex]:
    formats = {"formats": HTML_ONLY} if request.param == "html" else {}
    with FakeIndex(LARGE, metadata=False, **formats) as made:  # type: ignore[arg-type] # one key
        yield made


@pytest.fixture
def served(user: User, index: FakeIndex) -> Iterator[Served]:
    write_config(user.config, {"public": {"url": index.url, "role": "public"}})
    with user.serve() as made:
        yield made


@pytest.fixture(params=["pip", "uv"])
def client(request: pytest.FixtureRequest, environments: dict[str, Client]) -> Client:
    return environments[request.param]


def resolve(user: User, client: Client, *options: str) -> Done:
    """Resolve the first of the large wheels."""
    if client.name == "uv":
        requirements = user.home / "requirements.in"
        requirements.write_text("large-a")
        return user.call(*client.command("compile", *options, str(requirements)))
    return user.call(
        *client.command("install", "--dry-run", "--ignore-installed", *options, "large-a")
    )


def wholes(index: FakeIndex) -> int:
    """Return how often a whole file was asked for."""
    return sum(
        request.path.endswith(".whl") and request.method == "GET" and "Range" not in request.headers
        for request in index.requests
    )


def test_three_large_wheels_are_resolved_for_little(
    user: User, client: Client, index: FakeIndex, served: Served
) -> None:
    done = resolve(user, client, "--index-url", served.url).expect()
    assert all(f"large-{name}" in done.stdout for name in "abc"), done
    assert wholes(index) == 0
    assert index.sent < LITTLE


def test_an_index_without_ranges_sends_each_wheel_once(
    user: User, client: Client, index: FakeIndex, served: Served
) -> None:
    index.ranges = False
    resolve(user, client, "--index-url", served.url).expect()
    target = user.target()
    user.call(*client.install(target, "--index-url", served.url, "large-a")).expect()
    assert installed(target) == {dist.project: "1.0" for dist in LARGE}
    assert wholes(index) == 3


def test_a_client_that_reads_wheels_in_parts_does_so_through_the_shim(
    user: User, client: Client, index: FakeIndex, served: Served
) -> None:
    # A page of links, which promises no metadata.
    links = "".join(
        f'<a href="{served.base}/files/public/{dist.project}.{dist.sha256}/{dist.filename}">'
        f"{dist.filename}</a>\n"
        for dist in LARGE
    )
    index.answer(200, {"Content-Type": "text/html"}, links.encode(), path="/links/")
    options = ["--no-index", "--find-links", f"{index.base}/links/"]
    if client.name == "pip":
        options.append("--use-feature=fast-deps")
    resolve(user, client, *options).expect()
    assert wholes(index) == 0 or client.name == "pip"
    assert index.sent < LITTLE


def test_metadata_that_the_wheel_gainsays_stops_the_installation_with_both_hashes(
    user: User, client: Client
) -> None:
    lie = SMALL.metadata.replace(b"Requires-Dist: unlisted\n", b"")
    with FakeIndex([replace(SMALL, metadata=lie)]) as index:
        write_config(user.config, {"public": {"url": index.url, "role": "public"}})
        target = user.target()
        done = user.run(*client.install(target, "small"))
        assert done.code
        assert installed(target) == {}
        assert f"{SMALL.filename} was refused" in done.said
        assert f"has sha256 {SMALL.metadata_sha256}" in done.said
        assert replace(SMALL, metadata=lie).metadata_sha256 in done.said


#: Neither client can install it; uv takes another version, as it does directly.
BROKEN = replace(wheel("old", "2.0"), data=wheel("other", "2.0").data)


def test_a_wheel_without_metadata_is_passed_over(
    user: User, client: Client, index: FakeIndex, served: Served
) -> None:
    index.add(BROKEN)
    index.add(wheel("old", "1.0"))
    target = user.target()
    done = user.call(*client.install(target, "--index-url", served.url, "old"))
    assert installed(target) == {"old": "1.0"}, done
