"""Requests at the origins of the chain are answered by the shim."""

import json
import ssl
import subprocess

import pytest

from indexfallback.server.asking import login
from indexfallback.store.secret import user_secret
from tests.fakes import FakeIndex
from tests.tunnel.support import SECONDS, Tunnelled, tunnelled


def test_a_request_at_an_https_origin_is_answered_by_the_shim(
    tunnel: Tunnelled, local: FakeIndex
) -> None:
    answer = tunnel.ask("https://packages.example.com/simple/a%2Fb/?x=%20y", {"Accept": "x/y"})
    assert (answer.status, answer.data, answer.headers["X-From"]) == (200, b"by the shim", "shim")
    (request,) = local.requests
    assert request.target == "/via/https/packages.example.com/simple/a%2Fb/?x=%20y"
    assert request.headers["Host"] == f"127.0.0.1:{local.port}"
    assert request.headers["Accept"] == "x/y"
    assert "Proxy-Authorization" not in request.headers


def test_a_request_at_an_http_origin_is_answered_by_the_shim(
    tunnel: Tunnelled, local: FakeIndex
) -> None:
    assert tunnel.ask("http://10.9.8.7:8080/simple/?").data == b"by the shim"
    (request,) = local.requests
    assert request.target in (
        "/via/http/10.9.8.7:8080/simple/?", "/via/http/10.9.8.7:8080/simple/",
    )  # fmt: skip
    assert "Proxy-Authorization" not in request.headers


def test_a_login_for_the_index_is_renamed(tunnel: Tunnelled, local: FakeIndex) -> None:
    tunnel.ask(
        "https://packages.example.com/",
        {"Authorization": "Basic eDp5", "Indexfallback-Authorization": "Basic forged"},
    )
    (request,) = local.requests
    assert request.headers["Indexfallback-Authorization"] == "Basic eDp5"
    assert request.headers["Authorization"] == login(user_secret())


def test_another_users_process_in_the_place_of_the_shim_gets_no_login(
    tunnel: Tunnelled, local: FakeIndex
) -> None:
    assert tunnel.ask("https://packages.example.com/").status == 200
    local.clear()
    local.drop_connections()  # as at the end of the shim's process
    local.health = lambda challenge: b'{"name": "indexfallback", "proof": "x"}'
    answer = tunnel.ask("https://packages.example.com/", {"Authorization": "Basic eDp5"})
    assert (answer.status, local.requests) == (502, [])
    assert "a shim of another user answers" in answer.data.decode()


@pytest.mark.parametrize(
    "origin", ["https://127.0.0.1:8443", "https://localhost:8443", "https://[::1]:8443"]
)
def test_addresses_of_any_kind_have_a_certificate(local: FakeIndex, origin: str) -> None:
    with tunnelled(local, origin, "https://other.example.com") as tunnel:
        assert tunnel.ask(f"{origin}/simple/").data == b"by the shim"
    (request,) = local.requests
    assert request.target == f"/via/{origin.replace('://', '/')}/simple/"


def test_one_connection_serves_many_requests(tunnel: Tunnelled, local: FakeIndex) -> None:
    with tunnel.client() as client:
        for _ in range(3):
            assert client.request("GET", "https://packages.example.com/").data == b"by the shim"
    assert tunnel.tunnel.report().connections == 1
    assert len({request.connection for request in local.requests}) == 1


def test_connections_of_clients_share_those_to_the_shim(
    tunnel: Tunnelled, local: FakeIndex
) -> None:
    for _ in range(3):
        assert tunnel.ask("https://packages.example.com/").data == b"by the shim"
    assert tunnel.tunnel.report().connections == 3
    assert len({request.connection for request in local.requests}) == 1


def test_a_connection_that_the_shim_has_closed_is_opened_again(
    tunnel: Tunnelled, local: FakeIndex
) -> None:
    with tunnel.client() as client:
        client.request("GET", "https://packages.example.com/")
        local.drop_connections()
        assert client.request("GET", "https://packages.example.com/").data == b"by the shim"


def test_head_has_no_body_and_the_length_of_one(tunnel: Tunnelled) -> None:
    with tunnel.client() as client:
        answer = client.request("HEAD", "https://packages.example.com/")
        assert (answer.status, answer.headers["Content-Length"], answer.data) == (200, "11", b"")
        assert client.request("GET", "https://packages.example.com/").data == b"by the shim"


@pytest.mark.parametrize("status", [204, 304])
def test_an_answer_without_a_body_ends_at_its_head(
    tunnel: Tunnelled, local: FakeIndex, status: int
) -> None:
    local.answer(status, {"ETag": '"x"'}, path="/via/", times=1)
    with tunnel.client() as client:
        first = client.request("GET", "https://packages.example.com/")
        assert (first.status, first.headers["ETag"]) == (status, '"x"')
        assert client.request("GET", "https://packages.example.com/").data == b"by the shim"


def test_a_chunked_answer_is_passed_on(tunnel: Tunnelled, local: FakeIndex) -> None:
    body = b"0123456789" * 100_000
    local.answer(200, {}, body, path="/via/", times=1)
    local.chunked(times=1)
    with tunnel.client() as client:
        answer = client.request("GET", "https://packages.example.com/")
        assert answer.headers["Transfer-Encoding"] == "chunked"
        assert answer.data == body
        assert client.request("GET", "https://packages.example.com/").data == b"by the shim"


def test_an_answer_that_ends_with_its_connection_is_passed_on(
    tunnel: Tunnelled, local: FakeIndex
) -> None:
    local.unframed()
    done = subprocess.run(
        ["curl", "-sS", "-D-", "https://packages.example.com/"],
        env=tunnel.environment, capture_output=True, check=True, timeout=SECONDS,
    )  # fmt: skip
    assert done.stdout.endswith(b"by the shim")
    assert b"Connection: close" in done.stdout


def test_an_answer_that_breaks_off_is_no_whole_answer(tunnel: Tunnelled, local: FakeIndex) -> None:
    local.cut(after=4)
    done = subprocess.run(
        ["curl", "-sS", "https://packages.example.com/"],
        env=tunnel.environment, capture_output=True, check=False, timeout=SECONDS,
    )  # fmt: skip
    assert done.returncode != 0


def test_a_shim_that_does_not_answer_is_a_502_that_says_so(
    tunnel: Tunnelled, local: FakeIndex
) -> None:
    local.stop_listening()
    answer = tunnel.ask("https://packages.example.com/")
    assert (answer.status, answer.headers["Content-Type"]) == (502, "application/problem+json")
    assert "local index does not answer" in json.loads(answer.data)["detail"]
    assert tunnel.tunnel.report().failed == 1


def test_only_http_1_1_is_offered(tunnel: Tunnelled) -> None:
    context = ssl.create_default_context(cafile=str(tunnel.bundle))
    context.set_alpn_protocols(["h2", "http/1.1"])
    sock = tunnel.connected("packages.example.com:443")
    with context.wrap_socket(sock, server_hostname="packages.example.com") as secure:
        assert secure.selected_alpn_protocol() == "http/1.1"
