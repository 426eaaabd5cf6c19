"""Hundreds of jobs that install the same packages, as cheaply as possible, and check every byte.

A job asks as pip does, on one connection: the page and the metadata of each package, in an order of
its own, and then all files.
"""

import http.client
import json
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from functools import cache
from multiprocessing import get_context
from random import Random
from urllib.parse import urljoin, urlsplit

from tests.fakes import Dist, wheel

#: Of pip.
_ACCEPT = "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html; q=0.1"
#: No part of an answer is waited for longer, seconds: above every deadline of a shim.
_SILENCE = 60.0
#: Bytes of a wheel: few, so that what counts is the requests.
_SIZE = 20_000
#: Threads of a job are small: Python's default would reserve 8 MB for each.
_STACK = 1 << 18


@dataclass
class Report:
    """What jobs have seen."""

    requests: int = 0
    #: Answers that were not right, and connections that failed, in words.
    wrong: list[str] = field(default_factory=list)
    #: Until the last job had everything.
    seconds: float = 0.0

    def add(self, other: "Report") -> None:
        self.requests += other.requests
        self.wrong += other.wrong
        self.seconds = max(self.seconds, other.seconds)


@cache
def packages(number: int) -> tuple[Dist, ...]:
    """Return wheels, which are the same in every process."""
    return tuple(wheel(f"package-{n}", size=_SIZE) for n in range(number))


class Job:
    """One client with one connection, which is opened again when it has failed."""

    def __init__(self, url: str) -> None:
        """``url`` is that of the root of a shim or of a load balancer."""
        self.report = Report()
        self._url = url
        parts = urlsplit(url)
        self._connection = http.client.HTTPConnection(
            parts.hostname or "", parts.port, timeout=_SILENCE
        )

    def close(self) -> None:
        self._connection.close()

    def install(self, dists: Sequence[Dist]) -> None:
        """Ask for everything, and compare it."""
        found: list[tuple[str, Dist]] = []
        for dist in dists:
            url = self.file_url(dist)
            if url:
                self.expect(f"{url}.metadata", dist.metadata)
                found.append((url, dist))
        for url, dist in found:
            self.expect(url, dist.data)

    def file_url(self, dist: Dist) -> str:
        """Return the path of a package's only file by its page; empty if that is wrong."""
        path = f"{urlsplit(self._url).path}simple/{dist.project}/"
        body = self._get(path)
        if body is None:
            return ""
        (file,) = json.loads(body)["files"] or [{"filename": "none"}]
        if (file["filename"], file.get("hashes")) == (dist.filename, {"sha256": dist.sha256}):
            return urlsplit(urljoin(path, file["url"])).path
        self.report.wrong.append(f"{path}: {file}")
        return ""

    def expect(self, path: str, data: bytes) -> None:
        """Ask for a file."""
        body = self._get(path)
        if body not in (None, data):
            self.report.wrong.append(f"{path}: other bytes")

    def _get(self, path: str) -> bytes | None:
        """Return the body of a right answer."""
        self.report.requests += 1
        try:
            self._connection.request("GET", path, headers={"Accept": _ACCEPT})
            answer = self._connection.getresponse()
            body = answer.read()
        except (OSError, http.client.HTTPException) as error:  # this is what is looked for
            self._connection.close()
            self.report.wrong.append(f"{path}: {error!r}")
            return None
        if answer.status == http.client.OK:
            return body
        self.report.wrong.append(f"{path}: {answer.status} {body[:200]!r}")
        return None


def run(url: str, jobs: int, number: int, processes: int = 0) -> Report:
    """Run so many jobs at once, each of which installs ``number`` packages.

    They are threads of other processes, or of this one.
    """
    if not processes:
        return _run(url, range(jobs), number)
    report = Report()
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        shares = [range(first, jobs, processes) for first in range(processes)]
        for each in [pool.submit(_run, url, share, number) for share in shares]:
            report.add(each.result())
    return report


def _run(url: str, seeds: range, number: int) -> Report:
    """Run a job for each seed, all at once, in this process."""
    report, lock = Report(), threading.Lock()
    dists = packages(number)

    def install(seed: int) -> None:
        with closing(Job(url)) as job:
            job.install(Random(f"job {seed}").sample(dists, len(dists)))
        with lock:
            report.add(job.report)

    report.seconds = _timed(lambda: _in_threads(install, seeds))
    return report


def _in_threads(work: Callable[[int], object], numbers: range) -> None:
    before = threading.stack_size(_STACK)
    threads = [threading.Thread(target=work, args=(number,)) for number in numbers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    threading.stack_size(before)


def _timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
