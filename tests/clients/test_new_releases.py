"""A release that was just published: clients find it directly, and through the shim when asked."""

from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import urlsplit

import pytest

from tests.clients.support import Client, User, write_config
from tests.fakes import FakeIndex, wheel

OLD, NEW = {"acme-app": "1.0"}, {"acme-app": "2.0"}


@pytest.fixture
def index() -> Iterator[FakeIndex]:
    with FakeIndex([wheel("acme-app", "1.0")]) as index:
        yield index


def test_uv_finds_it_with_refresh(
    user: User, environments: dict[str, Client], index: FakeIndex
) -> None:
    uv = environments["uv"]
    # It revalidates what is in its own cache.
    uv = replace(uv, options=tuple(option for option in uv.options if option != "--no-cache"))
    write_config(user.config, {"public": {"url": index.url, "role": "public"}})
    with user.serve() as served:
        assert user.install(uv, served.url, "acme-app").expect() == OLD
        index.add(wheel("acme-app", "2.0"))
        assert user.install(uv, served.url, "acme-app").expect() == OLD
        through_shim = user.install(uv, served.url, "--refresh", "acme-app").expect()
    assert through_shim == user.install(uv, index.url, "--refresh", "acme-app").expect() == NEW


@pytest.mark.parametrize("name", ["pip", "uv"])
def test_it_is_found_after_the_command_refresh(
    user: User, environments: dict[str, Client], index: FakeIndex, name: str
) -> None:
    client = environments[name]
    write_config(user.config, {"public": {"url": index.url, "role": "public"}})
    with user.serve() as served:
        assert user.install(client, served.url, "acme-app").expect() == OLD
        index.add(wheel("acme-app", "2.0"))
        user.environment["INDEXFALLBACK_PORT"] = str(urlsplit(served.url).port)
        user.ours("refresh", "acme-app").expect()
        through_shim = user.install(client, served.url, "acme-app").expect()
    assert through_shim == user.install(client, index.url, "acme-app").expect() == NEW


@pytest.mark.parametrize("name", ["pip", "uv"])
def test_it_is_found_at_a_private_index_as_soon_as_its_page_is_no_longer_fresh(
    user: User, environments: dict[str, Client], index: FakeIndex, name: str
) -> None:
    client = environments[name]
    write_config(user.config, {"private": {"url": index.url, "fresh": "0 s"}})
    with user.serve() as served:
        assert user.install(client, served.url, "acme-app").expect() == OLD
        index.add(wheel("acme-app", "2.0"))
        through_shim = user.install(client, served.url, "acme-app").expect()
    assert through_shim == user.install(client, index.url, "acme-app").expect() == NEW
