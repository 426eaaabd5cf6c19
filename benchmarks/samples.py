"""What a shim and its cache take, looked at each second of a soak, and whether it grows."""

import contextlib
import statistics
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, final

from benchmarks.load import fetch
from benchmarks.shim import Shim

_EVERY = 1.0
_MB = 1e6


class Sample(NamedTuple):
    """One look. Sizes are MB."""

    #: Of the process, PSS.
    memory: float
    threads: int
    handles: int
    #: With its write-ahead log.
    database: float
    partials: int
    partial_bytes: float
    #: Stored files.
    files: float
    #: Seconds that `/-/health` took.
    health: float


#: What must not grow, with the growth that is none: what one transfer or one thread brings.
SLACK = {
    "memory": 15.0,
    "threads": 20.0,
    "handles": 20.0,
    "database": 2.0,
    "partials": 20.0,
    "partial_bytes": 15.0,
}
#: As is this share of what there was.
_SHARE = 0.25
#: Growth is not judged from fewer samples.
LEAST = 40


def middle(samples: Sequence[Sample], name: str) -> float:
    """Return the median of one figure."""
    return statistics.median(getattr(sample, name) for sample in samples)


def parts(samples: Sequence[Sample]) -> tuple[Sequence[Sample], Sequence[Sample]]:
    """Return the second quarter of the samples and the last; the first is for warming up."""
    quarter = max(1, len(samples) // 4)
    return samples[quarter : 2 * quarter] or samples, samples[-quarter:]


def grown(samples: Sequence[Sample]) -> list[str]:
    """Return the names of the figures that are clearly higher at the end."""
    if len(samples) < LEAST:
        return []
    before, after = parts(samples)
    return [
        name
        for name, slack in SLACK.items()
        if middle(after, name) > middle(before, name) * (1 + _SHARE) + slack
    ]


@final
class Sampler:
    """Looks at a shim in a thread; a context manager."""

    def __init__(self, shim: Shim) -> None:
        self._shim = shim
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look)
        self.samples: list[Sample] = []

    def __enter__(self) -> "Sampler":
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._ended.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._ended.wait(_EVERY):
            self.samples.append(sample(self._shim))


def sample(shim: Shim) -> Sample:
    """Look at a shim and its cache now."""
    began = time.monotonic()
    fetch(f"{shim.url}-/health")
    health = time.monotonic() - began
    process = shim.system
    partials = _sizes(shim.cache / "partial", "*")
    return Sample(
        memory=shim.memory().pss,
        threads=process.num_threads(),
        handles=process.num_fds(),
        database=sum(_sizes(shim.cache, "index.sqlite3*")) / _MB,
        partials=len(partials),
        partial_bytes=sum(partials) / _MB,
        files=sum(_sizes(shim.cache / "blobs" / "sha256", "??/*")) / _MB,
        health=health,
    )


def _sizes(directory: Path, pattern: str) -> list[int]:
    sizes = []
    for path in directory.glob(pattern):
        with contextlib.suppress(FileNotFoundError):  # removed in the meantime
            sizes.append(path.stat().st_size)
    return sizes
