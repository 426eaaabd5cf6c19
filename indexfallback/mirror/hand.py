"""One of the processes that fetch files for a run: ``python -m indexfallback.mirror.hand``."""

import os
import signal
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec

from indexfallback.config.line import read_settings_line
from indexfallback.errors import ConfigError, MirrorError
from indexfallback.mirror.fetching import Fetcher
from indexfallback.mirror.gate import Gate
from indexfallback.mirror.hands import Answer, Arrived, Order, Start
from indexfallback.store.partials import Partials
from indexfallback.upstream.http import HttpIndex


def main() -> None:
    """Fetch what standard input says until it ends."""
    # Ctrl-C is for the run, which ends this process when it has kept what came.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    settings = read_settings_line(sys.stdin.buffer.readline())
    start = msgspec.json.decode(sys.stdin.buffer.readline(), type=Start)
    index = settings.index(start.index)
    if index is None:
        raise ConfigError("standard input", f"there is no index {start.index}", "run `mirror`")
    gate = Gate(start.rate, threading.Event())
    partials = Partials(Path(start.directory))
    fetcher = Fetcher(index, HttpIndex(index, settings), partials, gate, settings.page_size)
    said = threading.Lock()

    def fetch(order: Order) -> None:
        line = msgspec.json.encode(_answer(fetcher, order)) + b"\n"
        with said:
            sys.stdout.buffer.write(line)
            sys.stdout.buffer.flush()

    decoder = msgspec.json.Decoder(Order)
    pool = ThreadPoolExecutor(start.connections)
    for line in sys.stdin.buffer:
        pool.submit(fetch, decoder.decode(line))
    # Nobody waits for what is under way.
    os._exit(0)


def _answer(fetcher: Fetcher, order: Order) -> Answer:
    try:
        fetched, failures = fetcher.fetch(order.files)
    except MirrorError as error:
        return Answer(order.number, [], [], gone=(error.problem, error.remedy))
    except OSError as error:
        fault = (error.errno or 0, error.strerror or str(error))
        return Answer(order.number, [], [], fault=fault)
    arrived = [Arrived(f.file.filename, str(f.path), f.sha256, f.size) for f in fetched]
    return Answer(order.number, arrived, failures)


if __name__ == "__main__":
    main()
