"""Lock files by real clients, through a proxy that sends their requests to intercepted hosts."""

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.conftest import Serve
from tests.fakes import FakeIndex, sdist, wheel
from tests.server.intercepting import via
from tests.serving import Served, clean_environment, index_table

APP = wheel("app", "1.0+local.1", requires=["acme-lib", "base"], requires_python=">=3.8")
BASE = wheel("base")
ACME = wheel("acme-lib")


@contextmanager
def proxy(shim: Served) -> Iterator[str]:
    """Give the address of a proxy that sends requests for http to a shim."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            of_a_hop = ("host", "connection", "proxy-connection")
            headers = {n: value for n, value in self.headers.items() if n.lower() not in of_a_hop}
            answer = via(shim, self.path, headers, method=self.command)
            self.send_response_only(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer.body)

        do_HEAD = do_GET  # noqa: N815 - the same

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


class Indexes(NamedTuple):
    """A private index, a mirror and its public index."""

    private: FakeIndex
    mirror: FakeIndex
    pypi: FakeIndex

    def stop_listening(self) -> None:
        for index in self:
            index.stop_listening()

    def start_again(self) -> None:
        for index in self:
            index.start_again()


@pytest.fixture
def indexes() -> Iterator[Indexes]:
    with (
        FakeIndex([ACME]) as private,
        FakeIndex([BASE], metadata=False) as mirror,
        FakeIndex([BASE]) as pypi,
    ):
        for index in (mirror, pypi):
            index.add(APP, upload_time="2024-01-02T03:04:05.678900Z", gpg_sig=True)
            index.add(sdist("app", "1.0+local.1"), upload_time="2024-01-02T03:04:05Z")
        pypi.add(wheel("acme-lib", "9.0"))
        pypi.remove("acme_lib-9.0-py3-none-any.whl")
        yield Indexes(private, mirror, pypi)


def uv_lock(directory: Path, indexes: Indexes, environment: dict[str, str]) -> bytes:
    """Return the lock file of a project that has the public index as its default."""
    directory.mkdir(exist_ok=True)
    (directory / "uv.lock").unlink(missing_ok=True)
    (directory / "pyproject.toml").write_text(
        f"""[project]
name = "mine"
version = "1"
requires-python = ">=3.8"
dependencies = ["app"]
[[tool.uv.index]]
url = "{indexes.private.url}"
[[tool.uv.index]]
url = "{indexes.pypi.url}"
default = true
""",
        encoding="utf-8",
    )
    uv = Path(sys.executable).with_name("uv")
    command = [str(uv), "lock", "--no-cache", "--python", sys.executable]
    done = subprocess.run(
        command, cwd=directory, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return (directory / "uv.lock").read_bytes()


def pip_lock(directory: Path, indexes: Indexes, environment: dict[str, str]) -> bytes:
    """Return the lock file of pip by the public index and the private one as an extra one."""
    directory.mkdir(exist_ok=True)
    file = directory / "pylock.toml"
    file.unlink(missing_ok=True)
    command = [sys.executable, "-m", "pip", "lock", "--no-cache-dir", "--only-binary", ":all:",
               "--index-url", indexes.pypi.url, "--extra-index-url", indexes.private.url,
               "--output", str(file), "app"]  # fmt: skip
    done = subprocess.run(
        command, cwd=directory, env=environment, capture_output=True, text=True, check=False
    )
    if "unknown command" in done.stderr:
        pytest.skip("this pip does not lock")
    assert done.returncode == 0, done.stderr
    return file.read_bytes()


@pytest.mark.parametrize("lock", [uv_lock, pip_lock])
def test_a_lock_file_is_the_one_without_the_shim(
    served: Serve,
    indexes: Indexes,
    tmp_path: Path,
    lock: Callable[[Path, Indexes, dict[str, str]], bytes],
) -> None:
    environment = clean_environment(tmp_path / "client")
    own = lock(tmp_path / "project", indexes, environment)
    shim = served(
        index_table("private", indexes.private.url, role="private", fresh="1 h"),
        index_table("mirror", indexes.mirror.url, role="mirror", mirror_of="pypi"),
        index_table("pypi", indexes.pypi.url),
    )
    with proxy(shim) as address:
        by_proxy = {**environment, "HTTP_PROXY": address, "http_proxy": address}
        for state in ("empty", "full", "every index gone"):
            if state == "every index gone":
                indexes.stop_listening()
            assert lock(tmp_path / "project", indexes, by_proxy) == own, state
        assert indexes.pypi.file_url(APP.filename).encode() in own
