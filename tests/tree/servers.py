"""Plain web servers, started for real: Python's own, and nginx with the lines of the docs."""

import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.in_process import ROOT
from tests.serving import START_SECONDS, wait_until

#: Debian's, which is not on the PATH of users.
NGINX = shutil.which("nginx") or "/usr/sbin/nginx"
#: Started by root, nginx would serve as a user who may not read a test's directory.
_USER = "user root root;" if os.name == "posix" and os.geteuid() == 0 else ""
_AROUND = """\
{user}
daemon off;
worker_processes 1;
pid {home}/nginx.pid;
error_log {home}/error.log warn;
events {{ worker_connections 64; }}
http {{
    access_log {home}/access.log;
    client_body_temp_path {home}/body;
    proxy_temp_path {home}/proxy;
    fastcgi_temp_path {home}/fastcgi;
    uwsgi_temp_path {home}/uwsgi;
    scgi_temp_path {home}/scgi;
{documented}
}}
"""


@contextmanager
def http_server(root: Path, home: Path) -> Iterator[str]:
    """Give the address of ``python -m http.server``."""
    port = _free_port()
    command = [sys.executable, "-m", "http.server", str(port), "--bind", "127.0.0.1"]
    with _running([*command, "--directory", str(root)], port, home):
        yield f"http://127.0.0.1:{port}"


@contextmanager
def nginx(root: Path, home: Path) -> Iterator[str]:
    """Give the address of an nginx that is configured as docs/static-tree.md says."""
    if not Path(NGINX).exists():
        pytest.skip("this system has no nginx")
    home.mkdir()
    port = _free_port()
    text = (ROOT / "docs" / "static-tree.md").read_text(encoding="utf-8")
    found = re.search(r"```nginx\n(.*?)```", text, re.DOTALL)
    assert found is not None
    documented = found[1].replace("listen 80;", f"listen 127.0.0.1:{port};")
    documented = documented.replace("/srv/www/index", str(root))
    config = home / "nginx.conf"
    config.write_text(
        _AROUND.format(user=_USER, home=home, documented=documented), encoding="utf-8"
    )
    with _running([NGINX, "-p", str(home), "-c", str(config), "-e", str(home / "log")], port, home):
        yield f"http://127.0.0.1:{port}"


@contextmanager
def _running(command: list[str], port: int, home: Path) -> Iterator[None]:
    home.mkdir(exist_ok=True)
    with (home / "output").open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, stdin=subprocess.DEVNULL)
    try:
        wait_until(lambda: _answers(port), START_SECONDS, f"{command[0]} does not start")
        assert process.poll() is None, (home / "output").read_text(encoding="utf-8")
        yield
    finally:
        process.terminate()
        process.wait(START_SECONDS)


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
