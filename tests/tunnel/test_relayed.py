"""Connections to other hosts are relayed unchanged, by the user's proxy where there is one."""

import contextlib
import socket
import ssl
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.fakes import FakeIndex
from tests.serving import wait_until
from tests.tunnel.support import SECONDS, Host, Tunnelled, UserProxy, host, tunnelled


def received(sock: socket.socket) -> bytes:
    data = b""
    while piece := sock.recv(65536):
        data += piece
    return data


def test_another_host_is_reached_with_its_own_certificate(
    tunnel: Tunnelled, local: FakeIndex, remote: Host
) -> None:
    with tunnel.client(ca_certs=str(remote.bundle)) as client:
        assert client.request("GET", f"{remote.origin}/").data == b"by the host"
    assert local.requests == []
    assert tunnel.tunnel.report().relayed == 1


class Pair(NamedTuple):
    """Both ends of a relayed connection."""

    client: socket.socket
    server: socket.socket


def raw(tunnel: Tunnelled, line: str, login: str) -> bytes:
    """Return all that is answered to the first line of a request and a login."""
    field = f"Proxy-Authorization: {login}\r\n" if login else ""
    with socket.create_connection(("127.0.0.1", tunnel.port), SECONDS) as sock:
        sock.sendall(f"{line}\r\n{field}\r\n".encode())
        return received(sock)


@pytest.fixture
def pair(tunnel: Tunnelled) -> Iterator[Pair]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        client = tunnel.connected(f"127.0.0.1:{listening.getsockname()[1]}")
        server, _ = listening.accept()
    with client, server:
        yield Pair(client, server)


def test_the_bytes_are_the_clients_own_and_either_side_may_end_first(pair: Pair) -> None:
    pair.client.sendall(b"\x00question")
    pair.client.shutdown(socket.SHUT_WR)
    assert received(pair.server) == b"\x00question"
    pair.server.sendall(b"answer\xff")
    pair.server.shutdown(socket.SHUT_WR)
    assert received(pair.client) == b"answer\xff"


def test_a_direction_that_is_stuck_does_not_block_the_other(pair: Pair) -> None:
    pair.client.settimeout(0.0)
    with contextlib.suppress(BlockingIOError):  # all buffers are full: the server does not read
        while True:
            pair.client.send(bytes(65536))
    pair.client.settimeout(SECONDS)
    pair.server.sendall(b"answer")
    assert pair.client.recv(100) == b"answer"


def test_a_connection_that_breaks_breaks_on_the_other_side(pair: Pair) -> None:
    # Closing with a linger of zero seconds sends RST.
    pair.server.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    pair.server.close()
    assert received(pair.client) == b""


def test_a_host_that_cannot_be_reached_is_a_502(tunnel: Tunnelled) -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    answer = raw(tunnel, f"CONNECT 127.0.0.1:{port} HTTP/1.1", f"basic {tunnel.token}")
    assert answer.startswith(b"HTTP/1.1 502 ")
    assert f"127.0.0.1:{port} cannot be connected to: Connection refused".encode() in answer


@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "PIP_PROXY"])
def test_they_go_by_the_users_proxy_with_its_password(
    local: FakeIndex, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    with host(tmp_path, "other.example.com") as real:
        real.index.answer(200, {}, b"other")
        with UserProxy(real.index.port, "me:secret") as proxy:
            monkeypatch.setenv(variable, proxy.url)
            with tunnelled(local) as tunnel, tunnel.client(ca_certs=str(real.bundle)) as client:
                assert client.request("GET", "https://other.example.com/").data == b"other"
    assert proxy.asked == [("CONNECT", "other.example.com:443")]


def test_a_host_in_no_proxy_is_connected_to_directly(
    local: FakeIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    with UserProxy(1) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        monkeypatch.setenv("NO_PROXY", "*.invalid:444, .invalid:443")
        with tunnelled(local) as tunnel:
            answer = raw(tunnel, "CONNECT a.invalid:443 HTTP/1.1", f"Basic {tunnel.token}")
            assert b"a.invalid:443 cannot be connected to" in answer
    assert proxy.asked == []


@pytest.mark.parametrize("login", ["", "Basic eDp5", "Bearer {}", "Basic"])
def test_without_the_password_nothing_is_asked(
    tunnel: Tunnelled, local: FakeIndex, login: str
) -> None:
    for line in ("CONNECT packages.example.com:443", "GET http://10.9.8.7:8080/"):
        answer = raw(tunnel, f"{line} HTTP/1.1", login.format(tunnel.token))
        assert answer.startswith(b"HTTP/1.1 407 ")
        assert b"Proxy-Authenticate: Basic " in answer
    assert local.requests == []
    assert (tunnel.tunnel.report().connections, tunnel.tunnel.report().strangers) == (0, 2)


@pytest.mark.parametrize(
    "line", ["GET / HTTP/1.1", "CONNECT nowhere: HTTP/1.1", "GET http://a:b/ HTTP/1.1", "nonsense"]
)
def test_a_request_that_is_none_to_a_proxy_is_refused(tunnel: Tunnelled, line: str) -> None:
    assert raw(tunnel, line, f"Basic {tunnel.token}").startswith(b"HTTP/1.1 400 ")


def test_a_program_that_refuses_the_certificate_is_relayed_at_its_next_try(
    local: FakeIndex, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with host(tmp_path, "packages.example.com") as real, UserProxy(real.index.port) as proxy:
        real.index.answer(200, {}, b"by the host")
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        with tunnelled(local) as tunnel:
            context = ssl.create_default_context(cafile=str(real.bundle))
            sock = tunnel.connected("packages.example.com:443", "User-Agent: strict/1.0")
            with pytest.raises(ssl.SSLCertVerificationError):
                context.wrap_socket(sock, server_hostname="packages.example.com")
            sock.close()
            wait_until(lambda: tunnel.tunnel.report().refusals, 10, "it is not noted")
            sock = tunnel.connected("packages.example.com:443", "User-Agent: strict/1.0")
            with context.wrap_socket(sock, server_hostname="packages.example.com") as secure:
                secure.sendall(b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n")
                assert received(secure).endswith(b"by the host")
            # Another kind of program is still answered by the shim.
            other = ssl.create_default_context(cafile=str(tunnel.bundle))
            other.set_ciphers("ECDHE+AESGCM")
            sock = tunnel.connected("packages.example.com:443")
            with other.wrap_socket(sock, server_hostname="packages.example.com") as secure:
                secure.sendall(b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n")
                assert received(secure).endswith(b"by the shim")
            (refusal,) = tunnel.tunnel.report().refusals
    assert (refusal.origin, refusal.program) == ("https://packages.example.com", "strict/1.0")
    assert refusal.relayed == 1


def test_what_is_no_tls_is_relayed(local: FakeIndex) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        target = f"127.0.0.1:{listening.getsockname()[1]}"
        with tunnelled(local, f"https://{target}") as tunnel, tunnel.connected(target) as client:
            client.sendall(b"SSH-2.0-x\r\n")
            server, _ = listening.accept()
            with server:
                assert server.recv(100) == b"SSH-2.0-x\r\n"
