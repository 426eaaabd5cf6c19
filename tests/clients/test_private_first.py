"""A public package never takes the name of a private one, with any client, up or down."""

import pytest

from tests.clients.conftest import Chain
from tests.clients.support import Client, Served, User, installed
from tests.fakes import wheel
from tests.serving import START_SECONDS, wait_until


@pytest.fixture
def taken_chain(chain: Chain) -> Chain:
    """A chain where others have published what is ours, with a higher version."""
    chain.private.add(wheel("acme-lib", "1.0"))
    chain.private.add(wheel("acme-other", "1.0"))
    for index in (chain.mirror, chain.public):
        index.add(wheel("acme-lib", "99.0"))
        index.add(wheel("harmless", "2.0"))
    return chain


def test_the_private_package_wins_over_a_higher_public_version(
    taken_chain: Chain, user: User, client: Client
) -> None:
    target = user.target()
    user.run(*client.install(target, "acme-lib", "harmless")).expect()
    assert installed(target) == {"acme-lib": "1.0", "harmless": "2.0"}
    assert taken_chain.public.count("/simple/acme-lib/") == 0


def _go_down(chain: Chain, user: User, served: Served) -> None:
    """Stop the private index as soon as the shim knows its names."""

    def knows_names() -> bool:
        private, *_ = served.get("/-/why/acme-other")["indexes"]
        return private["names"] is not None

    wait_until(knows_names, START_SECONDS, "the names of the private index are not known")
    chain.private.stop_listening()
    # A client that gives up at the first 503, where pip would wait for 7.5 s.
    user.environment |= {"PIP_RETRIES": "0", "UV_HTTP_RETRIES": "0"}


def test_while_the_private_index_is_down_its_package_comes_from_nowhere(
    taken_chain: Chain, user: User, client: Client
) -> None:
    target = user.target()
    with user.serve() as served:
        _go_down(taken_chain, user, served)
        command = client.install(target, "--index-url", served.url, "acme-lib")
        assert user.call(*command).code != 0
    assert installed(target) == {}
    assert taken_chain.public.count("/simple/acme-lib/") == 0


def test_while_the_private_index_is_down_run_says_why_its_package_is_refused_and_others_install(
    taken_chain: Chain, user: User, environments: dict[str, Client]
) -> None:
    with user.serve() as served:
        _go_down(taken_chain, user, served)
    uv = environments["uv"]
    done = user.run(*uv.install(user.target(), "acme-lib"))
    assert done.code != 0
    assert "acme-lib" in done.said
    assert "belongs to private (known there since " in done.said
    assert "which could not be asked" in done.said
    assert "Start private, or correct the port" in done.said
    target = user.target()
    user.run(*uv.install(target, "harmless")).expect()
    assert installed(target) == {"harmless": "2.0"}


def test_before_its_names_are_known_a_private_index_that_is_down_stops_everything_and_says_so(
    taken_chain: Chain, user: User, environments: dict[str, Client]
) -> None:
    user.environment["UV_HTTP_RETRIES"] = "0"
    taken_chain.private.stop_listening()
    done = user.run(*environments["uv"].install(user.target(), "harmless"))
    assert done.code != 0
    assert "its list of names is not known" in done.said
    assert "Setting projects for private" in done.said
    assert taken_chain.public.count() == 0
