"""The process of a tunnel: how it starts, what it says, and that nothing is left of it."""

import json
import os
import signal
import socket
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from indexfallback.clients.tunnel_process import TunnelEndedError, tunnel_process
from indexfallback.errors import TunnelError
from indexfallback.server.handles import ENOUGH
from tests.fakes import FakeIndex
from tests.in_process import ROOT
from tests.serving import all_ended, wait_until
from tests.tunnel.support import ORIGIN, SECONDS, Tunnelled
from tests.tunnel.support import tunnelled_by_process as tunnelled

if sys.platform != "win32":
    import resource

unix = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")

#: Opens a tunnel, says where its bundle is, and waits.
_PARENT = """\
import os, sys, time
from indexfallback.clients.tunnel_process import tunnel_process
with tunnel_process() as process:
    tunnel = process.open(sys.argv[1], [sys.argv[2]])
    print(tunnel.environment(os.environ)["SSL_CERT_FILE"], flush=True)
    time.sleep(60)
"""

_OTHERS: list[psutil.Process] = []


def state() -> Path:
    """Return the directory below which tunnels keep their files."""
    return Path(os.environ["XDG_STATE_HOME"]) / "indexfallback" / "tunnel"


def left() -> list[Path]:
    return [path for path in state().rglob("*") if path != state() / "lock"]


@pytest.fixture
def tunnel(local: FakeIndex) -> Iterator[Tunnelled]:
    with tunnelled(local) as found:
        yield found


@pytest.fixture(autouse=True)
def _others() -> None:
    """Remember the processes that other tests have started."""
    _OTHERS[:] = psutil.Process().children(recursive=True)


def children() -> list[psutil.Process]:
    """Return the processes that this test has started."""
    return [each for each in psutil.Process().children(recursive=True) if each not in _OTHERS]


@contextmanager
def started(local: FakeIndex) -> Iterator["subprocess.Popen[str]"]:
    """Give a process that has opened a tunnel."""
    process = subprocess.Popen(
        [sys.executable, "-c", _PARENT, local.url, ORIGIN],
        stdout=subprocess.PIPE, text=True, cwd=ROOT,
    )  # fmt: skip
    assert process.stdout is not None
    with process:
        assert process.stdout.readline()
        yield process
        process.kill()


@unix
def test_it_has_as_many_handles_as_the_system_allows(local: FakeIndex) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (500, hard))
    try:
        with tunnelled(local, ORIGIN):
            (tunnel,) = children()
            limits = tunnel.rlimit(psutil.RLIMIT_NOFILE)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert limits == (min(hard, ENOUGH), hard)


def test_the_bundle_is_for_the_user_alone(tunnel: Tunnelled) -> None:
    assert stat.S_IMODE(tunnel.bundle.stat().st_mode) == 0o600
    assert stat.S_IMODE(tunnel.bundle.parent.stat().st_mode) == 0o700


def test_no_private_key_is_in_a_file(tunnel: Tunnelled) -> None:
    files = [path for path in left() if path.is_file()]
    assert {path.name for path in files} == {"ca-bundle.pem", "lock"}
    assert not [path for path in files if b"PRIVATE KEY" in path.read_bytes()]


def test_nothing_is_left_after_the_end(local: FakeIndex) -> None:
    with tunnelled(local) as tunnel:
        running = children()
        assert left()
    assert (left(), all_ended(running)) == ([], True)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", tunnel.port), SECONDS)


def test_a_connection_that_is_open_does_not_delay_the_end(local: FakeIndex) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        target = f"127.0.0.1:{listening.getsockname()[1]}"
        with tunnelled(local) as tunnel:
            running = children()
            client = tunnel.connected(target)
        assert (left(), all_ended(running)) == ([], True)
        assert client.recv(1) == b""
        client.close()


@unix
def test_nothing_is_left_after_sigterm(local: FakeIndex) -> None:
    with tunnelled(local) as tunnel:
        (process,) = children()
        process.terminate()
        wait_until(lambda: all_ended([process]), SECONDS, "it ignores SIGTERM")
        assert left() == []
        with pytest.raises(TunnelEndedError):
            tunnel.tunnel.report()


@unix
def test_nothing_is_left_when_the_parent_is_killed(local: FakeIndex) -> None:
    with started(local) as process:
        running = children()
        assert len(running) == 2
        process.send_signal(signal.SIGKILL)
        wait_until(lambda: all_ended(running), SECONDS, "the tunnel outlives its parent")
    assert left() == []


@unix
def test_ctrl_c_in_the_terminal_does_not_end_it(local: FakeIndex) -> None:
    with tunnelled(local) as tunnel:
        (process,) = children()
        assert os.getsid(process.pid) != os.getsid(0)
        assert tunnel.tunnel.report().connections == 0


def test_what_a_killed_tunnel_has_left_is_removed_by_the_next_one(local: FakeIndex) -> None:
    with tunnelled(local) as first:
        (process,) = children()
        process.kill()
        wait_until(lambda: all_ended([process]), SECONDS, "it is not killed")
        assert first.bundle.exists()
        with tunnelled(local) as second:
            assert not first.bundle.exists()
            assert second.bundle.exists()
    assert left() == []


def test_the_password_is_on_no_command_line_and_in_no_log(
    local: FakeIndex, capfd: pytest.CaptureFixture[str]
) -> None:
    with tunnel_process(verbose=2) as starting:
        tunnel = Tunnelled(starting.open(local.url, [ORIGIN]))
        secret = tunnel.login.partition(":")[2]
        assert len(secret) > 40
        tunnel.ask(f"{ORIGIN}/")
        for process in children():
            assert secret not in " ".join(process.cmdline())
            assert secret not in " ".join(process.environ().values())
    assert secret not in "".join(capfd.readouterr())


def test_two_tunnels_have_nothing_in_common(local: FakeIndex) -> None:
    with tunnelled(local) as one, tunnelled(local) as other:
        assert one.login != other.login
        assert one.bundle.read_bytes() != other.bundle.read_bytes()


@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "ALL_PROXY", "PIP_PROXY"])
def test_a_socks_proxy_is_an_error_with_a_way_out(
    local: FakeIndex, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, "socks5://me:secret@127.0.0.1:1080")
    with pytest.raises(TunnelError) as caught, tunnelled(local):
        pass
    assert "socks5://127.0.0.1:1080" in str(caught.value)
    assert "run --address" in caught.value.remedy
    assert left() == []


def test_an_unreadable_bundle_is_an_error_that_names_the_variable(
    local: FakeIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/no/such/file.pem")
    with pytest.raises(TunnelError) as caught, tunnelled(local):
        pass
    assert caught.value.where == "REQUESTS_CA_BUNDLE"


def test_a_parent_that_ends_before_it_says_a_word_ends_it() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "indexfallback", "tunnel"],
        stdin=subprocess.DEVNULL, capture_output=True, check=True, cwd=ROOT, timeout=SECONDS,
    )  # fmt: skip
    assert (done.stdout, done.stderr) == (b"", b"")


def test_a_report_counts_each_kind(tunnel: Tunnelled, local: FakeIndex) -> None:
    with tunnel.client() as client:
        client.request("GET", f"{ORIGIN}/a")
        client.request("GET", f"{ORIGIN}/b")
    tunnel.ask(f"{local.base}/x")
    report = tunnel.tunnel.report()
    assert (report.connections, report.requests, report.relayed) == (2, 2, 1)
    assert (report.passed_on, report.failed, report.strangers, report.refusals) == (0, 0, 0, ())
    assert json.loads(json.dumps(report.requests)) == 2


def test_many_clients_are_served_at_the_same_time(tunnel: Tunnelled) -> None:
    answers: list[bytes] = []

    def ask() -> None:
        answers.append(tunnel.ask(f"{ORIGIN}/").data)

    threads = [threading.Thread(target=ask) for _ in range(60)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(SECONDS)
    assert answers == [b"by the shim"] * 60
