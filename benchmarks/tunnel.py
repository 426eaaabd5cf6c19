"""What ``run`` costs: the way through its tunnel against the shim's own address."""

import http.client
import re
import ssl
import subprocess
import sys
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import trustme

from benchmarks.figures import MB_PER_SECOND, SECONDS, Row
from benchmarks.load import fetch, file_url, seconds_to_fetch
from benchmarks.rows import Bench
from benchmarks.shim import Shim
from benchmarks.upstream import Nginx, free_port
from indexfallback.clients.shim_process import origins_of
from indexfallback.clients.tunnel_process import Tunnel, tunnel_process
from tests.serving import index_table

_PROJECT = "tree-0"
_LARGE, _SIZE = "large", 200_000_000
#: The least rate of the large file, MB/s: no network of a developer is faster.
_RATE = 150.0
_PIECE = 1 << 20


def tunnel(bench: Bench, rows: Callable[..., Row]) -> None:
    """``uv sync`` of a tree and a large wheel, both in the cache."""
    bench.write_tree()
    bench.write_file(_LARGE, _SIZE)
    with _https(bench) as (url, authority):
        simple = f"{url}simple/"
        with (
            bench.new_shim(index_table("public", simple), authority) as shim,
            tunnel_process() as process,
        ):
            opened = process.open(shim.simple, origins_of(shim.simple))
            _sync(bench, rows, shim, opened, simple)
            _download(rows, shim, opened, f"{simple}{_LARGE}/")
    _start(bench, rows)


@contextmanager
def _https(bench: Bench) -> Iterator[tuple[str, Path]]:
    """Yield the address of the upstream's tree over TLS, and the CA of its certificate."""
    authority, port = trustme.CA(), free_port()
    ca, own = bench.home / "ca.pem", bench.home / "server.pem"
    authority.cert_pem.write_to_path(str(ca))
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(str(own))
    tls = f"listen 127.0.0.1:{port} ssl; ssl_certificate {own}; ssl_certificate_key {own};"
    with Nginx(bench.root, tls):
        yield f"https://127.0.0.1:{port}/", ca


def _sync(bench: Bench, rows: Callable[..., Row], shim: Shim, opened: Tunnel, simple: str) -> None:
    """``uv sync`` from a lock file that has the addresses of its own way."""
    variables = opened.environment({})
    by_address = bench.clients.project(shim.simple, _PROJECT, {})
    by_tunnel = bench.clients.project(simple, _PROJECT, variables)
    bench.clients.sync(by_tunnel, variables)  # every file is in the cache now
    direct = bench.clients.sync(by_address, {})
    ours = bench.clients.sync(by_tunnel, variables)
    rows("uv sync of 100 wheels, warm", SECONDS, 1.3).add(ours, direct)


def _download(rows: Callable[..., Row], shim: Shim, opened: Tunnel, page: str) -> None:
    """A large wheel, whose bytes the client drops."""
    at_shim = file_url(shim.page(_LARGE))
    fetch(at_shim)
    direct = _SIZE / 1e6 / seconds_to_fetch([at_shim], _SIZE)
    ours = _SIZE / 1e6 / _seconds_through(opened, page)
    rows("wheel of 200 MB, warm, by the address", MB_PER_SECOND).add(direct)
    rows("wheel of 200 MB, warm, through the tunnel", MB_PER_SECOND, _RATE).add(ours)


def _seconds_through(opened: Tunnel, page: str) -> float:
    """Return how long a download of the page's only file takes through the tunnel."""
    variables = opened.environment({})
    proxy, target = urlsplit(variables["HTTPS_PROXY"]), urlsplit(page)
    context = ssl.create_default_context(cafile=variables["SSL_CERT_FILE"])
    client = http.client.HTTPSConnection(
        proxy.hostname or "", proxy.port, context=context, timeout=60
    )
    login = b64encode(f"{proxy.username}:{proxy.password}".encode()).decode()
    client.set_tunnel(target.hostname or "", target.port, {"Proxy-Authorization": f"Basic {login}"})
    with closing(client):
        client.request("GET", target.path)
        link = re.search(rb'href="([^"#]+)', client.getresponse().read())
        assert link is not None
        began = time.perf_counter()
        client.request("GET", urlsplit(urljoin(page, link[1].decode())).path)
        response, buffer, size = client.getresponse(), bytearray(_PIECE), 0
        while count := response.readinto(buffer):
            size += count
        seconds = time.perf_counter() - began
    if (response.status, size) != (http.client.OK, _SIZE):
        raise RuntimeError(f"{page}: {response.status} and {size} bytes of {_SIZE}")
    return seconds


def _start(bench: Bench, rows: Callable[..., Row]) -> None:
    """``run -- true``: the start and the end of a shim and a tunnel, with a cache that exists."""
    shim = bench.new_shim()
    with shim:
        pass
    for name, options in (("run", ()), ("run --address", ("--address",))):
        command = [sys.executable, "-m", "indexfallback", "run", *options, "--", "true"]
        began = time.perf_counter()
        subprocess.run(command, env=shim.environment, check=True, capture_output=True)
        rows(f"{name} -- true", SECONDS).add(time.perf_counter() - began)
