"""What the shim leaves to the real host, and requests to other hosts on plain http."""

import contextlib
import json
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes import FakeIndex
from tests.tunnel.support import SECONDS, Host, Tunnelled, UserProxy, host, tunnelled


@pytest.fixture
def through(local: FakeIndex, remote: Host) -> Iterator[Tunnelled]:
    """Return a tunnel for the real host; the shim answers nothing of it."""
    local.fail(421, path="/via/")
    with tunnelled(local, remote.origin) as found:
        yield found


def test_what_is_not_the_shims_is_answered_by_the_host(
    through: Tunnelled, local: FakeIndex, remote: Host
) -> None:
    answer = through.ask(f"{remote.origin}/a%2Fb?x", {"Authorization": "Basic eDp5"})
    assert (answer.status, answer.data, answer.headers["X-From"]) == (200, b"by the host", "host")
    (request,) = remote.index.requests
    assert request.target == "/a%2Fb?x"
    assert request.headers["Authorization"] == "Basic eDp5"
    assert request.headers["Host"] == f"127.0.0.1:{remote.index.port}"
    assert local.count() == 1
    report = through.tunnel.report()
    assert (report.requests, report.passed_on) == (1, 1)


def test_connections_to_both_are_kept(through: Tunnelled, local: FakeIndex, remote: Host) -> None:
    with through.client() as client:
        for _ in range(3):
            assert client.request("GET", f"{remote.origin}/").data == b"by the host"
    for index in (local, remote.index):
        assert len({request.connection for request in index.requests}) == 1


def test_a_connection_that_the_host_has_closed_is_opened_again(
    through: Tunnelled, remote: Host
) -> None:
    with through.client() as client:
        client.request("GET", f"{remote.origin}/")
        remote.index.drop_connections()
        assert client.request("GET", f"{remote.origin}/").data == b"by the host"


def test_an_upload_goes_to_the_host_at_once(
    through: Tunnelled, local: FakeIndex, remote: Host
) -> None:
    body = b"0123456789" * 300_000
    answer = through.ask(f"{remote.origin}/legacy/", method="POST", body=body)
    assert answer.data == b"by the host"
    (request,) = remote.index.requests
    assert (request.method, request.body == body) == ("POST", True)
    assert local.count() == 0


def test_an_upload_may_be_chunked(through: Tunnelled, tmp_path: Path, remote: Host) -> None:
    with (
        raw_host(remote, b"HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\nok") as (origin, got),
        tunnelled(remote.index, origin) as tunnel,
    ):
        answer = tunnel.ask(f"{origin}/", method="PUT", body=iter([b"abc", b"de" * 100_000]))
    assert (answer.status, answer.data) == (201, b"ok")
    head, _, body = bytes(got).partition(b"\r\n\r\n")
    assert b"Transfer-Encoding: chunked" in head
    assert body.startswith(b"3\r\nabc\r\n")
    assert body.endswith(b"\r\n0\r\n\r\n")


def test_a_client_that_expects_to_be_told_to_continue_is(
    through: Tunnelled, remote: Host, tmp_path: Path
) -> None:
    file = tmp_path / "body"
    file.write_bytes(b"x" * 2_000_000)
    done = subprocess.run(
        ["curl", "-sS", "-H", "Expect: 100-continue", "--expect100-timeout", "60",
         "--data-binary", f"@{file}", f"{remote.origin}/"],
        env=through.environment, capture_output=True, check=True, timeout=SECONDS,
    )  # fmt: skip
    assert done.stdout == b"by the host"
    (request,) = remote.index.requests
    assert len(request.body) == 2_000_000


def test_a_host_may_refuse_a_body_before_it_is_sent(
    through: Tunnelled, remote: Host, tmp_path: Path
) -> None:
    refusal = b"HTTP/1.1 413 Too Large\r\nContent-Length: 4\r\nConnection: close\r\n\r\nlong"
    file = tmp_path / "body"
    file.write_bytes(b"x" * 2_000_000)
    with (
        raw_host(remote, refusal, until=b"\r\n\r\n") as (origin, got),
        tunnelled(remote.index, origin) as tunnel,
    ):
        done = subprocess.run(
            ["curl", "-sS", "-H", "Expect: 100-continue", "--expect100-timeout", "60",
             "--data-binary", f"@{file}", "-w", "%{http_code}", f"{origin}/"],
            env=tunnel.environment, capture_output=True, check=False, timeout=SECONDS,
        )  # fmt: skip
    assert done.stdout == b"long413"
    assert got.endswith(b"\r\n\r\n")  # no byte of the body


def test_an_early_answer_to_an_upload_reaches_the_client(
    through: Tunnelled, remote: Host, tmp_path: Path
) -> None:
    refusal = b"HTTP/1.1 403 No\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno"
    file = tmp_path / "body"
    file.write_bytes(b"x" * 20_000_000)
    with (
        raw_host(remote, refusal, until=b"\r\n\r\n") as (origin, _),
        tunnelled(remote.index, origin) as tunnel,
    ):
        done = subprocess.run(
            ["curl", "-sS", "-H", "Expect:", "--data-binary", f"@{file}",
             "-w", "%{http_code}", f"{origin}/"],
            env=tunnel.environment, capture_output=True, check=False, timeout=SECONDS,
        )  # fmt: skip
    assert done.stdout == b"no403"


def test_a_certificate_that_the_user_does_not_trust_is_a_502_that_says_so(
    local: FakeIndex, tmp_path: Path
) -> None:
    local.fail(421, path="/via/")
    with host(tmp_path) as stranger, tunnelled(local, stranger.origin) as tunnel:
        answer = tunnel.ask(f"{stranger.origin}/")
        assert (answer.status, answer.headers["Content-Type"]) == (502, "application/problem+json")
        assert "unable to get local issuer certificate" in json.loads(answer.data)["detail"]
        assert stranger.index.requests == []


def test_a_host_that_is_away_is_a_502_that_says_so(through: Tunnelled, remote: Host) -> None:
    remote.index.stop_listening()
    answer = through.ask(f"{remote.origin}/")
    assert answer.status == 502
    assert "Connection refused" in json.loads(answer.data)["detail"]


def test_a_request_to_another_http_host_is_passed_on(tunnel: Tunnelled, local: FakeIndex) -> None:
    with FakeIndex() as other:
        other.answer(200, {"Set-Cookie": "a=b"}, b"other")
        answer = tunnel.ask(f"{other.base}/x?y", {"Cookie": "c=d"})
    assert (answer.data, answer.headers["Set-Cookie"]) == (b"other", "a=b")
    (request,) = other.requests
    assert (request.target, request.headers["Cookie"]) == ("/x?y", "c=d")
    assert "Proxy-Authorization" not in request.headers
    assert local.requests == []


def test_the_hosts_are_reached_by_the_users_proxy(
    local: FakeIndex, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    local.fail(421, path="/via/")
    with host(tmp_path, "packages.example.com") as real:
        real.index.answer(200, {}, b"by the host")
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(real.bundle))
        with UserProxy(real.index.port, "me:secret") as proxy:
            monkeypatch.setenv("https_proxy", proxy.url)
            monkeypatch.setenv("HTTP_PROXY", proxy.url)
            with tunnelled(local, "https://packages.example.com", "http://10.9.8.7") as tunnel:
                assert tunnel.ask("https://packages.example.com/a").data == b"by the host"
                plain = tunnel.ask("http://10.9.8.7/b?c")
                assert plain.data == b"by the proxy: http://10.9.8.7/b?c"
    assert proxy.asked == [
        ("CONNECT", "packages.example.com:443"), ("GET", "http://10.9.8.7/b?c"),
    ]  # fmt: skip


def test_a_login_that_the_users_proxy_refuses_is_a_502(
    local: FakeIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    local.fail(421, path="/via/")
    with UserProxy(1, "me:secret") as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://me:wrong@{proxy.address}")
        monkeypatch.setenv("HTTP_PROXY", f"http://me:wrong@{proxy.address}")
        with tunnelled(local, "https://packages.example.com", "http://10.9.8.7") as tunnel:
            for url in ("https://packages.example.com/", "http://10.9.8.7/"):
                answer = tunnel.ask(url)
                assert answer.status == 502
                assert b"proxy" in answer.data
                assert b"wrong" not in answer.data


class raw_host:  # noqa: N801 - read as a context manager
    """A TLS host that reads up to some bytes, sends an answer and waits for the end."""

    def __init__(self, remote: Host, answer: bytes, until: bytes = b"\r\n0\r\n\r\n") -> None:
        self._context = remote.index._listener._tls
        self._answer, self._until = answer, until
        self._got = bytearray()
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> tuple[str, bytearray]:
        self._thread.start()
        return f"https://127.0.0.1:{self._socket.getsockname()[1]}", self._got

    def __exit__(self, *_: object) -> None:
        self._thread.join(SECONDS)
        self._socket.close()

    def _serve(self) -> None:
        assert isinstance(self._context, ssl.SSLContext)
        sock, _ = self._socket.accept()
        with self._context.wrap_socket(sock, server_side=True) as secure:
            while not self._got.endswith(self._until):
                self._got += secure.recv(65536)
            secure.sendall(self._answer)
            # What still comes is read (RFC 9112, 9.6): a reset could overtake the answer.
            # At most a second of silence: a tunnel in this process keeps its connections.
            secure.settimeout(1.0)
            with contextlib.suppress(OSError):
                while secure.recv(65536):
                    pass
