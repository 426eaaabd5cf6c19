"""Measures a cache of a million files: ``python -m benchmarks.size --help``.

The files themselves are not there: what is measured is the bookkeeping.
"""

import hashlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from benchmarks.figures import MB, MS, SECONDS, Row, Unit, table
from benchmarks.run import machine
from indexfallback.page import ProjectPage
from indexfallback.store import PageFacts, Store, Validators
from indexfallback.store.maintenance import info

#: Bytes of each file, and files of each project.
_SIZE, _OF_PROJECT = 20_000, 20
#: Projects that have a page.
_PAGES = 5_000
#: Names on the list of one index: about those of PyPI.
_NAMES = 890_000
#: Looks at one record.
_LOOKS = 2_000
_BATCH = 50_000
#: What a request may wait for, ms, and what a list may take, MB.
_MOST_MS, _MOST_MB = 100, 100

_Add = Callable[..., None]


def _sha256(number: int) -> str:
    return hashlib.sha256(b"%d" % number).hexdigest()


def _project(number: int) -> str:
    return f"project-{number // _OF_PROJECT:06}"


def _filename(number: int) -> str:
    return f"project_{number // _OF_PROJECT:06}-1.{number % _OF_PROJECT}-py3-none-any.whl"


def fill(store: Store, files: int) -> None:
    """Record so many files, with a pin each, and some pages."""
    now = time.time()
    for start in range(0, files, _BATCH):
        numbers = range(start, min(files, start + _BATCH))
        names = [(number, _sha256(number)) for number in numbers]
        with store.database.write() as connection:
            connection.executemany(
                "INSERT INTO blob VALUES (?, ?, ?, ?)",
                ((sha256, _SIZE, now, now - files + number) for number, sha256 in names),
            )
            connection.executemany(
                "INSERT INTO pin VALUES (?, ?, ?, ?, ?, ?)",
                ((_project(n), _filename(n), s, s, now, "source") for n, s in names),
            )
    for number in range(_PAGES):
        page = ProjectPage(name=_project(number * _OF_PROJECT))
        store.pages.put("source", page, PageFacts(Validators(), "digest", now))


@contextmanager
def _waits(work: Callable[[int], object]) -> Iterator[list[float]]:
    """Do something again and again in a thread; give the seconds of each time."""
    ended = threading.Event()
    seconds: list[float] = []

    def run() -> None:
        while not ended.wait(0.002):
            began = time.perf_counter()
            work(len(seconds))
            seconds.append(time.perf_counter() - began)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield seconds
    finally:
        ended.set()
        thread.join()


def _timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def look(store: Store, files: int, add: _Add) -> None:
    """Single records, totals, and what the status shows."""
    step = max(1, files // _LOOKS)
    chosen = [_sha256(number) for number in range(0, files, step)]
    seconds = _timed(lambda: [store.blobs.records.sizes([sha256]) for sha256 in chosen])
    add("look-up of a file", MS, seconds / len(chosen) * 1000, _MOST_MS)
    add("pins of a project", MS, _timed(lambda: store.pins.of_project(_project(7))) * 1000, 100)
    add("total", MS, _timed(store.blobs.records.total) * 1000, _MOST_MS)
    add("info", MS, _timed(lambda: info(store, 10**9)) * 1000, _MOST_MS)
    add("latest page", MS, _timed(lambda: store.pages.latest("source")) * 1000, _MOST_MS)


def evict(home: Path, files: int, add: _Add) -> None:
    """The eviction of a tenth, while a request records and looks for files."""
    limit = files * _SIZE
    with closing(Store(home, limit)) as store:
        sizes = iter(range(files, files * 2))

        def request(number: int) -> None:
            store.blobs.record({_sha256(next(sizes)): _SIZE})
            store.blobs.records.sizes([_sha256(files - 1 - number)])
            store.pins.record("new", f"new-{number}.zip", _sha256(number), "source")

        with _waits(request) as seconds:
            began = time.perf_counter()
            while store.blobs.eviction.used() > limit * 0.95 and time.perf_counter() < began + 60:
                time.sleep(0.01)
            took = time.perf_counter() - began
    add(f"eviction of {files // 20:,} files", SECONDS, took)
    add("request meanwhile, slowest", MS, max(seconds) * 1000, _MOST_MS)


def names(home: Path, add: _Add) -> None:
    """A long list of names, while a request pins files."""
    with closing(Store(home, 10**12)) as store:
        listed = [_sha256(number)[:12] for number in range(_NAMES)]

        def request(number: int) -> None:
            store.pins.record("listed", f"listed-{number}.zip", _sha256(number), "source")
            store.ledger.owners(listed[number])

        with _waits(request) as seconds:
            took = _timed(lambda: store.ledger.record_list("https://private.example.com/", listed))
    add(f"list of {_NAMES:,} names", SECONDS, took)
    add("request during that, slowest", MS, max(seconds) * 1000, _MOST_MS)


def lists(home: Path, add: _Add) -> None:
    """The most memory of the commands that list everything, above that of one that does not."""
    least = _command(home, "cache", "info", "--json")[1]
    for arguments in (("list",), ("list", "--json")):
        seconds, most = _command(home, "cache", *arguments)
        add(f"cache {' '.join(arguments)}", SECONDS, seconds)
        add(f"cache {' '.join(arguments)}: memory", MB, most - least, _MOST_MB)


def _command(home: Path, *arguments: str) -> tuple[float, float]:
    """Return the seconds and the most memory of a command, MB."""
    environment = {
        "PATH": os.environ["PATH"], "HOME": str(home), "PIP_CONFIG_FILE": os.devnull,
        "INDEXFALLBACK_CACHE_DIR": str(home), "XDG_STATE_HOME": str(home / "state"),
    }  # fmt: skip
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "indexfallback", *arguments],
        env=environment,
        stdout=subprocess.DEVNULL,
    )
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{arguments} failed")
    return time.perf_counter() - began, used.ru_maxrss / 1000


@click.command()
@click.option("--files", default=1_000_000, type=click.IntRange(1000), help="How many files.")
@click.option("--markdown", is_flag=True, help="Print the table as Markdown.")
def main(*, files: int, markdown: bool) -> None:
    """Print a table of what requests and lists take."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    rows: list[Row] = []

    def add(name: str, unit: Unit, value: float, target: float | None = None) -> None:
        rows.append(Row(name, unit, target, ours=[value]))

    with TemporaryDirectory(prefix="benchmarks-", ignore_cleanup_errors=True) as directory:
        home = Path(directory) / "cache"
        with closing(Store(home, 10**12)) as store:
            fill(store, files)
        began = time.perf_counter()
        with closing(Store(home, 10**12)) as store:
            add("opening", MS, (time.perf_counter() - began) * 1000, _MOST_MS)
            look(store, files, add)
            add("database", MB, store.database.size() / 1e6)
        lists(home, add)
        names(home, add)
        evict(home, files, add)
    click.echo(machine())
    click.echo()
    click.echo(table(rows, markdown=markdown, sides=("", f"{files:,} files")))


if __name__ == "__main__":
    main()
