"""What an index is asked for with read-ahead for real clients, beside what they ask directly."""

import sys
from collections.abc import Iterator
from typing import Any

import pytest

from indexfallback.files.planner import MOST_WRONG
from tests.clients.support import (
    Client,
    Served,
    User,
    installed,
    make_environment,
    pip,
    uv,
    write_config,
)
from tests.fakes import FakeIndex, tree, wheel

TREE = tree(18, fanout=3, size=5_000)
#: Each of a few projects requires another one, in a newer version two others.
_PINNED = [f"pinned-{n}" for n in range(12)]
PINS = [wheel(name, "1.0", requires=["tree-9"], size=20_000) for name in _PINNED]
NEWER = [wheel(name, "2.0", requires=[f"new-{name}"]) for name in _PINNED]
NEEDED = [wheel(f"new-{name}") for name in _PINNED]
#: A round trip, seconds: the client waits for each of its requests.
_DELAY = 0.02


@pytest.fixture
def index() -> Iterator[FakeIndex]:
    with FakeIndex([*TREE, *PINS, *NEWER, *NEEDED]) as index:
        index.delay(_DELAY)
        yield index


@pytest.fixture(params=["pip", "uv"])
def client(request: pytest.FixtureRequest, environments: dict[str, Client]) -> Client:
    return environments[request.param]


@pytest.fixture
def served(user: User, index: FakeIndex) -> Iterator[Served]:
    public = {"url": index.url, "role": "public"}
    write_config(user.config, {"public": public})
    with user.serve() as served:
        yield served


def paths(index: FakeIndex) -> list[str]:
    """Return what was asked for since the last call, in order, but for the list of names."""
    asked = [request.path for request in index.requests if request.path != "/simple/"]
    index.clear()
    return asked


def install(user: User, client: Client, url: str, *requirements: str) -> dict[str, str]:
    """Return what is installed from an index."""
    target = user.target()
    user.call(*client.install(target, "--index-url", url, *requirements)).expect()
    return installed(target)


def ahead(served: Served) -> dict[str, int]:
    report: Any = served.get("/-/status")["activity"]["ahead"]
    return {name: int(value) for name, value in report.items()}


def test_the_same_is_asked_for_as_directly_and_all_of_it_is_used(
    index: FakeIndex, served: Served, user: User, client: Client
) -> None:
    directly = install(user, client, index.url, "tree-0")
    expected = paths(index)
    assert install(user, client, served.url, "tree-0") == directly
    asked = paths(index)
    assert sorted(asked) == sorted(set(asked)), "something was asked for twice"
    assert set(asked) == set(expected)
    report = ahead(served)
    assert report["used"] == report["bytes"] > 0
    # pip asks for one thing after the other; uv itself is ahead of what it needs.
    assert report["fetches"] > (len(expected) / 2 if client.name == "pip" else 0)


def test_pins_that_the_shim_does_not_know_cost_a_few_requests(
    index: FakeIndex, served: Served, user: User, client: Client
) -> None:
    pins = [f"{dist.name}=={dist.version}" for dist in PINS]
    directly = install(user, client, index.url, *pins)
    expected = paths(index)
    assert install(user, client, served.url, *pins) == directly
    asked = paths(index)
    assert set(expected) <= set(asked)
    more = set(asked) - set(expected)
    wrong = {path for path in more if "-2.0-" in path}
    # uv asks for all pages before it asks for metadata, so that more guesses are under way.
    assert len(wrong) <= (MOST_WRONG + 1 if client.name == "pip" else len(PINS))
    assert len(more) <= 3 * len(wrong), "the metadata, and page and metadata of what they require"
    assert all(path.endswith((".metadata", "/")) for path in more), "a wheel that nobody asked for"
    report = ahead(served)
    assert report["bytes"] - report["used"] <= report["used"] * 0.1


def test_no_wheel_is_fetched_for_a_client_that_only_resolves(
    index: FakeIndex, served: Served, user: User, environments: dict[str, Client]
) -> None:
    requirements = user.home / "requirements.in"
    requirements.write_text("tree-0\n", encoding="utf-8")
    command = environments["uv"].command("compile", "--index-url", served.url, str(requirements))
    user.call(*command).expect()
    asked = paths(index)
    assert len(asked) == 2 * len(TREE)
    assert not [path for path in asked if path.endswith(".whl")]


def test_run_says_that_what_was_fetched_ahead_is_not_from_the_cache(
    index: FakeIndex, user: User, client: Client
) -> None:
    public = {"url": index.url, "role": "public"}
    write_config(user.config, {"public": public})
    done = user.run(*client.install(user.target(), "tree-0")).expect()
    assert f"{len(TREE)} projects: {len(TREE)} from public; 0 from cache;" in done.said
    done = user.run(*client.install(user.target(), "tree-0")).expect()
    assert f"{len(TREE)} from cache;" in done.said


def test_a_client_that_has_most_of_a_tree_already_costs_little_more(
    index: FakeIndex, served: Served, user: User
) -> None:
    """Of requirements that are there already pip asks for nothing, which the shim cannot know."""
    there = [wheel(f"there-{n}") for n in range(100)]
    app = wheel("app", requires=[dist.name for dist in there])
    for dist in (*there, app):
        index.add(dist)
    python = make_environment(user.home / "environment")
    fill = uv(python).command("install", "--index-url", index.url, *(dist.name for dist in there))
    user.call(*fill).expect()
    index.clear()
    client = pip("pip", sys.executable, "-m", "pip", "--python", str(python))
    user.call(*client.command("install", "--index-url", served.url, "app")).expect()
    assert f"/files/{app.filename}" in paths(index)
    assert 0 < ahead(served)["fetches"] < len(there) / 2
