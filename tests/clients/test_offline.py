"""Offline, resolvers see what is in the cache alone, and install that."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest
import requests

from tests.clients.conftest import Chain
from tests.clients.support import Client, Served, User, installed
from tests.fakes import Dist, sdist, wheel
from tests.serving import wait_until

#: A mode is seen by a running shim within a second; a busy machine needs more, seconds.
SEEN_SECONDS = 10.0


@pytest.fixture(scope="module")
def owner(tmp_path_factory: pytest.TempPathFactory) -> User:
    """The user whose server it is."""
    return User(tmp_path_factory.mktemp("owner"))


@pytest.fixture(scope="module")
def indexes(owner: User) -> Iterator[Chain]:
    chain = Chain(owner)
    with ExitStack() as stack:
        for index in chain.all:
            stack.enter_context(index)
        chain.configure(cache_fresh="0 s")
        yield chain


@pytest.fixture(scope="module")
def served(owner: User, indexes: Chain) -> Iterator[Served]:
    with owner.serve() as served:
        yield served


@pytest.fixture
def traveller(served: Served, owner: User) -> Iterator[User]:
    """The user, who is online again afterwards."""
    yield owner
    set_mode(owner, served, "auto")


def set_mode(user: User, served: Served, mode: str) -> None:
    user.ours("offline", mode).expect()
    wait_until(
        lambda: served.get("/-/status")["offline"] is (mode == "on"),
        SEEN_SECONDS,
        f"the shim has not seen that offline is {mode}",
    )


def page_of(served: Served, path: str) -> str:
    return requests.get(served.base + path, timeout=SEEN_SECONDS).text


def offer(indexes: Chain, *dists: Dist) -> None:
    for dist in dists:
        indexes.mirror.add(dist)
        indexes.public.add(dist)


def install(user: User, client: Client, served: Served, *requirements: str) -> dict[str, str]:
    target = user.target()
    user.call(*client.install(target, "--index-url", served.url, *requirements)).expect()
    return installed(target)


def test_offline_the_newest_version_in_the_cache_is_installed_and_online_the_newest(
    served: Served, indexes: Chain, traveller: User, client: Client
) -> None:
    name, needed = f"trip-{client.name}", f"luggage-{client.name}"
    offer(indexes, wheel(name, "1.0", requires=[needed]), wheel(needed, "1.0"))
    old = {name: "1.0", needed: "1.0"}
    assert install(traveller, client, served, name) == old
    offer(indexes, wheel(name, "2.0", requires=[needed]), wheel(needed, "2.0"))
    offer(indexes, sdist(needed, "3.0"))
    assert [served.get(f"/-/why/{each}")["newest"] for each in (name, needed)] == ["2.0", "3.0"]
    set_mode(traveller, served, "on")
    indexes.forget_requests()
    assert install(traveller, client, served, name) == old
    assert indexes.asked() == 0
    set_mode(traveller, served, "auto")
    new = {name: "2.0", needed: "2.0"}
    assert install(traveller, client, served, name, f"{needed}<3") == new


# An old pip fetches the files of what it resolves to, also on a dry run.
@pytest.mark.parametrize("client", ["pip", "uv"], indirect=True)
def test_offline_what_was_only_resolved_online_is_not_chosen(
    served: Served, indexes: Chain, traveller: User, client: Client
) -> None:
    name = f"looked-at-{client.name}"
    indexes.public.add(wheel(name, "1.0"))  # the mirror has no metadata beside its files
    install(traveller, client, served, name)
    indexes.public.add(wheel(name, "2.0"))
    page = f"/simple/{name}/"
    wait_until(lambda: "2.0" in page_of(served, page), SEEN_SECONDS, "no new page")
    options = ("--dry-run", "--target", str(traveller.target()), "--index-url", served.url)
    done = traveller.call(*client.command("install", *options, name)).expect()
    assert "2.0" in done.stdout + done.stderr
    set_mode(traveller, served, "on")
    assert install(traveller, client, served, name) == {name: "1.0"}


def test_offline_what_uv_has_in_its_own_cache_of_a_page_is_not_taken_for_true(
    served: Served, indexes: Chain, traveller: User, environments: dict[str, Client]
) -> None:
    plain, name = environments["uv"], "kept-by-uv"
    cache = str(traveller.home / "uv-cache")
    client = Client("uv", plain.start, ("--cache-dir", cache, *plain.options[1:]))
    indexes.public.add(wheel(name, "1.0"))
    install(traveller, client, served, name)
    indexes.public.add(wheel(name, "2.0"))
    page = f"/simple/{name}/"
    wait_until(lambda: "2.0" in page_of(served, page), SEEN_SECONDS, "no new page")
    options = ("--dry-run", "--target", str(traveller.target()), "--index-url", served.url)
    done = traveller.call(*client.command("install", *options, name)).expect()
    assert "2.0" in done.stdout + done.stderr
    set_mode(traveller, served, "on")
    assert install(traveller, client, served, name) == {name: "1.0"}


def test_offline_a_project_of_which_nothing_is_here_is_not_found_and_the_reason_is_told(
    served: Served, indexes: Chain, traveller: User, client: Client
) -> None:
    name = f"never-{client.name}"
    offer(indexes, wheel(name, "1.0"), wheel(name, "2.0"))
    assert served.get(f"/-/why/{name}")["status"] == 200
    set_mode(traveller, served, "on")
    command = client.install(traveller.target(), name)
    done = traveller.run(*command)
    assert done.code != 0
    assert f"{name} was not found" in done.said
    assert "`indexfallback offline on` holds, and none of its 2 files is in the cache" in done.said
    assert f"`indexfallback fetch {name}`" in done.said
