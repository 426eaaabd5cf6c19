"""`deploy/try` starts three shims, a bucket and nginx, and ends all of them."""

import queue
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import psutil
import pytest

from tests.clients.support import User, installed
from tests.fakes import FakeIndex, wheel
from tests.in_process import ROOT
from tests.serving import all_ended, clean_environment, json_at, wait_until

#: The starts of a database and of three shims, on a machine that is busy.
START_SECONDS = 120.0
STOP_SECONDS = 60.0

pytestmark = pytest.mark.skipif(
    not (shutil.which("nginx") or Path("/usr/sbin/nginx").exists()), reason="no nginx"
)


class Tried(NamedTuple):
    """What the script runs."""

    process: "subprocess.Popen[str]"
    url: str
    ports: list[int]


@contextmanager
def trying(directory: Path, *arguments: str) -> Iterator[Tried]:
    """Start the script, and give what it says."""
    (directory / "tmp").mkdir()
    environment = clean_environment(directory, TMPDIR=str(directory / "tmp"))
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "deploy" / "try"), "--port", "0", *arguments],
        env=environment, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    lines: queue.Queue[str] = queue.Queue()
    output = process.stdout
    threading.Thread(target=lambda: deque(map(lines.put, output), 0), daemon=True).start()
    try:
        url = lines.get(timeout=START_SECONDS).strip()
        told = lines.get(timeout=START_SECONDS)
        ports = told.partition("shims: ")[2].partition(",")[0]
        yield Tried(process, url, [int(port) for port in ports.split()])
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(STOP_SECONDS)
        output.close()


def _decisions(port: int) -> list[dict[str, Any]]:
    """Return the pages and files that a shim has answered, which reaches the bucket."""
    url = f"http://127.0.0.1:{port}/"
    wait_until(
        lambda: json_at(url, "/-/status")["shared"]["state"] == "ok",
        START_SECONDS,
        "the shim does not share",
    )
    status = json_at(url, "/-/status")
    assert {"queue", "waiting"} <= status["shared"].keys()  # `deploy/drain` adds them
    decisions: list[dict[str, Any]] = status["activity"]["decisions"]
    return decisions


def test_a_port_that_is_taken_is_said_before_anything_starts(tmp_path: Path) -> None:
    (tmp_path / "tmp").mkdir()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = subprocess.run(
            [sys.executable, str(ROOT / "deploy" / "try"), "--port", str(port)],
            env=clean_environment(tmp_path, TMPDIR=str(tmp_path / "tmp")),
            capture_output=True, text=True, check=False, timeout=START_SECONDS,
        )  # fmt: skip
    assert (done.returncode, done.stdout) == (1, "")
    assert "name another with --port" in done.stderr
    assert list((tmp_path / "tmp").iterdir()) == []


def test_three_shims_fetch_a_package_once_and_go_on_without_one_of_them_and_the_bucket(
    tmp_path: Path,
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    user = User(home)
    dists = [wheel(f"demo-{number}") for number in range(3)]
    names = [dist.project for dist in dists]
    with (
        FakeIndex(dists) as index,
        trying(tmp_path, "--index", f"demo={index.url}") as tried,
    ):
        started = psutil.Process(tried.process.pid).children(recursive=True)
        target = user.target()
        pip = (sys.executable, "-m", "pip", "install", "--no-cache-dir", "--no-compile")
        user.call(*pip, "--target", str(target), "--index-url", tried.url, *names).expect()
        assert installed(target) == {dist.project: "1.0" for dist in dists}
        for dist in dists:
            assert index.count(f"/files/{dist.filename}") == 1
        # Each address went to one shim, and all of them reach the bucket.
        decisions = [decision for port in tried.ports for decision in _decisions(port)]
        assert len(decisions) == 2 * len(dists)
        # One shim and the bucket are killed, and everything is still answered.
        words = {each: each.cmdline() for each in started}
        for word in ("server", "serve"):  # of SeaweedFS, and of a shim
            next(each for each in started if word in words[each]).kill()
        for name in names:
            assert json_at(tried.url, f"/pypi/{name}/json")["info"]["version"] == "1.0"
    assert tried.process.returncode == 0
    assert len(started) >= 5
    assert all_ended(started)
    assert list((tmp_path / "tmp").iterdir()) == []
