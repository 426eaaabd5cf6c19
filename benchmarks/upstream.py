"""An nginx that serves a static tree on loopback: the index and the yardstick of the benchmarks."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterable
from pathlib import Path
from tempfile import mkdtemp
from types import TracebackType
from typing import final

from tests.fakes import DirectoryTree, Dist

#: Debian's, which is not on the PATH of users.
NGINX = shutil.which("nginx") or "/usr/sbin/nginx"
#: It starts in a few milliseconds; a loaded machine needs longer.
_START_SECONDS = 5.0

#: Started by root, nginx would serve as a user who may not read the tree; others cannot choose.
_USER = "user root root;" if os.geteuid() == 0 else ""

#: One worker, so that it and the shim get one core each of two; the rest is nginx's own advice
#: for static files. All paths lie in a directory of its own.
_CONFIG = """\
{user}
daemon off;
worker_processes 1;
pid {home}/nginx.pid;
error_log {home}/error.log warn;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    client_body_temp_path {home}/body;
    proxy_temp_path {home}/proxy;
    fastcgi_temp_path {home}/fastcgi;
    uwsgi_temp_path {home}/uwsgi;
    scgi_temp_path {home}/scgi;
    types {{ text/html html; }}
    default_type application/octet-stream;
    sendfile on;
    tcp_nopush on;
    keepalive_requests 1000000;
    open_file_cache max=10000 inactive=60s;
    server {{
        listen 127.0.0.1:{port} backlog=1024;
        root {root};
        absolute_redirect off;
        {locations}
    }}
    {http}
}}
"""


@final
class Nginx:
    """A running nginx that serves the directory ``root``; ``with Nginx(root) as url``.

    ``url`` ends in a slash; a tree of `write_tree` has its index at ``url + "simple/"``.
    ``locations`` is more of its configuration, and ``http`` what is beside its server.
    """

    def __init__(self, root: Path, locations: str = "", *, http: str = "") -> None:
        self._root = root.resolve()
        self._locations = locations
        self._http = http
        self._port = free_port()
        self._home = Path()
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> str:
        self._home = Path(mkdtemp(prefix="upstream-"))
        config = self._home / "nginx.conf"
        config.write_text(
            _CONFIG.format(
                user=_USER,
                home=self._home,
                port=self._port,
                root=self._root,
                locations=self._locations,
                http=self._http,
            ),
            encoding="utf-8",
        )
        log = self._home / "error.log"
        self._process = subprocess.Popen([NGINX, "-p", self._home, "-c", config, "-e", log])
        try:
            self._wait(self._process)
        except BaseException:
            self._stop()
            raise
        return f"http://127.0.0.1:{self._port}/"

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._stop()

    def _wait(self, process: subprocess.Popen[bytes]) -> None:
        """Wait until it answers."""
        end = time.monotonic() + _START_SECONDS
        while time.monotonic() < end and process.poll() is None:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self._port)) == 0:
                    return
            time.sleep(0.01)
        log = (self._home / "error.log").read_text(encoding="utf-8")
        raise RuntimeError(f"nginx did not start on port {self._port}: {log or 'no error log'}")

    def _stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait()
            self._process = None
        shutil.rmtree(self._home)


def write_tree(root: Path, dists: Iterable[Dist]) -> None:
    """Write a static index of HTML pages with the files beside them into ``root``."""
    DirectoryTree(root, dists)


def free_port() -> int:
    """Return a port of loopback that no program listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
