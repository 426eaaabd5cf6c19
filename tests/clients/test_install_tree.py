"""A tree of distributions from three indexes: installed, then from the cache, then offline."""

import pytest

from tests.clients.conftest import Chain
from tests.clients.support import Client, Done, User, installed
from tests.fakes import Dist, sdist, tree, wheel

TREE = tree(18, fanout=3)
#: On the public index only: the mirror lags behind.
RELEASED_LATE = 9
APP = wheel("acme-app", "1.4", requires=["Acme.Lib>=1", "tree-0", "packed"])
LIB = wheel("Acme.Lib", "1.1", requires_python=">=3.8")
PACKED = sdist("packed", "3.0", requires=["tree-1"])
ALL = {dist.project: dist.version for dist in [*TREE, APP, LIB, PACKED]}


@pytest.fixture
def full_chain(chain: Chain) -> Chain:
    _offer(chain)
    # The private index's usual fifteen seconds may be over before the second installation.
    chain.configure(private={"fresh": "10 min"})
    return chain


def _offer(chain: Chain) -> None:
    for dist in (APP, LIB):
        chain.private.add(dist)
    for dist in TREE[:RELEASED_LATE]:
        chain.mirror.add(dist)
    for dist in [*TREE, PACKED]:
        chain.public.add(dist)


def _install(user: User, client: Client, *options: str) -> Done:
    target = user.target()
    done = user.run(*client.install(target, "acme-app"), options=options).expect()
    assert installed(target) == ALL
    return done


def test_a_tree_is_installed_from_three_indexes_and_then_without_asking_any(
    full_chain: Chain, user: User, client: Client
) -> None:
    assert f"{len(ALL)} projects: 2 from private" in _install(user, client).said
    _check_who_was_asked(full_chain)
    full_chain.forget_requests()
    assert f"{len(ALL)} from cache;" in _install(user, client).said
    assert full_chain.asked() == 0


def test_a_tree_is_installed_offline_and_while_every_index_refuses(
    full_chain: Chain, user: User, environments: dict[str, Client]
) -> None:
    clients = environments["uv"], environments["pip"]
    _install(user, environments["uv"])
    full_chain.stop()
    for client in clients:
        _install(user, client, "--offline")
    full_chain.configure(cache_fresh="0 s")
    stale = f"{len(ALL)} from cache ({len(ALL)} stale)"
    for client in clients:
        assert stale in _install(user, client).said


def _check_who_was_asked(chain: Chain) -> None:
    """Each file came once, from its index, and so did its metadata.

    The mirror has no metadata files, but parts of its wheels.
    """
    early, late = TREE[:RELEASED_LATE], TREE[RELEASED_LATE:]
    files = [request for request in chain.mirror.requests if "/files/" in request.path]
    parts = sum("Range" in request.headers for request in files)
    assert (parts, len(files) - parts) == (len(early), len(early))
    assert [chain.public.count(_path(dist)) for dist in [*late, PACKED]] == [1] * (len(late) + 1)
    assert [chain.public.count(_path(dist)) for dist in early] == [0] * len(early)
    assert [chain.private.count(_path(dist)) for dist in (APP, LIB)] == [1, 1]
    assert [chain.public.count(f"{_path(dist)}.metadata") for dist in late] == [1] * len(late)


def _path(dist: Dist) -> str:
    return f"/files/{dist.filename}"


def test_the_password_of_the_private_index_is_never_printed(
    full_chain: Chain, user: User, environments: dict[str, Client]
) -> None:
    command = environments["uv"].install(user.target(), "acme-app", "-v")
    done = user.run(*command, options=("-vv",)).expect()
    assert user.environment["PRIVATE_PASSWORD"] not in done.stdout + done.stderr
    assert full_chain.private.count(_path(APP)) == 1
