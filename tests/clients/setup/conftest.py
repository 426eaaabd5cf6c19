"""Environments of clients that are kept between runs; and a user with files of all of them."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TypeAlias

import pytest

from tests.clients.conftest import Access, Chain
from tests.clients.setup.support import Settler, environment_of
from tests.fakes import wheel

Programs: TypeAlias = Callable[[str], Path]


@pytest.fixture
def settler(tmp_path: Path) -> Settler:
    return Settler(tmp_path)


@pytest.fixture(scope="session")
def programs(pytestconfig: pytest.Config, access: Access | None) -> Programs:
    """Return a function from a client to the directory of its programs."""
    if access is None:
        pytest.skip("no network")
    base = pytestconfig.cache.mkdir("clients")
    return lambda client: environment_of(client, base, access)


@pytest.fixture
def outage(settler: Settler) -> Iterator[Chain]:
    """A private package whose name others have taken; a mirror that is down; the public index."""
    chain = Chain(settler)
    with ExitStack() as stack:
        for index in chain.all:
            stack.enter_context(index)
        chain.private.add(wheel("acme-app", "1.4", requires=["helper>=1"]))
        chain.public.add(wheel("acme-app", "99.0"))
        chain.public.add(wheel("helper", "1.1", requires=["leaf"]))
        chain.public.add(wheel("leaf", "3.0"))
        chain.mirror.stop_listening()
        chain.configure()
        yield chain
