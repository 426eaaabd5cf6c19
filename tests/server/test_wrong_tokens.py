"""Wrong tokens of one client: ten within a minute are answered 401, the others 429."""

from collections.abc import Iterator
from contextlib import closing

import falcon
import pytest
from falcon.testing import create_req

from indexfallback.server.credentials import Credentials
from indexfallback.server.wrong_tokens import MOST, SECONDS, WrongTokens
from indexfallback.store.events import Actor
from indexfallback.store.hosting import Hosting
from indexfallback.store.secret import user_secret
from tests.server.test_private import login

HERE, ELSEWHERE = "192.0.2.7", "192.0.2.8"


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def wrong(clock: Clock) -> WrongTokens:
    return WrongTokens(clock)


@pytest.fixture
def hosting() -> Iterator[Hosting]:
    with closing(Hosting()) as opened:
        yield opened


def waits(wrong: WrongTokens, address: str, tries: int) -> list[int]:
    return [wrong.tried(address) for _ in range(tries)]


def test_the_first_ten_of_a_minute_wait_for_nothing(wrong: WrongTokens, clock: Clock) -> None:
    assert waits(wrong, HERE, MOST) == [0] * MOST
    clock.now += 15
    assert waits(wrong, HERE, 2) == [SECONDS - 15] * 2
    clock.now += SECONDS - 15
    assert waits(wrong, HERE, 1) == [0]


def test_each_client_is_counted_alone(wrong: WrongTokens) -> None:
    waits(wrong, HERE, MOST)
    assert wrong.tried(ELSEWHERE) == 0
    assert wrong.tried(HERE) > 0
    assert wrong.tried(f"::ffff:{HERE}") > 0
    assert wrong.tried("") == 0


def test_the_addresses_of_one_network_of_ipv6_are_one_client(wrong: WrongTokens) -> None:
    for number in range(MOST):
        assert wrong.tried(f"2001:db8:0:1::{number}") == 0
    assert wrong.tried("2001:db8:0:1:ffff::1") > 0
    assert wrong.tried("2001:db8:0:2::1") == 0


def test_many_clients_take_a_bounded_memory(wrong: WrongTokens) -> None:
    for number in range(3000):
        wrong.tried(f"198.51.{number >> 8}.{number & 255}")
    assert len(wrong._counts) < 1500


def test_only_wrong_tokens_are_refused_from_an_address_with_many(
    hosting: Hosting, clock: Clock
) -> None:
    _, secret = hosting.tokens.create("office", actor=Actor("ann"))
    credentials = Credentials(hosting, user_secret(), clock=clock)

    def ask(token: str, address: str = HERE) -> None:
        headers = login(token) if token else {}
        credentials.require(create_req(headers=headers, remote_addr=address), "local")

    for _ in range(MOST):
        with pytest.raises(falcon.HTTPUnauthorized):
            ask("ifb_wrong")
    with pytest.raises(falcon.HTTPTooManyRequests) as refused:
        ask("ifb_another")
    assert refused.value.headers == {"Retry-After": "60"}
    ask(secret)
    with pytest.raises(falcon.HTTPUnauthorized):
        ask("")
    with pytest.raises(falcon.HTTPUnauthorized):
        ask("ifb_wrong", ELSEWHERE)
    clock.now += SECONDS
    with pytest.raises(falcon.HTTPUnauthorized):
        ask("ifb_wrong")
