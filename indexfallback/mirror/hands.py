"""More processes that fetch files, for runs of many: one alone keeps one core busy, and waits.

Each is told on its standard input what to fetch, a line a chunk, and answers so; it ends at the
end of its input, and so with the run, however that ends.

Locks: ``_Hand._lock`` guards the input and ``_waiting``; one line is written while it is held.
"""

import contextlib
import itertools
import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from concurrent.futures import Future
from pathlib import Path

import msgspec

from indexfallback.config import Index, Settings
from indexfallback.config.line import settings_line
from indexfallback.errors import MirrorError
from indexfallback.mirror.incoming import Fetched
from indexfallback.page import File

#: Processes at most: more cores than this are rarely what a run waits for.
_MOST = 4


class Order(msgspec.Struct, array_like=True):
    """Files to be fetched; the first line names the index, and where files are written."""

    number: int
    files: list[File]


class Start(msgspec.Struct, array_like=True):
    """What a process has to know besides the settings."""

    index: str
    directory: str
    connections: int
    rate: int | None


class Arrived(msgspec.Struct, array_like=True):
    """A file that is whole and right."""

    filename: str
    path: str
    sha256: str
    size: int


class Answer(msgspec.Struct, array_like=True):
    """What became of an order."""

    number: int
    arrived: list[Arrived]
    failures: list[str]
    #: Why the run has to end: the index is away (problem and remedy), or the disk is full.
    gone: tuple[str, str] | None = None
    fault: tuple[int, str] | None = None


class Hands:
    """The processes of one run."""

    def __init__(
        self, settings: Settings, index: Index, directory: Path, connections: int, rate: int | None
    ) -> None:
        """Start them; together they keep to ``connections`` and ``rate``."""
        number = min(os.cpu_count() or 1, _MOST, connections)
        share = Start(
            index.name,
            str(directory),
            -(-connections // number),
            None if rate is None else max(1, rate // number),
        )
        self._index = index
        self._hands = [_Hand(settings, share) for _ in range(number)]
        self._next = itertools.cycle(self._hands)
        self._numbers = itertools.count()

    def fetch(self, files: Sequence[File]) -> tuple[list[Fetched], list[str]]:
        """Fetch files; raises `MirrorError` and OSError."""
        order = Order(next(self._numbers), list(files))
        answer = next(self._next).ask(order).result()
        if answer is None:
            raise MirrorError(
                self._index.name, "a process that fetches files has ended", "run again to go on"
            )
        if answer.gone is not None:
            raise MirrorError(self._index.name, *answer.gone)
        if answer.fault is not None:
            raise OSError(*answer.fault)
        by_name = {file.filename: file for file in files}
        fetched = [
            Fetched(by_name[each.filename], Path(each.path), each.sha256, each.size)
            for each in answer.arrived
        ]
        return fetched, answer.failures

    def close(self) -> None:
        """End them."""
        for hand in self._hands:
            hand.close()


class _Hand:
    """One process."""

    def __init__(self, settings: Settings, start: Start) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "indexfallback.mirror.hand"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self._lock = threading.Lock()
        self._waiting: dict[int, Future[Answer | None]] | None = {}
        self._send(settings_line(settings) + msgspec.json.encode(start) + b"\n")
        threading.Thread(target=self._listen, name="mirror-hand", daemon=True).start()

    def ask(self, order: Order) -> "Future[Answer | None]":
        """Return what will become of an order; None if the process ends."""
        answer: Future[Answer | None] = Future()
        with self._lock:
            if self._waiting is None:
                answer.set_result(None)
                return answer
            self._waiting[order.number] = answer
            self._send(msgspec.json.encode(order) + b"\n")
        return answer

    def _send(self, line: bytes) -> None:
        assert self._process.stdin is not None  # noqa: S101 - it is a pipe
        try:
            self._process.stdin.write(line)
            self._process.stdin.flush()
        except BrokenPipeError:  # it has ended, which who listens finds out
            return

    def _listen(self) -> None:
        assert self._process.stdout is not None  # noqa: S101 - it is a pipe
        decoder = msgspec.json.Decoder(Answer)
        for line in self._process.stdout:
            answer = decoder.decode(line)
            with self._lock:
                waiting = self._waiting.pop(answer.number) if self._waiting is not None else None
            if waiting is not None:
                waiting.set_result(answer)
        with self._lock:
            left, self._waiting = self._waiting or {}, None
        self._process.stdout.close()
        for each in left.values():
            each.set_result(None)

    def close(self) -> None:
        """End it, whatever it is at."""
        assert self._process.stdin is not None  # noqa: S101 - it is a pipe
        with self._lock, contextlib.suppress(BrokenPipeError):  # it has ended
            self._process.stdin.close()
        self._process.wait()
