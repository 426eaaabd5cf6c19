"""Measures copies of the shim that share a bucket: ``python -m benchmarks.team --help``.

The bucket is SeaweedFS, the load balancer nginx; each figure has its reference in the same run.
"""

import signal
import statistics
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import click

from benchmarks import jobs
from benchmarks.cluster import Bench, Cluster, ready
from benchmarks.figures import MS, PER_SECOND, SECONDS, Row, Unit, table
from benchmarks.jobs import Job, Report, packages
from benchmarks.load import wrk
from benchmarks.run import machine
from benchmarks.shim import Shim
from tests.fakes import FakeIndex
from tests.fakes.object_store import ObjectStore

_COPIES = 3
_REQUESTS = Unit("requests")
_WRONG = Unit("wrong")
_CPU = Unit("s", digits=3)
#: Connections of a warm measurement, and its seconds.
_CONNECTIONS, _SECONDS = 30, 3.0
#: It goes on until so many are answered: on a machine that other work takes, 200 were answered in
#: these seconds, and what a shim does by itself doubled the CPU for each.
_LEAST_ANSWERED = 3000
#: Where a load balancer sends an address to one copy, the requests for each file, at most: one may
#: come while another copy stands in.
_BY_ADDRESS = 1.1
#: What a file from the bucket may take longer than one of the copy itself, ms.
_MORE_MS = 11.0
#: Has wrk ask for one address after the other.
_SCRIPT = """\
local paths, n = {%s}, 0
function request()
    n = n + 1
    return wrk.format("GET", paths[n %% #paths + 1])
end
"""
_Rows = Callable[..., Row]
#: Of pages and of files: the requests a second, and the seconds of CPU of the shims for 1,000.
Figures = dict[str, tuple[float, float]]


class Scale(NamedTuple):
    """How much is measured."""

    packages: int
    clients: int
    #: In which the clients are; 0 is this one.
    processes: int
    #: Whether times and rates are measured, too.
    times: bool


_FULL = Scale(50, 300, 2, times=True)
_QUICK = Scale(6, 12, 0, times=False)


class Measurement:
    """One repetition: an index, a bucket, and what is asked of shims on them."""

    def __init__(self, bench: Bench, index: FakeIndex, scale: Scale, rows: _Rows) -> None:
        self._bench = bench
        self._index = index
        self._scale = scale
        self._rows = rows
        self._crowd = f"{scale.clients} clients"

    def install(self, cluster: Cluster, what: str) -> Report:
        """Have all clients install everything; no answer may be wrong."""
        report = jobs.run(
            cluster.url, self._scale.clients, self._scale.packages, self._scale.processes
        )
        for wrong in report.wrong[:3]:
            click.echo(f"{what}: {wrong}", err=True)
        self._rows(f"{what}: wrong answers", _WRONG, 0).add(len(report.wrong))
        return report

    def cold(self, cluster: Cluster, balanced: str, most: float) -> None:
        """All clients at once, while no copy has anything: what the index is asked for."""
        self._index.clear()
        what = f"{self._crowd}, cold, {balanced}"
        report = self.install(cluster, what)
        self._rows(f"{what}: until the last has all", SECONDS).add(report.seconds)
        for kind, count in self._asked().items():
            # A copy that is asked for a file reads its page, which another copy may just have got.
            target = _COPIES if kind == "pages" else most
            row = self._rows(f"{what}: {kind}, requests to the index", _REQUESTS, target)
            row.add(count, self._scale.packages)
        cluster.drain()

    def _asked(self) -> dict[str, int]:
        """Return how often the index was asked for files, for metadata and for pages.

        What each copy asks for in the background, known vulnerabilities, is none of these.
        """
        paths = [request.path for request in self._index.requests]
        return {
            "files": sum(path.endswith(".whl") for path in paths),
            "metadata": sum(path.endswith(".metadata") for path in paths),
            "pages": sum(path.startswith("/simple/") for path in paths),
        }

    def before_full(self, cluster: Cluster) -> None:
        """A new copy before a bucket that has everything."""
        self._index.clear()
        report = jobs.run(cluster.url, 1, self._scale.packages)
        what = "a new copy, all in the bucket"
        self._rows(f"{what}: wrong answers", _WRONG, 0).add(len(report.wrong))
        self._rows(f"{what}: requests to the index", _REQUESTS, 0).add(sum(self._asked().values()))

    def miss(self, bucket: str, other: str) -> None:
        """A file that a copy lacks: where the bucket has it, and where only the index does."""
        found, again = self._first_and_second(self._bench.new_shim(bucket), is_shared=True)
        alone, _ = self._first_and_second(self._bench.new_shim(), is_shared=False)
        new, _ = self._first_and_second(self._bench.new_shim(other), is_shared=True)
        self._rows("a file that only the bucket has, more than one of the copy", MS, _MORE_MS).add(
            found - again
        )
        self._rows("a file that only the bucket has / of the index, without a bucket", MS).add(
            found, alone
        )
        self._rows("a file that is new everywhere / without a bucket", MS).add(new, alone)

    def _first_and_second(self, shim: Shim, *, is_shared: bool) -> tuple[float, float]:
        """Return the ms that a file takes for the first time, its page known, and again."""
        times: tuple[list[float], list[float]] = ([], [])
        with shim, closing(Job(shim.url)) as job:
            if is_shared:
                ready(shim)
            dists = packages(self._scale.packages)
            urls = [job.file_url(dist) for dist in dists]
            for seconds in times:
                for url, dist in zip(urls, dists, strict=True):
                    began = time.perf_counter()
                    job.expect(url, dist.data)
                    seconds.append((time.perf_counter() - began) * 1000)
            if job.report.wrong:
                raise RuntimeError(f"{job.report.wrong}")
        return statistics.median(times[0]), statistics.median(times[1])

    def warm(self, cluster: Cluster, home: Path) -> Figures:
        """Measure what copies can do that have everything, right after all clients."""
        # They begin with the threads that a crowd brings.
        self.install(cluster, f"{self._crowd}, warm")
        figures: Figures = {}
        with closing(Job(cluster.url)) as job:
            dists = packages(self._scale.packages)
            files = [job.file_url(dist) for dist in dists]
            pages = [f"/simple/{dist.project}/" for dist in dists]
            for kind, paths in (("pages", pages), ("files", files)):
                script = home / f"{kind}.lua"
                quoted = ", ".join(f'"{path}"' for path in paths)
                script.write_text(_SCRIPT % quoted, encoding="utf-8")
                figures[kind] = _warm(cluster, script)
        return figures

    def compare(self, what: str, reference: Figures, figures: Figures) -> None:
        """Add what one measurement of `warm` is in ratio to another."""
        for kind, (rate, cpu) in figures.items():
            self._rows(f"warm {kind}, {what}", PER_SECOND).add(rate, reference[kind][0])
            name = f"warm {kind}, {what}: CPU of the shims for 1,000"
            self._rows(name, _CPU).add(cpu, reference[kind][1])

    def lose_bucket(self, cluster: Cluster, kill: Callable[[], object]) -> None:
        """The bucket is killed at the first request for one of the files, while all install."""
        self._index.clear()
        what = f"{self._crowd}, cold, the bucket killed meanwhile"
        with ThreadPoolExecutor(1) as pool:
            running = pool.submit(self.install, cluster, what)
            one = packages(self._scale.packages)[self._scale.packages // 2]
            self._index.wait_for(f"/files/{one.filename}", seconds=60)
            kill()
            running.result()


def _warm(cluster: Cluster, script: Path) -> tuple[float, float]:
    """Return the requests a second, and the seconds of CPU of the shims for 1,000."""
    answered = seconds = 0.0
    before = cluster.cpu()
    while answered < _LEAST_ANSWERED:
        answered += wrk(cluster.url, _CONNECTIONS, _SECONDS, script) * _SECONDS
        seconds += _SECONDS
    return answered / seconds, (cluster.cpu() - before) / answered * 1000


def measure(home: Path, scale: Scale, rows: _Rows) -> None:
    """Do everything once."""
    with ExitStack() as stack:
        index = stack.enter_context(FakeIndex(packages(scale.packages)))
        bucket = stack.enter_context(ExitStack())
        store = bucket.enter_context(ObjectStore())
        bench = Bench(home, store, index.url)
        once = Measurement(bench, index, scale, rows)
        url = store.new_url()
        team = stack.enter_context(bench.cluster(_COPIES, url))
        once.cold(team, "by address", _BY_ADDRESS)
        figures: Figures = {}
        with bench.cluster(1, url) as one:
            once.before_full(one)
            if scale.times:
                alone = once.warm(one, home)
                figures = once.warm(team, home)
                once.compare("three copies / one", alone, figures)
        if scale.times:
            once.miss(url, store.new_url())
            with bench.cluster(_COPIES, store.new_url(), by_address=False) as scattered:
                once.cold(scattered, "in turn", _COPIES)
        with bench.cluster(_COPIES, store.new_url()) as losing:
            once.lose_bucket(losing, bucket.close)
        once.install(team, f"{scale.clients} clients, warm, the bucket gone")
        if scale.times:
            once.compare("three copies, the bucket gone / there", figures, once.warm(team, home))


@click.command()
@click.option("--quick", is_flag=True, help="A few clients and packages, and no times.")
@click.option("--repeat", default=3, type=click.IntRange(1), help="How often to measure each.")
@click.option("--markdown", is_flag=True, help="Print the table as Markdown.")
def main(*, quick: bool, repeat: int, markdown: bool) -> None:
    """Print a table of medians, with least and most."""
    # As at Ctrl-C, so that no server is left behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    found: dict[str, Row] = {}

    def row(name: str, unit: Unit, target: float | None = None) -> Row:
        return found.setdefault(name, Row(name, unit, target))

    for number in range(1 if quick else repeat):
        click.echo(f"{number + 1}/{1 if quick else repeat}", err=True)
        with TemporaryDirectory(prefix="benchmarks-", ignore_cleanup_errors=True) as directory:
            measure(Path(directory), _QUICK if quick else _FULL, row)
    click.echo(machine())
    click.echo()
    click.echo(table(found.values(), markdown=markdown, sides=("reference", "indexfallback")))


if __name__ == "__main__":
    main()
