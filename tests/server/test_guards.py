"""The checks before every request, and the form of every error."""

import http.client
import socket

import pytest

from indexfallback.config.loopback import is_loopback
from tests.conftest import Serve
from tests.server.conftest import World
from tests.serving import index_table, wait_until

#: A path of each kind.
EVERYWHERE = ["/", "/simple/", "/simple/demo/", "/-/health", "/-/status", "/files/pypi/demo/x.whl"]


def request(*lines: str, body: bytes = b"") -> bytes:
    """Return a request that asks for the connection to be closed."""
    return "\r\n".join([*lines, "Connection: close", "", ""]).encode("latin-1") + body


def status_of(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


@pytest.mark.fault(65)
@pytest.mark.parametrize("path", EVERYWHERE)
@pytest.mark.parametrize(
    "host",
    ["evil.example.com", "127.0.0.1.example.com", "localhost.example.com:80", "192.168.1.1", ""],
)
def test_a_foreign_host_is_misdirected(world: World, path: str, host: str) -> None:
    assert world.shim.get(path, {"Host": host}).problem["status"] == 421


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.0.0.1:80", "localhost", "LOCALHOST:5503", "[::1]:5503", "127.1.2.3"]
)
def test_every_name_of_loopback_is_ours(world: World, host: str) -> None:
    assert world.shim.get("/-/health", {"Host": host}).status == 200


@pytest.mark.fault(65)
@pytest.mark.parametrize(
    "lines",
    [
        ("GET / HTTP/1.1",),
        ("GET / HTTP/1.0",),
        ("GET / HTTP/1.1", "Host: evil.example.com", "Host: 127.0.0.1"),
        ("GET / HTTP/1.1", "Host: 127.0.0.1", "Host: evil.example.com"),
    ],
    ids=["none", "none in HTTP/1.0", "two, ours last", "two, ours first"],
)
def test_a_host_that_is_not_one_is_misdirected(world: World, lines: tuple[str, ...]) -> None:
    assert status_of(world.shim.raw(request(*lines))) == 421


@pytest.mark.parametrize(
    ("host", "expected"),
    [("[::1]", True), ("::1", True), ("127.0.0.2", True), ("0.0.0.0", False), ("::", False)],
)
def test_loopback_addresses_are_known(host: str, *, expected: bool) -> None:
    assert is_loopback(host) is expected


@pytest.mark.parametrize("path", EVERYWHERE)
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "TRACE"])
def test_other_methods_are_refused_with_those_allowed(world: World, method: str, path: str) -> None:
    answer = world.shim.get(path, method=method)
    assert answer.problem["status"] == 405
    assert {"GET", "HEAD"} <= set(answer.headers["Allow"].split(", "))


@pytest.mark.fault(74)
@pytest.mark.parametrize("path", EVERYWHERE)
@pytest.mark.parametrize("method", ["GET", "OPTIONS"])
def test_no_answer_is_meant_for_other_origins(world: World, method: str, path: str) -> None:
    headers = {"Origin": "https://evil.example.com", "Access-Control-Request-Method": "GET"}
    answer = world.shim.get(path, headers, method=method)
    assert [name for name in answer.headers if name.lower().startswith("access-control")] == []


HOSTILE = {
    "dots": "/simple/../",
    "encoded dots": "/simple/%2e%2e/",
    "up to the root": "/files/pypi/demo/..%2f..%2f..%2f..%2fetc%2fpasswd",
    "plain dots to a file": "/files/pypi/demo/../../../../etc/passwd",
    "encoded slash": "/simple/a%2fb/",
    "encoded twice": "/simple/%252e%252e%252f/",
    "encoded slashes": "/%2f%2f..%2f",
    "backslash": "/files/pypi/demo/..%5c..%5cpasswd",
    "drive": "/files/pypi/demo/C:passwd",
    "NUL": "/simple/demo%00/",
    "NUL in a file": "/files/pypi/demo/demo%00.whl",
    "CRLF": "/simple/demo%0d%0aSet-Cookie:%20a=b/",
    "CRLF in an index": "/index/pypi%0d%0aSet-Cookie:%20a=b/simple/demo/",
    "no UTF-8": "/simple/%ff%fe/",
    "half an escape": "/simple/%z/",
    "look-alike": "/simple/d%d0%b5mo/",
    "markup": "/simple/%3Cscript%3E/",
    "10 KB of name": f"/simple/{'a' * 10_240}/",
    "10 KB of path": "/a" * 5_120,
    "why": "/-/why/..%2f",
}


@pytest.mark.fault(37)
@pytest.mark.fault(38)
@pytest.mark.fault(40)
@pytest.mark.fault("incident: Nexus CVE-2024-4956")
@pytest.mark.fault("incident: Starlette CVE-2023-29159")
@pytest.mark.fault("incident: aiohttp CVE-2024-23334")
@pytest.mark.fault("incident: python-tuf CVE-2021-41131")
@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_path_is_a_404_and_asks_no_index(world: World, kind: str) -> None:
    before = world.pypi.count()
    answer = world.shim.get(HOSTILE[kind])
    assert answer.problem["status"] == 404
    assert "Set-Cookie" not in answer.headers
    assert world.pypi.count() == before


@pytest.mark.fault(40)
@pytest.mark.fault("incident: pypiserver CVE-2019-6802")
@pytest.mark.parametrize(
    "path",
    [
        "/index/pypi%0d%0aSet-Cookie:%20a=b/simple",
        "/simple/demo%0d%0aSet-Cookie:%20a=b",
        "/simple/%2f%2fevil.example.com",
        "//evil.example.com/simple/Demo/",
    ],
)
def test_a_redirect_leads_nowhere_else(world: World, path: str) -> None:
    answer = world.shim.get(path)
    assert answer.headers.get("Location", "/simple/").startswith(("/simple/", "/index/"))
    assert "Set-Cookie" not in answer.headers


@pytest.mark.fault(71)
@pytest.mark.parametrize(
    "headers",
    [
        ("Content-Length: 5", "Content-Length: 6"),
        ("Content-Length: 5x",),
        ("Content-Length: -1",),
        ("Content-Length: +5",),
        ("Content-Length: 5, 6",),
        ("Transfer-Encoding: chunked", "Transfer-Encoding: identity"),
        ("Bad Header: x",),
        ("Content-Length : 5",),
    ],
    ids=" and ".join,
)
def test_a_malformed_request_is_a_400_and_the_end_of_the_connection(
    world: World, headers: tuple[str, ...]
) -> None:
    data = request("GET /-/health HTTP/1.1", "Host: 127.0.0.1", *headers, body=b"hello")
    answer = world.shim.raw(data.replace(b"Connection: close\r\n", b""))
    assert status_of(answer) == 400
    assert b"html" not in answer.lower()


@pytest.mark.fault(71)
def test_a_length_beside_chunks_is_dropped_and_smuggles_nothing(world: World) -> None:
    smuggled = b"GET /-/status HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    data = (
        b"GET /-/health HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 5\r\n"
        b"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n0\r\n\r\n" + smuggled
    )
    answer = world.shim.raw(data)
    assert status_of(answer) == 200
    assert answer.count(b"HTTP/1.1 ") == 1


def test_a_body_that_a_get_brings_is_ignored(world: World) -> None:
    headers = ("Host: 127.0.0.1", "Content-Length: 5")
    answer = world.shim.raw(request("GET /-/health HTTP/1.1", *headers, body=b"hello"))
    assert status_of(answer) == 200


def test_a_connection_is_kept_for_the_next_request(world: World) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", world.shim.port, timeout=60)
    for path in ("/-/health", "/simple/no-such-thing/", "/simple/demo/"):
        connection.request("GET", path)
        connection.getresponse().read()
        assert connection.sock is not None
    connection.close()


@pytest.mark.fault(67)
@pytest.mark.slow
def test_headers_that_never_end_cost_a_connection_only_ten_seconds(served: Serve) -> None:
    shim = served(index_table("pypi", "http://127.0.0.1:9/simple/"))
    with socket.create_connection(("127.0.0.1", shim.port), 20) as sock:
        sock.sendall(b"GET /-/health HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ")
        closed: list[bytes] = []

        def is_cut() -> bool:
            sock.settimeout(0.2)
            try:
                closed.append(sock.recv(100))
            except TimeoutError:
                sock.sendall(b"x")
                return False
            except OSError:
                pass
            return True

        wait_until(is_cut, 11, "headers were waited for longer than 10 s")
        assert shim.get("/-/health").status == 200
