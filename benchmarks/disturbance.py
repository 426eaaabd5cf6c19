"""What goes wrong in a soak: faults of indexes, kills of a shim, and a full disk, at random."""

import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import TypeAlias, final

from benchmarks.shim import Shim
from tests.fakes import FakeIndex
from tests.serving import fill

#: Seconds that an index is well before the next fault, and that a fault lasts.
_WELL = (0.5, 6.0)
_ILL = (0.5, 8.0)
#: Seconds between two kills, and between two times at which the disk is full, and for how long.
_KILLS = (5.0, 25.0)
_FULL = (15.0, 60.0)
_FULL_SECONDS = (1.0, 6.0)
_PORTAL = b"<html><body><form action='/login'>Log in to this network</form></body></html>"

_Fault: TypeAlias = Callable[[FakeIndex, Random], object]

FAULTS: dict[str, _Fault] = {
    "refused": lambda index, _: index.stop_listening(),
    "black hole": lambda index, _: index.blackhole(),
    "silent": lambda index, _: index.hang(),
    "slow": lambda index, chosen: index.delay(chosen.uniform(0.2, 4)),
    "dripping headers": lambda index, _: index.drip_headers(1),
    "dripping": lambda index, chosen: index.drip(chosen.choice((500, 50_000))),
    "500": lambda index, _: index.fail(500),
    "503": lambda index, _: index.fail(503),
    "429": lambda index, _: index.fail(429, {"Retry-After": "2"}),
    "401": lambda index, _: index.fail(401),
    "captive portal": lambda index, _: index.answer(200, {"Content-Type": "text/html"}, _PORTAL),
    "redirected for ever": lambda index, _: index.redirect("{path}"),
    "no HTTP": lambda index, _: index.raw(b"\x00\xff\x00\xff\r\n\r\n"),
    "pages cut": lambda index, chosen: index.cut(chosen.randrange(500), path="/simple/"),
    "files cut": lambda index, chosen: index.cut(chosen.randrange(10**6), path="/files/"),
    "files reset": lambda index, _: index.cut(9_000, reset=True, path="/files/"),
    "too short": lambda index, _: index.short(7),
    "too long": lambda index, _: index.long(7),
    "flaky": lambda index, chosen: index.flake(chosen, 0.3),
    "files missing": lambda index, _: index.fail(500, path="/files/"),
}


@final
class Disturbance:
    """Disturbs an index in a thread; a context manager."""

    def __init__(self, index: FakeIndex, projects: Sequence[str], seed: object) -> None:
        """``projects`` are those of the index, whose pages change now and then."""
        self._index = index
        self._projects = projects
        self._chosen = Random(f"disturbance {seed}")
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._disturb)
        #: How often each fault was there.
        self.counts: Counter[str] = Counter()

    def __enter__(self) -> "Disturbance":
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._ended.set()
        self._thread.join()

    def _disturb(self) -> None:
        while not self._ended.wait(self._chosen.uniform(*_WELL)):
            name = self._chosen.choice(tuple(FAULTS))
            FAULTS[name](self._index, self._chosen)
            self.counts[name] += 1
            self._ended.wait(self._chosen.uniform(*_ILL))
            self._index.lift()
            self._index.start_again()
            # Idle connections end, a page changes, and the requests are forgotten.
            self._index.drop_connections()
            self._index.project(self._chosen.choice(self._projects))
            self._index.clear()


@final
@dataclass
class Kills:
    """Kills one shim again and again, and starts it again; a context manager."""

    shim: Shim
    chosen: Random
    #: Seconds from a kill to the next answer.
    restarts: list[float] = field(default_factory=list)
    #: When there was no shim, by the clock of `time.monotonic`.
    gaps: list[tuple[float, float]] = field(default_factory=list)
    _ended: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def __enter__(self) -> "Kills":
        self._thread = threading.Thread(target=self._kill)
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._ended.set()
        assert self._thread is not None
        self._thread.join()

    def _kill(self) -> None:
        while not self._ended.wait(self.chosen.uniform(*_KILLS)):
            began = time.monotonic()
            self.shim.kill()
            self.shim.__enter__()
            ended = time.monotonic()
            self.gaps.append((began, ended))
            self.restarts.append(ended - began)


@contextmanager
def full_at_times(disk: Path, chosen: Random) -> Iterator[list[float]]:
    """Fill a disk now and then; give a list that gets the seconds of each time."""
    ended = threading.Event()
    times: list[float] = []

    def fill_up() -> None:
        while not ended.wait(chosen.uniform(*_FULL)):
            filling = fill(disk)
            seconds = chosen.uniform(*_FULL_SECONDS)
            ended.wait(seconds)
            filling.unlink()
            times.append(seconds)

    thread = threading.Thread(target=fill_up)
    thread.start()
    try:
        yield times
    finally:
        ended.set()
        thread.join()


@contextmanager
def small_disk(path: Path, size: int) -> Iterator[bool]:
    """Mount a file system of so many bytes at a path; give whether this user may."""
    path.mkdir()
    options = f"size={size},mode=700"
    try:
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(path)],
            check=False,
            capture_output=True,
        )
    except FileNotFoundError:  # Windows
        yield False
        return
    if done.returncode:
        yield False
        return
    try:
        yield True
    finally:
        subprocess.run(["umount", "--lazy", str(path)], check=True)
