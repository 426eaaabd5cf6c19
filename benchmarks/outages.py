"""Measures what outages cost: ``python -m benchmarks.outages --help``.

Each job is timed with all indexes healthy, and again with the fault, in the same run.
"""

import signal
import sys
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from benchmarks.crowd import Crowd, Watch, all_at_once, that_read_nothing
from benchmarks.figures import MB, SECONDS, TIMES, Row, Unit, table
from benchmarks.load import Clients, fetch, file_url, seconds_to_fetch
from benchmarks.run import machine
from benchmarks.shim import Shim
from tests.fakes import Dist, FakeIndex, tree, wheel
from tests.serving import config_text, index_table

#: Projects of one install, and the bytes of each: what a small application pulls in.
_PROJECTS, _WHEEL = 20, 500_000
#: What any answer of these indexes takes, seconds: a server in the same part of the world.
_AWAY = 0.05
#: Answers after which a shim knows how quick an index is.
_KNOWN = 10
#: The large file, the bytes after which its source breaks off, and how often.
_LARGE, _PART, _CUTS = 200_000_000, 35_000_000, 5
#: Clients of one file that nobody has asked for before, the file's bytes, and the most that a shim
#: may need for them: seconds of CPU, MB, and seconds that `/-/health` takes.
_CROWDS = (
    Crowd(250, 20_000_000, cpu=10, memory=300, health=2),
    Crowd(1_000, 5_000_000, cpu=None, memory=400, health=1),
)
#: Clients that ask for a file and read nothing of it, and the seconds for which they stay.
_STALLED, _STALLED_SECONDS = 1_500, 5
_FAULTS: dict[str, Callable[[FakeIndex], object]] = {
    "refused": FakeIndex.stop_listening,
    "black-holed": FakeIndex.blackhole,
    "answering 503": FakeIndex.fail,
    "dripping": lambda index: index.drip_headers(1),
}
_Rows = Callable[..., Row]


class Bench:
    """Shims that have seen nothing, and clients."""

    def __init__(self, home: Path) -> None:
        self.clients = Clients(home)
        self._home = home
        self._shims = 0

    def new_shim(self, *tables: str) -> Shim:
        self._shims += 1
        return Shim(self._home / f"shim-{self._shims}", config_text(*tables))


def install(bench: Bench, rows: _Rows) -> None:
    """``pip install`` while the first of two indexes is in trouble."""
    dists = tree(_PROJECTS, size=_WHEEL)
    healthy = _install(bench, dists, lambda _: None)
    for fault, cause in _FAULTS.items():
        name = f"pip install of {_PROJECTS} projects, first index {fault}"
        rows(name, SECONDS, 1.5).add(_install(bench, dists, cause), healthy)
        stranger = _install(bench, dists, cause, known=0)
        rows(f"{name} from its first request on", SECONDS, 1.5).add(stranger, healthy)


def _install(
    bench: Bench, dists: list[Dist], cause: Callable[[FakeIndex], object], known: int = _KNOWN
) -> float:
    """Return the seconds of an install whose first index has answered ``known`` requests well."""
    before = [wheel(f"before-{number}") for number in range(known)]
    with FakeIndex(before) as first, FakeIndex(dists) as second:
        for index in (first, second):
            index.delay(_AWAY)
        private = index_table("private", first.url, role="private", on_outage="next")
        with bench.new_shim(private, index_table("pypi", second.url)) as shim:
            for dist in before:
                fetch(shim.page(dist.project))
            cause(first)
            return bench.clients.pip(shim.simple, "tree-0")


def download(bench: Bench, rows: _Rows) -> None:
    """A large file whose sources break off again and again."""
    dist = wheel("large", size=_LARGE)
    healthy, _ = _download(bench, dist, cuts=0)
    broken, cuts = _download(bench, dist, cuts=_CUTS)
    if cuts != _CUTS:
        raise RuntimeError(f"{cuts} cuts instead of {_CUTS}")
    name = f"file of {_LARGE // 10**6} MB, cut {_CUTS} times, once on to another index"
    rows(name, SECONDS, 1.3).add(broken, healthy)


def _download(bench: Bench, dist: Dist, cuts: int) -> tuple[float, int]:
    """Return how long it takes, and how often it was cut: last at the second index."""
    path = f"/files/{dist.filename}"
    with ExitStack() as stack:
        first, second = (stack.enter_context(FakeIndex([dist])) for _ in range(2))
        mirror = index_table("mirror", first.url, role="mirror", mirror_of="pypi")
        shim = stack.enter_context(bench.new_shim(mirror, index_table("pypi", second.url)))
        if cuts:
            first.cut(_PART, path=path, times=cuts - 1)
            second.cut(_PART, path=path, times=1)
            leaving = threading.Thread(target=_leave, args=(first, path, cuts))
            leaving.start()
            stack.callback(leaving.join)
        seconds = seconds_to_fetch([file_url(shim.page("large"))], len(dist.data), verify=True)
        # Each request but the one that brought the end was cut.
        return seconds, first.count(path) + second.count(path) - 1


def _leave(index: FakeIndex, path: str, requests: int) -> None:
    """Take an index away as soon as a file was asked for so often: the last cut at it."""
    index.wait_for(path, count=requests - 1, seconds=60)
    index.stop_listening()


def crowds(bench: Bench, rows: _Rows) -> None:
    """Many clients of one file that is not there yet."""
    for crowd in _CROWDS:
        _crowd(bench, rows, crowd)
    _stalled(bench, rows)


def _stalled(bench: Bench, rows: _Rows) -> None:
    dist = wheel("wanted", size=_CROWDS[0].size)
    with FakeIndex([dist]) as index, bench.new_shim(index_table("pypi", index.url)) as shim:
        url = file_url(shim.page("wanted"))
        with that_read_nothing(url, _STALLED), Watch(shim) as watch:
            time.sleep(_STALLED_SECONDS)
    name = f"{_STALLED:,} clients that read nothing of their file"
    rows(f"{name}: most memory, PSS", MB).add(watch.worst.memory)
    rows(f"{name}: slowest /-/health meanwhile", SECONDS, 2).add(watch.worst.health)


def _crowd(bench: Bench, rows: _Rows, crowd: Crowd) -> None:
    dist = wheel("wanted", size=crowd.size)
    with FakeIndex([dist]) as index, bench.new_shim(index_table("pypi", index.url)) as shim:
        url = file_url(shim.page("wanted"))
        before = shim.cpu()
        with Watch(shim) as watch:
            seconds = all_at_once(url, dist.data, crowd.clients)
        cpu = shim.cpu() - before
        transfers = index.count(f"/files/{dist.filename}")
    name = f"{crowd.clients:,} clients of one file of {crowd.size // 10**6} MB"
    rows(f"{name}: until the last has it", SECONDS).add(seconds)
    rows(f"{name}: CPU", SECONDS, crowd.cpu).add(cpu)
    rows(f"{name}: upstream transfers", TIMES, 1).add(transfers)
    rows(f"{name}: most memory, PSS", MB, crowd.memory).add(watch.worst.memory)
    rows(f"{name}: slowest /-/health meanwhile", SECONDS, crowd.health).add(watch.worst.health)


_MEASURES = {"install": install, "download": download, "crowd": crowds}


@click.command()
@click.option("--only", "wanted", multiple=True, type=click.Choice(tuple(_MEASURES)),
              help="Measure only this (repeatable).")  # fmt: skip
@click.option("--repeat", default=3, type=click.IntRange(1), help="How often to measure each.")
@click.option("--markdown", is_flag=True, help="Print the table as Markdown.")
def main(*, wanted: tuple[str, ...], repeat: int, markdown: bool) -> None:
    """Print a table of medians, with least and most, each against the same with all well."""
    # As at Ctrl-C, so that no server is left behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    table_rows: dict[str, Row] = {}

    def row(name: str, unit: Unit, target: float | None = None) -> Row:
        return table_rows.setdefault(name, Row(name, unit, target))

    with TemporaryDirectory(prefix="benchmarks-", ignore_cleanup_errors=True) as directory:
        bench = Bench(Path(directory))
        for name, measure in _MEASURES.items():
            for number in range(repeat if name in (wanted or _MEASURES) else 0):
                click.echo(f"{name} {number + 1}/{repeat}", err=True)
                measure(bench, row)
    click.echo(machine())
    click.echo()
    sides = ("all well", "with the fault")
    click.echo(table(table_rows.values(), markdown=markdown, sides=sides))


if __name__ == "__main__":
    main()
