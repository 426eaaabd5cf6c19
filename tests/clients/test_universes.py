"""uv and pip resolve the same through the shim as directly, in random universes of packages."""

import json
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import pytest

from tests.clients.support import Client, User, uv_executable, write_config
from tests.fakes import FakeIndex
from tests.fakes.pages import HTML_ONLY
from tests.fakes.universes import Universe, universe

SEEDS = range(100)
#: pip takes twenty times as long as uv.
PIP_SEEDS = range(6)


class World(NamedTuple):
    """Addresses of simple APIs that have the same universes."""

    #: An index with all of them.
    direct: str
    #: A shim in front of that index.
    one: str
    #: A shim in front of a private index, a mirror and a public index. Each project is at the
    #: private index or at the two others.
    chain: str


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with ExitStack() as stack:
        whole, public = (stack.enter_context(FakeIndex()) for _ in range(2))
        private = stack.enter_context(FakeIndex(formats=HTML_ONLY))
        mirror = stack.enter_context(FakeIndex(formats=HTML_ONLY, metadata=False))
        for seed in SEEDS:
            _publish(universe(seed), whole, private, (mirror, public))
        chains = {
            "one": {"public": {"url": whole.url, "role": "public"}},
            "chain": {
                "private": {"url": private.url},
                "mirror": {"url": mirror.url, "mirror_of": "public"},
                "public": {"url": public.url},
            },
        }
        urls = {}
        for name, indexes in chains.items():
            owner = User(tmp_path_factory.mktemp(name))
            write_config(owner.config, indexes)
            urls[name] = stack.enter_context(owner.serve()).url
        yield World(whole.url, **urls)


def _publish(
    made: Universe, whole: FakeIndex, private: FakeIndex, group: tuple[FakeIndex, ...]
) -> None:
    """Publish a universe as a whole, and by halves."""
    own, others = made.projects[::2], made.projects[1::2]
    if "--exclude-newer" in made.options:  # only the JSON of the public index has upload times
        own, others, group = (), made.projects, group[-1:]
    made.publish(whole, made.projects)
    made.publish(private, own)
    for index in group:
        made.publish(index, others)


class Resolution(NamedTuple):
    """How a resolver ended."""

    code: int
    #: What is to be installed, with hashes.
    chosen: object
    #: What was said, without addresses, times and order.
    said: list[str]


def _said(text: str) -> list[str]:
    """Return the lines of a text; a resolver warns in any order, and says how long it took."""
    text = re.sub(r"http://127\.0\.0\.1:\d+/\S*", "<address>", text)
    return sorted(re.sub(r"in [\d.]+m?s$", "in <time>", text, flags=re.MULTILINE).splitlines())


def _by_uv(user: User, made: Universe) -> Callable[[str], Resolution]:
    """Return how uv resolves what is wanted of a universe, by the address of its index."""
    file = user.home / "requirements.in"
    file.write_text("\n".join(made.requirements), encoding="utf-8")
    options = ("--no-cache", "--no-header", "--generate-hashes", *made.options)

    def resolve(url: str) -> Resolution:
        command = (uv_executable(), "pip", "compile", *options, "--index-url", url, str(file))
        done = user.call(*command)
        return Resolution(done.code, done.stdout, _said(done.stderr))

    return resolve


def _by_pip(user: User, pip: Client, made: Universe) -> Callable[[str], Resolution]:
    """Return how pip resolves what is wanted of a universe, by the address of its index."""
    # An sdist is built without an environment of its own, since it has no build requirements.
    options = ("--dry-run", "--quiet", "--no-build-isolation")

    def resolve(url: str) -> Resolution:
        report = user.home / f"report-{urlsplit(url).port}.json"
        where = ("--report", str(report), "--index-url", url)
        done = user.call(*pip.command("install", *options, *where, *made.requirements))
        return Resolution(done.code, _chosen(report), _said(done.stderr))

    return resolve


def _chosen(report: Path) -> list[tuple[object, ...]]:
    """Return what pip reports that it would install; nothing if it has failed."""
    items = json.loads(report.read_text("utf-8"))["install"] if report.exists() else []
    return sorted(
        (each["metadata"]["name"], each["metadata"]["version"], each["is_yanked"],
         each["download_info"]["archive_info"]["hash"])
        for each in items
    )  # fmt: skip


def _at_each(world: World, resolve: Callable[[str], object]) -> list[object]:
    """Return what a resolver makes of each address, all at the same time."""
    with ThreadPoolExecutor(len(world)) as pool:
        return list(pool.map(resolve, world))


@pytest.mark.parametrize("seed", SEEDS)
def test_uv_resolves_the_same(world: World, user: User, seed: int) -> None:
    made = universe(seed)
    direct, one, chain = _at_each(world, _by_uv(user, made))
    assert one == direct, f"by one index: universe({seed}), {made.requirements}, {made.options}"
    assert chain == direct, f"by a chain: universe({seed}), {made.requirements}, {made.options}"


@pytest.mark.parametrize("seed", PIP_SEEDS)
def test_pip_resolves_the_same(
    world: World, user: User, environments: dict[str, Client], seed: int
) -> None:
    made = universe(seed)
    direct, *shims = _at_each(world, _by_pip(user, environments["pip"], made))
    assert shims == [direct] * 2, f"universe({seed}), {made.requirements}"


@pytest.mark.parametrize("seed", PIP_SEEDS[:2])
def test_pip_lists_the_same_versions(
    world: World, user: User, environments: dict[str, Client], seed: int
) -> None:
    project = universe(seed).projects[0]

    def versions(url: str) -> tuple[int, str]:
        command = environments["pip"].command("index", "versions", "--pre", "--index-url", url)
        done = user.call(*command, project)
        return done.code, done.stdout

    direct, *shims = _at_each(world, versions)
    assert shims == [direct] * 2, f"{project} of universe({seed})"
