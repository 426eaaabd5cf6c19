"""Clients pointed by hand at a running server: what they are offered, and what they get."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace

import pytest

from tests.clients.conftest import Chain
from tests.clients.support import Client, Served, User, installed
from tests.fakes import Dist, wheel

#: Large enough to be cut in the middle of what the socket's buffers hold.
BIG = 3_000_000


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
        chain.configure()
        yield chain


@pytest.fixture(scope="module")
def served(owner: User, indexes: Chain) -> Iterator[Served]:
    with owner.serve() as served:
        yield served


def _offer(indexes: Chain, *dists: Dist) -> None:
    for dist in dists:
        indexes.mirror.add(dist)
        indexes.public.add(dist)


def _install(
    user: User, client: Client, url: str, *requirements: str, expected: dict[str, str]
) -> None:
    target = user.target()
    user.call(*client.install(target, "--index-url", url, *requirements)).expect()
    assert installed(target) == expected


def test_a_yanked_release_and_one_for_another_python_are_passed_over(
    served: Served, indexes: Chain, user: User, client: Client
) -> None:
    name = f"choosy-{client.name}"
    _offer(indexes, wheel(name, "1.0"), wheel(name, "1.5", requires_python=">=99"))
    for index in (indexes.mirror, indexes.public):
        index.add(wheel(name, "2.0"), yanked="broken on Tuesdays")
    _install(user, client, served.url, name, expected={name: "1.0"})


def test_a_yanked_release_that_is_pinned_is_installed(
    served: Served, indexes: Chain, user: User, environments: dict[str, Client]
) -> None:
    indexes.public.add(wheel("pinned", "2.0"), yanked=True)
    expected = {"pinned": "2.0"}
    _install(user, environments["pip"], served.url, "pinned==2.0", expected=expected)


def test_a_file_whose_transfer_is_cut_in_the_middle_is_installed(
    served: Served, indexes: Chain, user: User, client: Client
) -> None:
    dist = wheel(f"cut-{client.name}", size=BIG)
    _offer(indexes, dist)
    # The first request is for the metadata in it, whose page states none.
    indexes.mirror.cut(BIG // 2, path=f"/files/{dist.filename}", times=2)
    _install(user, client, served.url, dist.name, expected={dist.project: "1.0"})
    assert indexes.mirror.requests[-1].headers["Range"] == f"bytes={BIG // 2}-"


def test_a_file_that_one_index_spoils_is_installed_from_the_other(
    served: Served, indexes: Chain, user: User, environments: dict[str, Client]
) -> None:
    dist = wheel("spoilt", size=1000)
    _offer(indexes, dist)
    indexes.mirror.corrupt(dist.filename)
    _install(user, environments["pip"], served.url, "spoilt", expected={"spoilt": "1.0"})


def test_hashes_that_are_required_hold(
    served: Served, indexes: Chain, user: User, client: Client
) -> None:
    dist = wheel(f"hashed-{client.name}")
    _offer(indexes, dist)
    requirements = user.home / "requirements.txt"
    requirements.write_text(f"{dist.name}==1.0 --hash=sha256:{dist.sha256}\n", encoding="utf-8")
    arguments = ("--require-hashes", "--index-url", served.url, "-r", str(requirements))
    target = user.target()
    if client.name == "uv":  # which has no download
        user.call(*client.install(target, *arguments)).expect()
        assert installed(target) == {dist.project: "1.0"}
    else:
        user.call(*client.command("download", "--dest", str(target), *arguments)).expect()
        assert (target / dist.filename).read_bytes() == dist.data


def test_one_index_alone_is_an_index(
    served: Served, indexes: Chain, user: User, client: Client
) -> None:
    name = f"both-{client.name}"
    indexes.private.add(wheel(name, "1.0"))
    indexes.public.add(wheel(name, "2.0"))
    alone = f"{served.base}/index/public/simple/"
    _install(user, client, alone, name, expected={name: "2.0"})


def test_a_name_that_is_not_normalised_is_found(
    served: Served, indexes: Chain, user: User, environments: dict[str, Client]
) -> None:
    _offer(indexes, wheel("Odd.Name_9"))
    expected = {"odd-name-9": "1.0"}
    _install(user, environments["pip"], served.url, "Odd.Name_9", expected=expected)


def test_uv_with_refresh_sees_a_release_just_published(
    served: Served, indexes: Chain, user: User, environments: dict[str, Client]
) -> None:
    _offer(indexes, wheel("refreshed"))
    # It revalidates what is in its own cache only.
    uv = environments["uv"]
    options = ("--cache-dir", str(user.home / "uv-cache"), *uv.options[1:])
    uv = replace(uv, options=options)
    _install(user, uv, served.url, "refreshed", expected={"refreshed": "1.0"})
    _offer(indexes, wheel("refreshed", "2.0"))
    _install(user, uv, served.url, "refreshed", expected={"refreshed": "1.0"})
    arguments = ("--refresh", "refreshed")
    _install(user, uv, served.url, *arguments, expected={"refreshed": "2.0"})
