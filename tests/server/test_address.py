"""The address of the server: free, taken, or served already."""

import http.server
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from indexfallback.server.address import (
    PortRefusedError,
    PortTakenError,
    take_port,
)
from indexfallback.server.asking import found_at
from tests.conftest import Serve
from tests.serving import Served, config_text, end_program, index_table, start

NOWHERE = index_table("pypi", "http://127.0.0.1:9/simple/")
OTHER = index_table("pypi", "http://127.0.0.1:10/simple/")


@contextmanager
def program(answer: bytes) -> Iterator[int]:
    """Give the port of another program, which answers everything so."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


def serve_on(directory: Path, port: int, config: str) -> tuple[int, str, str]:
    """Run ``serve`` on a port that it cannot have; return exit code, output and errors."""
    process, log = start(directory, config, port=port)
    try:
        code = process.wait(60)
        assert process.stdout is not None
        return code, process.stdout.read().decode(), log.read_text(encoding="utf-8")
    finally:
        end_program(process)


@pytest.fixture
def running(served: Serve, tmp_path: Path) -> Served:
    """A shim on a port of its own choice."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
    return served(NOWHERE, directory=tmp_path / "served", port=port)


@pytest.mark.fault(64)
def test_a_port_served_with_the_same_configuration_is_no_error(
    running: Served, tmp_path: Path
) -> None:
    code, output, errors = serve_on(tmp_path / "served", running.port, config_text(NOWHERE))
    assert (code, errors) == (0, "")
    assert json.loads(output) == {
        "schema": 1,
        "url": f"http://127.0.0.1:{running.port}/simple/",
        "pid": running.json("/-/health")["pid"],
        "started": False,
    }
    assert running.get("/-/health").status == 200


@pytest.mark.fault(64)
def test_a_port_served_with_another_configuration_is_an_error_that_says_so(
    running: Served, tmp_path: Path
) -> None:
    code, output, errors = serve_on(tmp_path / "served", running.port, config_text(OTHER))
    pid = running.json("/-/health")["pid"]
    assert (code, output) == (1, "")
    assert errors == (
        f"indexfallback: 127.0.0.1:{running.port} is taken by a shim with another configuration "
        f"(process {pid}); stop it, or choose another port with --port or INDEXFALLBACK_PORT\n"
    )
    assert running.get("/-/health").status == 200


@pytest.mark.parametrize(
    "answer", [b"<html>", b"[]", b'"text"', b"{}", b'{"name": "other"}'], ids=bytes.decode
)
def test_a_port_of_another_program_is_an_error_that_says_so(answer: bytes) -> None:
    with (
        program(answer) as port,
        pytest.raises(PortTakenError, match=rf"127\.0\.0\.1:{port} is taken by another program"),
    ):
        take_port("127.0.0.1", port, "identity")


@pytest.mark.fault(64)
def test_serve_on_a_port_of_another_program_exits_with_one(tmp_path: Path) -> None:
    with program(b"<html>") as port:
        code, output, errors = serve_on(tmp_path / "served", port, config_text(NOWHERE))
    assert (code, output) == (1, "")
    assert errors == (
        f"indexfallback: 127.0.0.1:{port} is taken by another program; stop it, or choose "
        "another port with --port or INDEXFALLBACK_PORT\n"
    )


def test_serve_on_a_port_that_is_bound_and_silent_exits_with_one(tmp_path: Path) -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        port = held.getsockname()[1]
        code, output, errors = serve_on(tmp_path / "served", port, config_text(NOWHERE))
    assert (code, output) == (1, "")
    assert f"127.0.0.1:{port} is taken by another program" in errors
    assert "Traceback" not in errors


def test_a_program_that_accepts_and_says_nothing_is_another_program(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(found_at, "__defaults__", (0.2,))
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(PortTakenError):
        take_port("127.0.0.1", silent.getsockname()[1], "identity")


def test_a_port_is_one_shims_until_released(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("indexfallback.server.address.LOCK_SECONDS", 0.1)
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        number = sock.getsockname()[1]
    first = take_port("127.0.0.1", number, "identity")
    with pytest.raises(PortTakenError, match="a shim that is starting or does not answer"):
        take_port("127.0.0.1", number, "identity")
    first.release()
    take_port("127.0.0.1", number, "identity").release()


def test_a_free_port_is_given_to_one_process_only() -> None:
    ports = [take_port("127.0.0.1", 0, "identity") for _ in range(20)]
    assert len({port.number for port in ports}) == 20
    assert ports[0].url == f"http://127.0.0.1:{ports[0].number}"
    for port in ports:
        port.release()


def test_an_address_of_another_machine_is_an_error_that_says_so() -> None:
    with pytest.raises(PortRefusedError) as caught:
        take_port("192.0.2.1", 0, "identity")
    assert "cannot listen on 192.0.2.1:0 (" in str(caught.value)
    assert caught.value.exit_code == 1


def test_a_port_can_be_served_again_at_once(served: Serve) -> None:
    first = served(NOWHERE)
    assert first.get("/-/health").status == 200
    first.stop()
    assert served(NOWHERE, port=first.port).get("/-/health").status == 200
