"""The rows of the table: each function measures some of them once."""

import hashlib
import os
import sqlite3
import statistics
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from benchmarks.figures import MB, MB_PER_SECOND, MS, PER_SECOND, SECONDS, Row
from benchmarks.load import Clients, fetch, file_url, seconds_to_fetch, wrk
from benchmarks.shim import Shim
from benchmarks.upstream import write_tree
from indexfallback.formats import parse_page
from indexfallback.store import Store
from tests.fakes import tree
from tests.serving import config_text, index_table

#: Links on the upstream's pages, so that the rendered ones have 10 KB and 300 KB.
_PAGES = {"10 KB": 38, "300 KB": 1170}
#: The least rate at the most connections, as a share of nginx's.
_PAGE_TARGETS = {"10 KB": 0.6, "300 KB": 0.4}
_LARGEST_PAGE = 4300
#: How often it is parsed: less than the best is not the parser's doing, but the machine's.
_PARSED = 5
_CONNECTIONS = (1, 10, 50)
_FILES = {"1 MB": 1_000_000, "50 MB": 50_000_000}
_AT_ONCE = 8
#: Files of which the shim has the bytes: size, readers at the same time, and target.
_WARM_FILES = (("1 MB", 1, None), ("50 MB", 1, 0.7), ("50 MB", 4, 0.9))
#: Pages whose first request is timed, each once.
_COLD_PAGES = 40
_TREE = 100
#: Bytes of a wheel of the tree: small, so that what counts is the requests.
_WHEEL = 20_000
_RECORDED = 100_000
#: Seconds after the first answer in which the shim imports the rest of its modules.
_SETTLED = 1.0
#: Seconds of each of wrk's measurements.
_SECONDS = 2.0


class Bench:
    """The upstream's tree, and the shims in front of it."""

    def __init__(self, home: Path, root: Path, upstream: str) -> None:
        self.root = root
        #: Of the root, ending in a slash.
        self.upstream = upstream
        self.clients = Clients(home)
        self.home = home
        self._shims = 0
        self._written: set[str] = set()

    def new_shim(self, index: str = "", trusted: Path | None = None) -> Shim:
        """Return a shim that has seen nothing; to be entered.

        ``index`` is the table of its only index, by default that of the upstream, and
        ``trusted`` a CA that certifies it.
        """
        self._shims += 1
        index = index or index_table("public", f"{self.upstream}simple/")
        config = config_text(index, cache={"fresh": "1 day"})
        return Shim(self.home / f"shim-{self._shims}", config, trusted)

    def write_page(self, project: str, links: int) -> bytes:
        """Write a page with links to files that nobody fetches; return it."""
        anchors = (_anchor(f"{project}-1.{n}-py3-none-any.whl") for n in range(links))
        page = f"<!DOCTYPE html>\n<html><body>\n{''.join(anchors)}</body></html>\n".encode()
        directory = self.root / "simple" / project
        directory.mkdir(parents=True, exist_ok=True)
        (directory / "index.html").write_bytes(page)
        return page

    def write_file(self, project: str, size: int) -> None:
        """Write a project with one file of random bytes."""
        if project in self._written:
            return
        self._written.add(project)
        data = os.urandom(size)
        filename = f"{project}-1.0-py3-none-any.whl"
        files = self.root / "files"
        files.mkdir(exist_ok=True)
        (files / filename).write_bytes(data)
        directory = self.root / "simple" / project
        directory.mkdir(parents=True, exist_ok=True)
        sha256 = hashlib.sha256(data).hexdigest()
        page = f'<!DOCTYPE html>\n<a href="../../files/{filename}#sha256={sha256}">{filename}</a>'
        (directory / "index.html").write_text(page, encoding="utf-8")

    def write_tree(self) -> None:
        """Write the tree of wheels that the clients install."""
        if "tree-0" not in self._written:
            self._written.add("tree-0")
            write_tree(self.root, tree(_TREE, fanout=10, size=_WHEEL))

    def serve_too(self, name: str, body: bytes) -> str:
        """Have nginx serve these bytes; return where."""
        path = self.root / "same" / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(body)
        return f"{self.upstream}same/{name}"


def _anchor(filename: str) -> str:
    """Return a link like those on PyPI's pages: 280 bytes."""
    sha256 = hashlib.sha256(filename.encode()).hexdigest()
    folder = f"{sha256[:2]}/{sha256[2:4]}/{sha256[4:]}"
    return (
        f'<a href="https://files.example.com/packages/{folder}/{filename}#sha256={sha256}" '
        f'data-requires-python="&gt;=3.8">{filename}</a><br />\n'
    )


def warm_page(bench: Bench, rows: Callable[..., Row]) -> None:
    """A page from the cache, against the same bytes as a static file."""
    with bench.new_shim() as shim:
        for size, links in _PAGES.items():
            project = f"page-{links}"
            bench.write_page(project, links)
            static = bench.serve_too(f"{project}.html", fetch(shim.page(project)))
            for connections in _CONNECTIONS:
                s = "s" if connections > 1 else ""
                name = f"warm page of {size}, {connections} connection{s}"
                target = _PAGE_TARGETS[size] if connections == max(_CONNECTIONS) else None
                direct = wrk(static, connections, _SECONDS)
                ours = wrk(shim.page(project), connections, _SECONDS)
                rows(name, PER_SECOND, target).add(ours, direct)


def warm_file(bench: Bench, rows: Callable[..., Row]) -> None:
    """A file from the cache: one at a time, and four readers of the large one."""
    with bench.new_shim() as shim:
        for name, at_once, target in _WARM_FILES:
            size = _FILES[name]
            project = f"file-{size}"
            bench.write_file(project, size)
            ours, direct = (file_url(url) for url in _pages(bench, shim, project))
            fetch(ours)
            rates = [wrk(url, at_once, _SECONDS) * size / 1e6 for url in (direct, ours)]
            label = f"warm file of {name}" + (f", {at_once} at a time" if at_once > 1 else "")
            rows(label, MB_PER_SECOND, target).add(rates[1], rates[0])


def _pages(bench: Bench, shim: Shim, project: str) -> tuple[str, str]:
    return shim.page(project), f"{bench.upstream}simple/{project}/"


def cold_page(bench: Bench, rows: Callable[..., Row]) -> None:
    """A page of 10 KB that was never asked for: the median of many."""
    projects = [f"cold-{n}" for n in range(_COLD_PAGES)]
    for project in projects:
        bench.write_page(project, _PAGES["10 KB"])
    with bench.new_shim() as shim:
        bench.write_page("first", 1)
        fetch(shim.page("first"))  # opens the connection and imports what is left to import
        timed = [(_timed(ours), _timed(direct)) for ours, direct in
                 (_pages(bench, shim, project) for project in projects)]  # fmt: skip
    ours, direct = (statistics.median(times) * 1000 for times in zip(*timed, strict=True))
    rows("cold page of 10 KB", MS).add(ours, direct)


def _timed(url: str) -> float:
    began = time.perf_counter()
    fetch(url)
    return time.perf_counter() - began


def cold_file(bench: Bench, rows: Callable[..., Row]) -> None:
    """Files that were never asked for, their pages known: one, then eight at the same time."""
    size = _FILES["50 MB"]
    for verify in (False, True):
        projects = [f"cold-file-{n}" for n in range(_AT_ONCE + 1)]
        for project in projects:
            bench.write_file(project, size)
        with bench.new_shim() as shim:
            urls = [[file_url(page) for page in _pages(bench, shim, name)] for name in projects]
            for label, part in (("one", urls[:1]), ("eight", urls[1:])):
                total = len(part) * size / 1e6
                ours, direct = (
                    total / seconds_to_fetch([pair[side] for pair in part], size, verify=verify)
                    for side in (0, 1)
                )
                name = f"cold file of 50 MB, {label} at a time"
                name += ", hashed by the client" if verify else ""
                target = 0.6 if label == "one" and verify else None
                rows(name, MB_PER_SECOND, target).add(ours, direct)


def uv_install(bench: Bench, rows: Callable[..., Row]) -> None:
    """``uv pip install`` of a tree."""
    _install(bench, rows, "uv pip install", bench.clients.uv, (1.5, 1.05))


def pip_install(bench: Bench, rows: Callable[..., Row]) -> None:
    """``pip install`` of a tree."""
    _install(bench, rows, "pip install", bench.clients.pip, (1.15, 1.0))


def _install(
    bench: Bench,
    rows: Callable[..., Row],
    name: str,
    install: Callable[[str, str], float],
    targets: tuple[float, float],
) -> None:
    bench.write_tree()
    with bench.new_shim() as shim:
        for state, target in zip(("cold", "warm"), targets, strict=True):
            direct = install(f"{bench.upstream}simple/", "tree-0")
            ours = install(shim.simple, "tree-0")
            rows(f"{name} of {_TREE} wheels, {state}", SECONDS, target).add(ours, direct)


def start(bench: Bench, rows: Callable[..., Row]) -> None:
    """From the command to the first answer, with a cache that is there already."""
    with bench.new_shim() as shim:
        pass
    with shim:
        rows("start of serve to first answer", SECONDS, 0.4).add(shim.start)


def memory(bench: Bench, rows: Callable[..., Row]) -> None:
    """At rest, after work of every kind, and with a large store."""
    shim = bench.new_shim()
    with shim:
        fetch(f"{shim.url}-/health")
        time.sleep(_SETTLED)
        _add_memory(rows, shim, "at rest", 45.0)
        _work(bench, shim)
        _add_memory(rows, shim, "at the end of the load")
        shim.rest()
        _add_memory(rows, shim, "after the load", 80.0)
    _fill(shim.cache)
    with shim:
        _work(bench, shim)
        fetch(f"{shim.url}-/status")
        shim.rest()
        _add_memory(rows, shim, f"with {_RECORDED:,} files", 110.0)


def _add_memory(
    rows: Callable[..., Row], shim: Shim, state: str, target: float | None = None
) -> None:
    used = shim.memory()
    rows(f"memory {state}, PSS", MB, target).add(used.pss)
    rows(f"memory {state}, RSS", MB).add(used.rss)


def _work(bench: Bench, shim: Shim) -> None:
    """Have a shim do everything for a moment."""
    bench.write_tree()
    bench.clients.uv(shim.simple, "tree-0")
    for links in _PAGES.values():
        bench.write_page(f"page-{links}", links)
        wrk(shim.page(f"page-{links}"), max(_CONNECTIONS), 1)
    size = _FILES["50 MB"]
    projects = [f"cold-file-{n}" for n in range(_AT_ONCE)]
    for project in projects:
        bench.write_file(project, size)
    seconds_to_fetch([file_url(shim.page(project)) for project in projects], size)


def _fill(cache: Path) -> None:
    """Record many files that are not there, as a store of years would."""
    Store(cache, 10**12).close()
    now = time.time()
    hashes = [hashlib.sha256(b"%d" % n).hexdigest() for n in range(_RECORDED)]
    with closing(sqlite3.connect(cache / "index.sqlite3")) as connection, connection:
        connection.executemany(
            "INSERT INTO blob (sha256, size, added, used) VALUES (?, 1000, ?, ?)",
            ((sha256, now, now) for sha256 in hashes),
        )
        connection.executemany(
            "INSERT INTO pin VALUES (?, ?, ?, ?, ?, ?)",
            (
                (
                    f"many-{n // 20}",
                    f"many_{n // 20}-{n % 20}.0.tar.gz",
                    sha256,
                    sha256,
                    now,
                    "recorded",
                )
                for n, sha256 in enumerate(hashes)
            ),
        )


def parse(bench: Bench, rows: Callable[..., Row]) -> None:
    """A page of 4,300 links into the model; in this process, the best of a few."""
    page = bench.write_page("largest", _LARGEST_PAGE)
    url = f"{bench.upstream}simple/largest/"
    times = []
    for _ in range(_PARSED):
        began = time.perf_counter()
        parsed = parse_page(page, "text/html", url, "largest")
        times.append(time.perf_counter() - began)
    if len(parsed.files) != _LARGEST_PAGE:
        raise RuntimeError(f"{len(parsed.files)} files were read of {_LARGEST_PAGE}")
    rows(f"page of 4,300 links ({len(page) / 1e6:.1f} MB) parsed", MS, 25.0).add(min(times) * 1000)


#: In the order of the table.
MEASURES: dict[str, Callable[[Bench, Callable[..., Row]], None]] = {
    "warm-page": warm_page,
    "warm-file": warm_file,
    "cold-page": cold_page,
    "cold-file": cold_file,
    "uv": uv_install,
    "pip": pip_install,
    "start": start,
    "memory": memory,
    "parse": parse,
}
