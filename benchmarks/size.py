"""Measures a cache of a million files: ``python -m benchmarks.size --help``.

The files themselves are not there: what is measured is the bookkeeping.
"""

import hashlib
import itertools
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from benchmarks.figures import MB, MS, SECONDS, Row, Unit, table
from benchmarks.run import machine
from indexfallback.formats import parse_listing, render_names
from indexfallback.formats.negotiation import Media
from indexfallback.page import ProjectPage
from indexfallback.process.pauses import in_pieces
from indexfallback.store import PageFacts, Store, Validators
from indexfallback.store.inventory import info

#: Bytes of each file, and files of each project.
_SIZE, _OF_PROJECT = 20_000, 20
#: Bytes of the page of each project, as it is stored.
_PAGE = 2_500
#: Looks at one record.
_LOOKS = 2_000
_BATCH = 50_000
#: The index that lists the names.
_PRIVATE = "https://private.example.com/simple/"
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
    """Record so many files, with a pin each, and the pages of their projects."""
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
    for number in range(0, files, _OF_PROJECT):
        page = ProjectPage(name=_project(number), versions=(os.urandom(_PAGE).hex(),))
        store.pages.put("source", page, PageFacts(Validators(), "digest", now))


@contextmanager
def _waits(work: Callable[[int], object]) -> Iterator[list[float]]:
    """Do something again and again in a thread; give the seconds of each time."""
    ended = threading.Event()
    seconds: list[float] = []

    def run() -> None:
        while not (seconds and ended.wait(0.002)):
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


def names(home: Path, count: int, add: _Add) -> None:
    """A long list of names, read from an answer and recorded, while a request pins files."""
    listed = dict.fromkeys(_sha256(number)[:12] for number in range(count))
    with closing(Store(home, 10**12)) as store:
        asked = itertools.count()

        def request(_: int) -> None:
            number = next(asked)
            store.pins.record("listed", _listed(number), _sha256(number), "source")
            store.ledger.owners(f"project-{number}")

        def measure(what: str, work: Callable[[], object]) -> None:
            with _waits(request) as seconds:
                took = _timed(work)
            add(f"{what} of {count:,} names", SECONDS, took)
            add("request during that, slowest", MS, max(seconds) * 1000, _MOST_MS)

        for media in (Media.JSON_V1, Media.HTML_V1):
            body = render_names(listed, media)
            kind = "JSON" if media.is_json else "HTML"
            measure(f"reading of a list ({kind})", partial(_read, body, media))
        del body
        measure("recording", lambda: store.ledger.record_list(_PRIVATE, listed))
    with closing(Store(home, 10**12)) as store:
        pins = store.pins.of_project("listed")
        lost = sum(_listed(number) not in pins for number in range(next(asked)))
    add("pins of those requests that are lost", Unit("pins"), lost, 0)


def _listed(number: int) -> str:
    return f"listed-{number}.zip"


def _read(body: bytes, media: Media) -> None:
    """Read a list as it is read from an index's answer."""
    names: dict[str, int | None] = {}
    for piece in in_pieces(parse_listing(body, media.value, _PRIVATE)[0]):
        names.update(piece)


def lists(home: Path, count: int, add: _Add) -> None:
    """The most memory of what lists everything, above that of the same without a list."""

    def measure(what: str, least: float, measured: tuple[float, float]) -> None:
        seconds, most = measured
        add(what, SECONDS, seconds)
        add(f"{what}: memory", MB, most - least, _MOST_MB)

    least = _command(home, "cache", "info", "--json")[1]
    for arguments in (("list",), ("list", "--json")):
        measure(f"cache {' '.join(arguments)}", least, _command(home, "cache", *arguments))
    least = _measured(home, _OPEN)[1]
    measure("all pins, one after the other", least, _measured(home, _OPEN + _PINS))
    measure(f"page of {count:,} names for people", least, _measured(home, _OPEN + _BROWSE))


def verify(home: Path, files: int, add: _Add) -> None:
    """The examination of files that are there, a tenth of the others."""
    with closing(Store(home, 10**12)) as store:
        fill(store, files)
        for number in range(files):
            path = store.blobs.path(_sha256(number))
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(b"%d" % number)
        with store.database.write() as connection:
            connection.executemany(
                "UPDATE blob SET size = ? WHERE sha256 = ?",
                ((len(str(number)), _sha256(number)) for number in range(files)),
            )
        store.database.compaction.compact()
    least = _command(home, "cache", "info", "--json")[1]
    seconds, most = _command(home, "cache", "verify")
    add(f"cache verify of {files:,} files", SECONDS, seconds)
    add(f"cache verify of {files:,} files: memory", MB, most - least, _MOST_MB)


#: Programs: the first takes the arguments of a command, the last two follow the second.
_COMMAND = "from indexfallback.cli import main; main()"
_OPEN = """
from indexfallback.store import Store
from indexfallback.store.known_names import KnownNames, NameSource
store = Store(pathlib.Path(os.environ["INDEXFALLBACK_CACHE_DIR"]), 10**12)
atexit.register(store.close)
"""
_PINS = "assert sum(1 for _ in store.pins)"
_BROWSE = f"""
known = KnownNames(store.database, [NameSource("{_PRIVATE}", True), NameSource("source")])
assert known.find("1", known.count("1") // 2, 100)
"""
#: Says the most memory that this process, and not the one that started it, has had, KiB.
_SAYING = r"""
import atexit, os, pathlib, re
def say():
    status = pathlib.Path("/proc/self/status").read_text()
    pathlib.Path(os.environ["SAID"]).write_text(re.search(r"VmHWM:\s+(\d+)", status)[1])
atexit.register(say)
"""


def _command(home: Path, *arguments: str) -> tuple[float, float]:
    """Return the seconds and the most memory of a command, MB."""
    return _measured(home, _COMMAND, *arguments)


def _measured(home: Path, program: str, *arguments: str) -> tuple[float, float]:
    """Return the seconds and the most memory of a program, MB."""
    said = home.with_name("said")
    environment = {
        "PATH": os.environ["PATH"], "HOME": str(home), "PIP_CONFIG_FILE": os.devnull,
        "INDEXFALLBACK_CACHE_DIR": str(home), "XDG_STATE_HOME": str(home / "state"),
        "SAID": str(said),
    }  # fmt: skip
    began = time.perf_counter()
    subprocess.run(
        [sys.executable, "-c", _SAYING + program, *arguments],
        env=environment,
        stdout=subprocess.DEVNULL,
        check=True,
    )
    return time.perf_counter() - began, int(said.read_text()) * 1024 / 1e6


@click.command()
@click.option("--files", default=1_000_000, type=click.IntRange(1000), help="How many files.")
@click.option(
    "--names",
    "listed",
    default=890_000,
    type=click.IntRange(1000),
    help="How many names are on the list of an index: about those of PyPI.",
)
@click.option("--markdown", is_flag=True, help="Print the table as Markdown.")
def main(*, files: int, listed: int, markdown: bool) -> None:
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
        names(home, listed, add)
        lists(home, listed, add)
        evict(home, files, add)
        verify(home.with_name("verified"), files // 10, add)
    click.echo(machine())
    click.echo()
    click.echo(table(rows, markdown=markdown, sides=("", f"{files:,} files")))


if __name__ == "__main__":
    main()
