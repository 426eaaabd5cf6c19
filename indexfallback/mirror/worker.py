"""A worker process, which fetches files for a run: ``python -m indexfallback.mirror.worker``."""

import os
import signal
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec

from indexfallback.config.wire import decode_settings
from indexfallback.errors import ConfigError, MirrorError
from indexfallback.mirror.fetcher import Fetcher
from indexfallback.mirror.rate_limiter import RateLimiter
from indexfallback.mirror.workers import Reply, Request, Start, encode
from indexfallback.store.partials import Partials
from indexfallback.upstream.http import HttpIndex


def main() -> None:
    """Fetch the files that standard input names, until it ends."""
    # The run handles Ctrl-C, and ends this process after it has stored the fetched files.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    settings = decode_settings(sys.stdin.buffer.readline())
    start = msgspec.json.decode(sys.stdin.buffer.readline(), type=Start)
    index = settings.index(start.index)
    if index is None:
        raise ConfigError("standard input", f"there is no index {start.index}", "run `mirror`")
    limiter = RateLimiter(start.rate, threading.Event())
    partials = Partials(Path(start.directory))
    upstream = HttpIndex(index, settings)
    fetcher = Fetcher(index, upstream, partials, limiter, settings.page_size)
    writing = threading.Lock()

    def fetch(request: Request) -> None:
        upstream.learn_logins(request.logins)
        line = encode(_reply(fetcher, request))
        with writing:
            sys.stdout.buffer.write(line)
            sys.stdout.buffer.flush()

    decoder = msgspec.json.Decoder(Request)
    pool = ThreadPoolExecutor(start.connections)
    for line in sys.stdin.buffer:
        pool.submit(fetch, decoder.decode(line))
    # The run has ended: it reads no more replies.
    os._exit(0)


def _reply(fetcher: Fetcher, request: Request) -> Reply:
    try:
        return Reply(request.number, *fetcher.fetch(request.files))
    except MirrorError as error:
        return Reply(request.number, [], [], index_error=(error.problem, error.remedy))
    except OSError as error:
        disk_error = (error.errno or 0, error.strerror or str(error))
        return Reply(request.number, [], [], disk_error=disk_error)


if __name__ == "__main__":
    main()
