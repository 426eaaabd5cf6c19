"""The first index is down, failing or silent: the others answer, within the deadline."""

from collections.abc import Callable
from time import monotonic

import pytest

from tests.clients.conftest import Chain
from tests.clients.support import Client, User, installed
from tests.fakes import FakeIndex, tree

#: Seconds that a project may take.
DEADLINE = 2
#: What a client and a shim need besides, at most, on a busy machine.
_OVERHEAD = 10
TREE = tree(3)

FAULTS: dict[str, Callable[[FakeIndex], object]] = {
    "refused": FakeIndex.stop_listening,
    "503": FakeIndex.fail,
    "hanging": FakeIndex.hang,
    "portal": lambda index: index.answer(
        200, {"Content-Type": "text/html"}, b"<html><body>Log in: <a href='/login'>here</a>"
    ),
}


def _offer(chain: Chain) -> None:
    for dist in TREE:
        chain.public.add(dist)
    chain.configure(private={"on_outage": "next"}, limits_deadline=f"{DEADLINE} s")


def _install(user: User, client: Client) -> None:
    target = user.target()
    began = monotonic()
    user.run(*client.install(target, "tree-0")).expect()
    assert len(installed(target)) == len(TREE)
    assert monotonic() - began < DEADLINE * len(TREE) + _OVERHEAD


@pytest.mark.parametrize("fault", FAULTS)
def test_an_install_succeeds_although_the_first_two_indexes_are_in_trouble(
    fault: str, chain: Chain, user: User, environments: dict[str, Client]
) -> None:
    _offer(chain)
    FAULTS[fault](chain.private)
    FAULTS[fault](chain.mirror)
    _install(user, environments["uv"])


def test_pip_gets_its_answers_in_time_although_the_first_index_never_answers(
    chain: Chain, user: User, environments: dict[str, Client]
) -> None:
    _offer(chain)
    chain.private.hang()
    _install(user, environments["pip"])
