"""Bodies that are not wanted: they are not read, and cost no thread."""

import resource
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
import requests

from tests.fakes import wheel
from tests.hosted.conftest import SECONDS, Hosted
from tests.serving import Served, config_text, index_table, serving

#: More clients than the server has threads.
CROWD = 1150
ANNOUNCED = 60_000_000
LIB = wheel("acme-lib", "1.0", size=300_000)
#: ``serve`` as ever, but for the wait for a piece.
_IMPATIENT = """
from indexfallback.cli import main
from indexfallback.server.bodies import TimedBody
TimedBody.__init__.__kwdefaults__["piece_seconds"] = 0.5
main()
"""


def _head(served: Served, method: str, path: str, *headers: str, length: int = ANNOUNCED) -> bytes:
    lines = "".join(f"{line}\r\n" for line in (f"Content-Length: {length}", *headers))
    return f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{served.port}\r\n{lines}\r\n".encode()


@pytest.fixture
def many_handles() -> Iterator[None]:
    """Handles for a crowd in this process."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 4096), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.usefixtures("many_handles")
def test_a_crowd_without_tokens_that_sends_nothing_takes_no_thread(refusing: Hosted) -> None:
    head = _head(refusing.served, "POST", "/upload/")
    with ExitStack() as stack:
        for _ in range(CROWD):
            address = ("127.0.0.1", refusing.served.port)
            stack.enter_context(socket.create_connection(address, SECONDS)).sendall(head)
        began = time.monotonic()
        assert refusing.served.get("/-/health").status == 200
        assert time.monotonic() - began < 2


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/upload/", b"401"),
        ("POST", "/upload/nowhere/", b"401"),
        ("POST", "/simple/acme-lib/", b"405"),
        ("PUT", "/-/health", b"405"),
        ("GET", "/-/health", b"200"),
        ("HEAD", "/simple/acme-lib/", b"200"),
        ("DELETE", "/nothing/here", b"404"),
    ],
)
def test_a_request_whose_body_does_not_come_is_answered_and_its_connection_closed(
    refusing: Hosted, method: str, path: str, status: bytes
) -> None:
    began = time.monotonic()
    answer = refusing.served.raw(_head(refusing.served, method, path), 20)
    assert answer.split()[1] == status
    assert time.monotonic() - began < 5


def test_a_client_without_a_token_sees_why_while_it_sends(refusing: Hosted) -> None:
    big = bytes(20_000_000)
    answer = refusing.upload(LIB, data=big, token="wrong")
    assert answer.status_code == 401
    assert "this is not a token of this server" in answer.json()["detail"]
    assert answer.headers["Connection"] == "close"


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hosted]:
    """A shim that takes uploads of 200 kB, and waits only half a second for a piece of them."""
    directory, packages = (tmp_path_factory.mktemp(name) for name in ("strict", "packages"))
    table = index_table("local", packages.as_uri(), role="private", upload=True)
    text = config_text(table, server={"max_upload_size": "200 kB"})
    script = directory / "python"
    script.write_text(f"#!/bin/sh\nshift 2\nexec '{sys.executable}' -c '{_IMPATIENT}' \"$@\"\n")
    script.chmod(0o755)
    with pytest.MonkeyPatch.context() as patch, ExitStack() as stack:
        patch.setattr("tests.forking.PYTHON", str(script))
        yield Hosted(directory, packages, lambda: stack.enter_context(serving(directory, text)))


def test_an_upload_larger_than_allowed_is_refused_before_it_is_read(strict: Hosted) -> None:
    answer = strict.upload(LIB)
    assert answer.status_code == 413
    assert "server.max_upload_size is 200000" in answer.json()["detail"]
    assert answer.headers["Connection"] == "close"
    assert strict.upload(wheel("acme-lib", "1.0")).status_code == 200


def test_an_upload_that_stands_still_ends_with_408(strict: Hosted) -> None:
    login = requests.auth._basic_auth_str("__token__", strict.token)
    form = "Content-Type: multipart/form-data; boundary=x"
    head = _head(strict.served, "POST", "/upload/", f"Authorization: {login}", form, length=100_000)
    with socket.create_connection(("127.0.0.1", strict.served.port), SECONDS) as sock:
        sock.sendall(head + b"--x\r\n")
        answer = sock.recv(65536)
    assert answer.split()[1] == b"408"
    assert b"connection: close" in answer
    assert strict.served.get("/-/health").status == 200
