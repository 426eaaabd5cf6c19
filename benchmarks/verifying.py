"""Clients of a soak, in a process of their own: they verify every byte of every answer."""

import hashlib
import http.client
import json
import re
import threading
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from random import Random
from typing import NamedTuple
from urllib.parse import unquote, urljoin, urlsplit

from benchmarks.universe import universe
from tests.fakes import Dist

#: No part of an answer is waited for longer, seconds: above every time limit of the shim.
_SILENCE = 60.0
_PIECE = 1 << 16
_JSON = "application/vnd.pypi.simple.v1+json"
_LINK = re.compile(rb'<a href="([^"#]+)#sha256=([0-9a-f]{64})"')
#: What a client does, by frequency.
_DEEDS = ("file",) * 6 + ("part", "part", "metadata", "leave", "nowhere")


class Broken(NamedTuple):
    """A request without an answer, by the clock of `time.monotonic`."""

    url: str
    began: float
    ended: float
    error: str


@dataclass
class Report:
    """What clients saw."""

    #: Requests by what became of them.
    counts: Counter[str] = field(default_factory=Counter)
    #: What must not be, in words.
    wrong: list[str] = field(default_factory=list)
    #: Answers later than allowed.
    late: list[str] = field(default_factory=list)
    #: Server errors other than 503.
    errors: list[str] = field(default_factory=list)
    broken: list[Broken] = field(default_factory=list)
    #: Seconds to the first byte of the slowest answer.
    slowest: float = 0.0

    def add(self, other: "Report") -> None:
        self.counts += other.counts
        for name in ("wrong", "late", "errors", "broken"):
            getattr(self, name).extend(getattr(other, name))
        self.slowest = max(self.slowest, other.slowest)


class _NoAnswerError(Exception):
    """The request is over, and is counted."""


class Client:
    """One client, which does one thing after the other."""

    def __init__(self, urls: Sequence[str], allowed: float, seed: object) -> None:
        """``urls`` are of the roots of shims; an answer may begin ``allowed`` seconds later."""
        self.report = Report()
        self._urls = urls
        self._allowed = allowed
        self._chosen = Random(f"client {seed}")
        self._projects = universe().projects

    def act(self) -> None:
        """Ask for something and verify the answer."""
        deed = self._chosen.choice(_DEEDS)
        root = self._chosen.choice(self._urls)
        project = self._chosen.choice(tuple(self._projects))
        with suppress(_NoAnswerError):
            if deed == "nowhere":
                self._nowhere(f"{root}simple/nowhere-{self._chosen.randrange(50)}/")
            else:
                self._fetch(f"{root}simple/{project}/", self._projects[project], deed)

    def wanting(self, root: str) -> int:
        """Ask a shim for everything; return how many files cannot be had."""
        wanting = 0
        for project, files in self._projects.items():
            links: dict[str, str] = {}
            with suppress(_NoAnswerError):
                links = self._page(f"{root}simple/{project}/", files)
            for name, url in links.items():
                with suppress(_NoAnswerError):
                    self._body(url, files[name].data)
                    wanting -= 1
            wanting += len(files)
        return wanting

    def _fetch(self, page: str, files: dict[str, Dist], deed: str) -> None:
        """Ask for a page and one of its files."""
        links = self._page(page, files)
        name = self._chosen.choice(tuple(files))
        url, dist = links[name], files[name]
        if deed == "metadata":
            self._body(f"{url}.metadata", dist.metadata)
        elif deed == "part":
            start = self._chosen.randrange(len(dist.data))
            self._body(url, dist.data, (start, self._chosen.randrange(start, len(dist.data)) + 1))
        elif deed == "leave":
            self._leave(url, dist.data)
        else:
            self._body(url, dist.data)

    def _nowhere(self, url: str) -> None:
        status, _ = self._ask(url, {}, allowed=(404,))
        if status == http.client.OK:
            self.report.wrong.append(f"{url}: a page of a project that no index has")

    def _page(self, url: str, files: dict[str, Dist]) -> dict[str, str]:
        """Return the addresses of the files on a page, by name."""
        is_json = self._chosen.random() < 0.5
        _, body = self._ask(url, {"Accept": _JSON} if is_json else {})
        if is_json:
            found = [(f["url"], f["hashes"]["sha256"]) for f in json.loads(body)["files"]]
        else:
            found = [(href.decode(), digest.decode()) for href, digest in _LINK.findall(body)]
        listed = {unquote(href.rsplit("/", 1)[-1]): digest for href, digest in found}
        if listed != {name: dist.sha256 for name, dist in files.items()}:
            self.report.wrong.append(f"{url}: the page lists {listed}")
            raise _NoAnswerError
        return {unquote(href.rsplit("/", 1)[-1]): urljoin(url, href) for href, _ in found}

    def _body(self, url: str, data: bytes, part: tuple[int, int] | None = None) -> None:
        """Ask for bytes that are known, or for the part of them between two positions."""
        start, stop = part or (0, len(data))
        headers = {"Range": f"bytes={start}-{stop - 1}"} if part else {}
        status, body = self._ask(url, headers)
        # What is served without being stored has no parts.
        if body != (data[start:stop] if status == http.client.PARTIAL_CONTENT else data):
            self._say_wrong(url, body)

    def _leave(self, url: str, data: bytes) -> None:
        """Ask for bytes that are known, and leave after half of them."""
        _, body = self._ask(url, {}, most=len(data) // 2)
        if not data.startswith(body):
            self._say_wrong(url, body)

    def _say_wrong(self, url: str, body: bytes) -> None:
        digest = hashlib.sha256(body).hexdigest()
        self.report.wrong.append(f"{url}: {len(body)} wrong bytes, sha256 {digest}")

    def _ask(
        self,
        url: str,
        headers: dict[str, str],
        *,
        most: int | None = None,
        allowed: Sequence[int] = (),
    ) -> tuple[int, bytes]:
        """Return a status and a body, or the first bytes of it.

        Raises `_NoAnswerError` for another status than 200, 206 and the allowed, and for none.
        """
        parts = urlsplit(url)
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=_SILENCE)
        began = time.monotonic()
        try:
            connection.request("GET", parts.path, headers=headers)
            response = connection.getresponse()
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            self.report.counts["no answer"] += 1
            self.report.broken.append(Broken(url, began, time.monotonic(), repr(error)))
            raise _NoAnswerError from error
        seconds = time.monotonic() - began
        try:
            body = response.read(most)
        except (OSError, http.client.HTTPException) as error:
            # The shim cannot take back a status: it breaks off what it cannot go on with.
            self.report.counts["broken off"] += 1
            raise _NoAnswerError from error
        finally:
            connection.close()
        self._judge(url, response.status, seconds, body, allowed)
        self.report.counts["right" if most is None else "left half-way"] += 1
        return response.status, body

    def _judge(
        self, url: str, status: int, seconds: float, body: bytes, allowed: Sequence[int]
    ) -> None:
        self.report.slowest = max(self.report.slowest, seconds)
        if seconds > self._allowed:
            self.report.late.append(f"{url}: {status} after {seconds:.1f} s")
        if status in (http.client.OK, http.client.PARTIAL_CONTENT, *allowed):
            return
        self.report.counts[str(status)] += 1
        if status != http.client.SERVICE_UNAVAILABLE:
            said = self.report.errors if status >= 500 else self.report.wrong
            said.append(f"{url}: {status} {body[:1000]!r}")
        raise _NoAnswerError


def crowd(urls: Sequence[str], clients: int, seconds: float, allowed: float, seed: int) -> Report:
    """Let so many clients act at the same time for so long, and return what they saw."""
    ends = time.monotonic() + seconds
    acting = [Client(urls, allowed, f"{seed} {number}") for number in range(clients)]

    def act(client: Client) -> None:
        while time.monotonic() < ends:
            client.act()
            time.sleep(0.02)  # the machine has other processes, which the clients would starve

    threads = [threading.Thread(target=act, args=(client,)) for client in acting]
    for thread in threads:
        thread.start()
    report = Report()
    for thread, client in zip(threads, acting, strict=True):
        thread.join()
        report.add(client.report)
    return report
