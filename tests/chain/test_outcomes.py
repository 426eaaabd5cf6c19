"""Every row of the outcome table, by indexes that really fail in that way."""

import time
from collections.abc import Callable

import pytest

from indexfallback.health import State
from tests.chain.chain import APP, ask, learn_names, mirror, private, pypi, refusal
from tests.conftest import MakeShim
from tests.fakes import FakeIndex

Break = Callable[[FakeIndex], object]
HTML = {"Content-Type": "text/html"}
JSON = {"Content-Type": "application/vnd.pypi.simple.v1+json"}
LOGIN = b"<!DOCTYPE html><html><body><form action=/login>Log in to the network</form></html>"

#: What an index does, and what is said of it.
UNAVAILABLE: dict[str, tuple[Break, str]] = {
    "refused": (lambda i: i.stop_listening(), "connection refused"),
    "500": (lambda i: i.fail(500), "500 Internal Server Error"),
    "502": (lambda i: i.fail(502), "502 Bad Gateway"),
    "503": (lambda i: i.fail(503), "503 Service Unavailable"),
    "408": (lambda i: i.fail(408), "408 Request Timeout"),
    "unknown status": (lambda i: i.fail(799), "status 799"),
    "garbage": (lambda i: i.answer(200, JSON, b"\x00{"), "not an index"),
    "another type": (lambda i: i.answer(200, {"Content-Type": "image/png"}), "not an index"),
    "no type": (lambda i: i.answer(200, {}, b"x"), "not an index"),
    "captive portal": (lambda i: i.answer(200, HTML, LOGIN), "not an index"),
    "not HTTP": (lambda i: i.raw(b"SSH-2.0-OpenSSH_9.9\r\n"), "connection broke"),
    "closed": (lambda i: i.drop(), "connection broke"),
    "reset": (lambda i: i.drop(reset=True), "connection broke"),
    "truncated": (lambda i: i.cut(after=20), "connection broke"),
    "reset within": (lambda i: i.cut(after=20, reset=True), "connection broke"),
    "cut chunks": (lambda i: (i.chunked(), i.cut(after=20)), "connection broke"),
    "hanging": (lambda i: i.hang(), "no answer"),
    "dripping headers": (lambda i: i.drip_headers(20), "no answer"),
    "dripping": (lambda i: i.drip(20), ""),
    "denied": (lambda i: i.fail(401), "401 Unauthorized"),
    "forbidden": (lambda i: i.fail(403), "403 Forbidden"),
    "unpaid": (lambda i: i.fail(402), "402 Payment Required"),
    "censored": (lambda i: i.fail(451), "451 Unavailable"),
    "limited": (lambda i: i.fail(429, {"Retry-After": "30"}), "429 Too Many Requests"),
    "redirects in circles": (lambda i: i.redirect("{path}"), "redirects"),
    "a redirect to nowhere": (lambda i: i.redirect("http://[/"), "redirect"),
    "Retry-After in no form": (lambda i: i.fail(503, {"Retry-After": "\u00b2"}), "503"),
}
#: Of which a silent index takes half, so that a busy machine has as long for the next, seconds.
DEADLINE = 3.0
EVERY_WAY = pytest.mark.parametrize("way", UNAVAILABLE)


@EVERY_WAY
def test_a_mirror_that_cannot_be_asked_hands_over(
    shim: MakeShim, near: FakeIndex, far: FakeIndex, way: str
) -> None:
    failing, said = UNAVAILABLE[way]
    failing(near)
    made = shim(mirror(near), pypi(far), deadline=DEADLINE)
    answer = made.fallback.page("idna")
    assert answer.owner.name == "pypi"
    assert answer.tried[0].what == "unavailable"
    assert said in answer.tried[0].detail


@EVERY_WAY
def test_a_private_index_that_cannot_be_asked_keeps_its_projects_and_lets_others_pass(
    shim: MakeShim, own: FakeIndex, far: FakeIndex, way: str
) -> None:
    made = shim(index := private(own), pypi(far), deadline=DEADLINE)
    learn_names(made, index)
    own.clear()
    far.clear()
    failing, said = UNAVAILABLE[way]
    failing(own)
    error = refusal(made, "acme-app")
    assert error.status == 503
    assert said in str(error)
    assert far.count(APP) == 0
    assert ask(made, "idna") == "pypi"


@EVERY_WAY
def test_an_only_index_that_cannot_be_asked_is_an_outage_and_nothing_is_kept(
    shim: MakeShim, far: FakeIndex, way: str
) -> None:
    failing, said = UNAVAILABLE[way]
    failing(far)
    made = shim(pypi(far), deadline=1.0)
    error = refusal(made)
    assert (error.status, error.tried[0].what) == (503, "unavailable")
    assert said in str(error)
    assert made.store.pages.count() == 0


@pytest.mark.parametrize("status", [404, 410])
def test_absent_goes_on_down_the_chain(
    shim: MakeShim, own: FakeIndex, far: FakeIndex, status: int
) -> None:
    own.fail(status, path="/simple/idna/")
    made = shim(private(own), pypi(far))
    answer = made.fallback.page("idna")
    assert answer.owner.name == "pypi"
    assert answer.tried[0].what == "absent"
    far.fail(status)
    assert ask(made, "acme-other") == 404


@pytest.mark.fault("incident: pip CVE-2018-20225")
def test_found_stops_the_walk(shim: MakeShim, own: FakeIndex, far: FakeIndex) -> None:
    made = shim(private(own), pypi(far))
    assert ask(made) == "private"
    assert far.requests == []


# The table's last column.


@pytest.mark.parametrize(
    ("way", "times"),
    [("refused", 2), ("hanging", 2), ("503", 3), ("captive portal", 3), ("reset", 3)],
)
def test_failures_in_a_row_open_the_circuit_and_then_cost_nothing(
    shim: MakeShim, near: FakeIndex, far: FakeIndex, way: str, times: int
) -> None:
    UNAVAILABLE[way][0](near)
    made = shim(mirror(near), pypi(far), deadline=DEADLINE)
    for number in range(times):
        assert made.members["mirror"].health.state is State.CLOSED
        assert ask(made, f"unknown-{number}") == 404
    assert made.members["mirror"].health.state is State.OPEN
    near.clear()
    answer = made.fallback.page("idna")
    assert answer.tried[0].what == "skipped"
    assert answer.tried[0].detail.startswith("down for 0 s, next try in")
    assert near.requests == []


def test_denied_is_asked_once_and_then_left_alone_for_a_minute(
    shim: MakeShim, near: FakeIndex, far: FakeIndex
) -> None:
    near.fail(401)
    made = shim(mirror(near), pypi(far))
    assert [ask(made, project) for project in ("idna", "acme-app")] == ["pypi", "pypi"]
    assert near.count() == 1
    assert ": 401 Unauthorized" in made.members["mirror"].held(time.monotonic() + 59)
    assert made.members["mirror"].health.state is State.CLOSED


@pytest.mark.fault("incident: uv #12362")
def test_an_expired_token_does_not_block_public_names_and_is_named_for_private_ones(
    shim: MakeShim, far: FakeIndex
) -> None:
    with FakeIndex(username="ci", password="right") as strict:
        index = private(strict, projects=("acme-*",), username="ci", password="expired")
        made = shim(index, pypi(far))
        assert ask(made, "idna") == "pypi"
        error = refusal(made, "acme-app")
    assert error.status == 503
    assert "401 Unauthorized" in str(error)
    assert "Check the user name and password of private." in error.remedy


def test_a_limited_index_is_left_alone_as_long_as_it_asks(
    shim: MakeShim, near: FakeIndex, far: FakeIndex
) -> None:
    near.fail(429, {"Retry-After": "30"}, times=1)
    made = shim(mirror(near), pypi(far))
    for project in ("idna", "acme-app"):
        assert ask(made, project) == "pypi"
    assert near.count() == 1
    assert ": 429 Too Many Requests" in made.members["mirror"].held(time.monotonic() + 29)
    assert made.members["mirror"].health.failures == 0


def test_a_reset_is_tried_once_more(shim: MakeShim, far: FakeIndex) -> None:
    far.drop(reset=True, times=1)
    assert ask(shim(pypi(far))) == "pypi"
    assert far.count(APP) == 2
