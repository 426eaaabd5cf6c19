"""Worker processes for runs with many files, since one process keeps only one core busy.

Each reads requests from its standard input, a line each, and writes replies to its standard
output. It ends when its input ends, and so with the run, however the run ends.

Locks: ``_Worker._lock`` guards the input and ``_waiting``; one line is written under it.
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
from indexfallback.config.wire import encode_settings
from indexfallback.errors import MirrorError
from indexfallback.mirror.file_download import FetchedFile
from indexfallback.page import File

#: The most processes: beyond these a run waits for the network or the disk.
_MOST = 4


class Start(msgspec.Struct, array_like=True):
    """The first line behind the settings: the index, where files are written, and the limits."""

    index: str
    directory: str
    connections: int
    rate: int | None


class Request(msgspec.Struct, array_like=True):
    """Files to fetch."""

    number: int
    files: list[File]
    #: The logins in the links to them, by address.
    logins: dict[str, str]


class Reply(msgspec.Struct, array_like=True):
    """The files that were fetched, and why the others were not."""

    number: int
    fetched: list[FetchedFile]
    failures: list[str]
    #: Errors that end the run: of the index (problem and remedy), and of the disk.
    index_error: tuple[str, str] | None = None
    disk_error: tuple[int, str] | None = None


def encode(message: msgspec.Struct) -> bytes:
    """Return a message as a line."""
    return msgspec.json.encode(message, enc_hook=str) + b"\n"  # the hook is for paths


def _decode_path(kind: type, value: str) -> Path:  # noqa: ARG001 - msgspec's signature
    return Path(value)


class Workers:
    """The worker processes of one run."""

    def __init__(
        self, settings: Settings, index: Index, directory: Path, connections: int, rate: int | None
    ) -> None:
        """Start them; all together keep to ``connections`` and ``rate``."""
        number = min(os.cpu_count() or 1, _MOST, connections)
        start = Start(
            index.name,
            str(directory),
            -(-connections // number),
            None if rate is None else max(1, rate // number),
        )
        self._index = index
        self._workers = [_Worker(settings, start) for _ in range(number)]
        self._next = itertools.cycle(self._workers)
        self._numbers = itertools.count()

    def fetch(
        self, files: Sequence[File], logins: dict[str, str]
    ) -> tuple[list[FetchedFile], list[str]]:
        """Fetch files as `Fetcher.fetch` does; raises `MirrorError` and OSError.

        ``logins`` are those in the links to the files, by address.
        """
        request = Request(next(self._numbers), list(files), logins)
        reply = next(self._next).send(request).result()
        if reply is None:
            raise MirrorError(
                self._index.name, "a process that fetches files has ended", "run again to continue"
            )
        if reply.index_error is not None:
            raise MirrorError(self._index.name, *reply.index_error)
        if reply.disk_error is not None:
            raise OSError(*reply.disk_error)
        return reply.fetched, reply.failures

    def close(self) -> None:
        """End all processes."""
        for worker in self._workers:
            worker.close()


class _Worker:
    """One process."""

    def __init__(self, settings: Settings, start: Start) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "indexfallback.mirror.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self._lock = threading.Lock()
        self._waiting: dict[int, Future[Reply | None]] | None = {}
        self._write(encode_settings(settings) + encode(start))
        threading.Thread(target=self._listen, name="mirror-worker", daemon=True).start()

    def send(self, request: Request) -> "Future[Reply | None]":
        """Send a request; the reply is None if the process ends before it."""
        reply: Future[Reply | None] = Future()
        with self._lock:
            if self._waiting is None:
                reply.set_result(None)
                return reply
            self._waiting[request.number] = reply
            self._write(encode(request))
        return reply

    def _write(self, line: bytes) -> None:
        assert self._process.stdin is not None  # noqa: S101 - it is a pipe
        try:
            self._process.stdin.write(line)
            self._process.stdin.flush()
        except BrokenPipeError:  # the process has ended: `_listen` answers the request
            return

    def _listen(self) -> None:
        assert self._process.stdout is not None  # noqa: S101 - it is a pipe
        decoder = msgspec.json.Decoder(Reply, dec_hook=_decode_path)
        for line in self._process.stdout:
            reply = decoder.decode(line)
            with self._lock:
                waiting = self._waiting.pop(reply.number) if self._waiting is not None else None
            if waiting is not None:
                waiting.set_result(reply)
        with self._lock:
            left, self._waiting = self._waiting or {}, None
        self._process.stdout.close()
        for each in left.values():
            each.set_result(None)

    def close(self) -> None:
        """End the process, even in the middle of a request."""
        assert self._process.stdin is not None  # noqa: S101 - it is a pipe
        with self._lock, contextlib.suppress(BrokenPipeError):  # it has ended
            self._process.stdin.close()
        self._process.wait()
