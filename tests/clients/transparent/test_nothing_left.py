"""After a run no process of it, no file and no certificate is left, and during it no open door."""

import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

import psutil
import pytest

from tests.clients.transparent.support import PYPI, Developer, Internet
from tests.serving import all_ended, wait_until

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals")

#: Longest start and end of a run, seconds.
SECONDS = 30.0
#: Says where the tunnel and its bundle are, and waits until it is told to end.
_COMMAND = 'echo "$INDEXFALLBACK_TUNNEL" "$SSL_CERT_FILE"; read line'
#: Before a command: another user of this machine, with nothing of our environment.
_STRANGER = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "env", "-i")


class Running(NamedTuple):
    """A run whose command waits."""

    process: "subprocess.Popen[str]"
    #: Its own processes without the command's.
    helpers: list[psutil.Process]
    #: ``127.0.0.1:PORT`` of the tunnel.
    address: str
    bundle: Path

    def stop(self, number: int | None) -> None:
        """Send it a signal, or have the command end by itself."""
        if number is not None:
            self.process.send_signal(number)
        self.process.communicate("\n", SECONDS)


@contextmanager
def running(developer: Developer) -> Iterator[Running]:
    process = subprocess.Popen(
        [sys.executable, "-m", "indexfallback", "run", "--", "sh", "-c", _COMMAND],
        env=developer.environment, cwd=developer.project, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    family: list[psutil.Process] = []
    try:
        assert process.stdout is not None
        address, bundle = process.stdout.readline().split()
        family = psutil.Process(process.pid).children(recursive=True)
        helpers = [each for each in family if each.name() != "sh"]
        yield Running(process, helpers, address, Path(bundle))
    finally:
        for each in [*family, process]:
            with suppress(psutil.NoSuchProcess):
                each.kill()
        process.communicate()


@pytest.fixture
def temporary(developer: Developer) -> Path:
    """The directory of the developer's temporary files."""
    path = developer.home / "tmp"
    path.mkdir()
    developer.environment["TMPDIR"] = str(path)
    return path


def certificates(developer: Developer) -> set[str]:
    """Return the files below the home directory that hold a certificate or a key."""
    files = [path for path in developer.home.rglob("*") if path.is_file()]
    return {path.name for path in files if b"-----BEGIN " in path.read_bytes()}


def is_listening(address: str) -> bool:
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host, int(port)), SECONDS).close()
    except ConnectionRefusedError:
        return False
    return True


@pytest.mark.parametrize("number", [None, signal.SIGTERM, signal.SIGKILL])
def test_nothing_is_left_however_a_run_ends(
    developer: Developer, internet: Internet, temporary: Path, number: int | None
) -> None:
    with running(developer) as run:
        assert run.helpers
        assert is_listening(run.address)
        assert certificates(developer) == {internet.bundle.name, run.bundle.name}
        run.stop(number)
        wait_until(lambda: all_ended(run.helpers), SECONDS, "a process is left")
    assert not is_listening(run.address)
    assert certificates(developer) == {internet.bundle.name}
    assert not list(temporary.iterdir())
    assert not list((developer.home / "state").rglob("run-*"))


@pytest.mark.skipif(
    not (shutil.which("setpriv") and shutil.which("curl")) or os.geteuid() != 0,
    reason="needs to become another user",
)
def test_another_user_can_use_neither_the_proxy_nor_read_its_certificates(
    developer: Developer, internet: Internet
) -> None:
    def stranger(*command: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [*_STRANGER, *command], check=False, capture_output=True, text=True, timeout=SECONDS
        )

    with running(developer) as run:
        internet.clear()
        proxy = ("curl", "--silent", "--insecure", "--proxy", f"http://{run.address}")
        tunnelled = stranger(*proxy, "-w", "%{http_connect}", f"https://{PYPI}/simple/bar/")
        plain = stranger(*proxy, "-o", "/dev/null", "-w", "%{http_code}", "http://example.com/")
        assert (tunnelled.stdout, plain.stdout) == ("407", "407")
        assert "Permission denied" in stranger("cat", str(run.bundle)).stderr
        assert internet.proxy.forwarded == []
        run.stop(None)
