"""Memory of a running shim: it comes back after a crowd of large pages, and after large headers."""

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.conftest import Serve
from tests.serving import Served, index_table

#: As on the shelf of a large company: this many pages, each of so many files.
PAGES, FILES = 300, 1500
REQUESTS, HEADER = 1500, 60_000
#: Bounds of all tables (`bounds`), what glibc keeps of freed memory, and what runs at the moment.
MOST_GROWTH = 200 * 1024**2
#: The tables that headers are keys of.
MOST_GROWTH_OF_HEADERS = 40 * 1024**2


class _Pages(BaseHTTPRequestHandler):
    """Any project, with many files; ``small`` has one."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        name = self.path.strip("/").rpartition("/")[2]
        files = [
            {
                "filename": f"{name}-1.{n}.tar.gz",
                "url": f"/files/{n:064x}/{name}-1.{n}.tar.gz",
                "hashes": {"sha256": f"{n:064x}"},
                "requires-python": ">=3.8",
                "size": n,
            }
            for n in range(1 if name == "small" else FILES)
        ]
        page = {"meta": {"api-version": "1.0"}, "name": name, "files": files}
        body = json.dumps(page).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/vnd.pypi.simple.v1+json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def large() -> Iterator[str]:
    """The address of an index of large pages."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Pages) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/simple/"
        server.shutdown()
        thread.join()


def _resident(served: Served) -> int:
    return int(served.system.memory_info().rss)


def test_many_large_pages_asked_for_once_do_not_stay(served: Serve, large: str) -> None:
    shim = served(index_table("pypi", large))
    shim.get("/simple/warm/")
    before = _resident(shim)
    with ThreadPoolExecutor(4) as pool:
        for status in pool.map(lambda n: shim.get(f"/simple/p{n}/").status, range(PAGES)):
            assert status == 200
    assert _resident(shim) - before < MOST_GROWTH


def test_large_headers_do_not_stay(served: Serve, large: str) -> None:
    shim = served(index_table("pypi", large))
    shim.get("/simple/small/")
    before = _resident(shim)
    with ThreadPoolExecutor(4) as pool:

        def ask(number: int) -> int:
            accept = f"*/*;{number}=" + "x" * HEADER
            return shim.get("/simple/small/", {"Accept": accept}).status

        assert set(pool.map(ask, range(REQUESTS))) == {200}
    assert _resident(shim) - before < MOST_GROWTH_OF_HEADERS
