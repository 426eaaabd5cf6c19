"""What can go wrong at an index: one method a fault, each for some requests or until lifted."""

import gzip
import itertools
from base64 import b64encode
from collections.abc import Callable, Mapping
from random import Random
from threading import Event, Lock
from types import TracebackType
from typing import TypeAlias, final
from urllib.parse import quote

from tests.fakes.wire import Pace, Reply, Request

#: Changes the answer to a request; the event is set when the fault is lifted.
Change: TypeAlias = Callable[[Request, Reply, Event], None]


@final
class Rule:
    """A fault at work; as a context manager it is lifted at the end of the block."""

    def __init__(self, change: Change, path: str, times: int | None, *, exact: bool) -> None:
        self.change = change
        self._path = path
        self._exact = exact
        self._left = times
        self.lifted = Event()

    def __enter__(self) -> "Rule":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.lift()

    def lift(self) -> None:
        """End the fault, also for requests that are waiting in it."""
        self.lifted.set()

    def takes(self, request: Request) -> bool:
        """Tell whether the rule applies to a request, and count it if so."""
        matches = request.path == self._path if self._exact else request.path.startswith(self._path)
        if self.lifted.is_set() or self._left == 0 or not matches:
            return False
        if self._left is not None:
            self._left -= 1
        return True


class Faults:
    """The faults of an index.

    Each takes ``path``, the start of the paths concerned, and ``times``, the number of requests
    after which it ends by itself. All that match a request apply, in the order of their making,
    so that ``index.chunked(); index.cut(after=10)`` is a chunked body that breaks off.
    """

    def __init__(self) -> None:
        self._rules: list[Rule] = []
        self._rules_lock = Lock()

    def lift(self) -> None:
        """End all faults."""
        with self._rules_lock:
            for rule in self._rules:
                rule.lift()
            self._rules.clear()

    def answer(
        self,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        *,
        reason: str | None = None,
        path: str = "/",
        times: int | None = None,
    ) -> Rule:
        """Answer with just this; headers and reason are sent as they are, even if malformed."""

        def change(_: Request, reply: Reply, __: Event) -> None:
            reply.status, reply.reason, reply.body = status, reason, body
            reply.headers = dict(headers or {})
            reply.entity = False

        return self._add(change, path, times)

    def fail(
        self,
        status: int = 503,
        headers: Mapping[str, str] | None = None,
        *,
        path: str = "/",
        times: int | None = None,
    ) -> Rule:
        """Answer with an error status and a body of plain text."""
        typed = {"Content-Type": "text/plain", **(headers or {})}
        return self.answer(status, typed, b"a fault of this fake index\n", path=path, times=times)

    def redirect(
        self, to: str, status: int = 302, *, path: str = "/", times: int | None = None
    ) -> Rule:
        """Redirect; ``{path}`` in the address stands for the path asked for."""

        def change(request: Request, reply: Reply, _: Event) -> None:
            reply.status, reply.body, reply.entity = status, b"", False
            reply.headers = {"Location": to.replace("{path}", request.path)}

        return self._add(change, path, times)

    def ask_for(self, username: str, password: str, *, path: str = "/") -> Rule:
        """Answer 401 to all but one login."""
        expected = "Basic " + b64encode(f"{username}:{password}".encode()).decode()

        def change(request: Request, reply: Reply, _: Event) -> None:
            if request.headers.get("Authorization") != expected:
                reply.status, reply.body, reply.entity = 401, b"", False
                reply.headers = {"WWW-Authenticate": 'Basic realm="fake"'}

        return self._add(change, path, None)

    def raw(self, data: bytes, *, path: str = "/", times: int | None = None) -> Rule:
        """Send these bytes in place of an HTTP answer, and close."""

        def change(_: Request, reply: Reply, __: Event) -> None:
            reply.raw = data

        return self._add(change, path, times)

    def header(
        self, name: str, value: str | None, *, path: str = "/", times: int | None = None
    ) -> Rule:
        """Set a header of the answer, or leave it out (None)."""

        def change(_: Request, reply: Reply, __: Event) -> None:
            reply.headers.pop(name, None)
            if value is not None:
                reply.headers[name] = value

        return self._add(change, path, times)

    def demand_cookie(self, *, path: str = "/", times: int | None = None) -> Rule:
        """Redirect a request that has no cookie to the same address, and set the cookie."""

        def change(request: Request, reply: Reply, _: Event) -> None:
            if "Cookie" not in request.headers:
                reply.status, reply.body, reply.entity = 302, b"", False
                reply.headers = {"Location": request.target, "Set-Cookie": "seen=1; Path=/"}

        return self._add(change, path, times)

    def corrupt(self, filename: str, *, times: int | None = None) -> Rule:
        """Flip the middle byte of a file, whatever its page says; ranges of it agree."""

        def change(_: Request, reply: Reply, __: Event) -> None:
            body = bytearray(reply.body)
            body[len(body) // 2] ^= 0xFF
            reply.body = bytes(body)

        return self._add(change, f"/files/{quote(filename)}", times, exact=True)

    def gzip(self, *, path: str = "/", times: int | None = None) -> Rule:
        """Compress the body, whether the client accepts that or not; no ranges then."""

        def change(_: Request, reply: Reply, __: Event) -> None:
            reply.body = gzip.compress(reply.body, mtime=0)
            reply.headers["Content-Encoding"] = "gzip"
            reply.ranges = False

        return self._add(change, path, times)

    def refuse_suffixes(
        self, status: int = 501, *, path: str = "/", times: int | None = None
    ) -> Rule:
        """Refuse ranges that are counted from the end."""

        def change(request: Request, reply: Reply, _: Event) -> None:
            if request.headers.get("Range", "").startswith("bytes=-"):
                reply.status, reply.body, reply.entity = status, b"", False

        return self._add(change, path, times)

    def shift_ranges(self, by: int, *, path: str = "/", times: int | None = None) -> Rule:
        """Answer with as many bytes as asked for, from another position, and say so."""

        def change(request: Request, reply: Reply, _: Event) -> None:
            start, stop = _closed(request, len(reply.body))
            start, stop = max(0, start + by), max(0, stop + by)
            if "Range" in request.headers:
                total = len(reply.body)
                reply.status, reply.entity = 206, False
                reply.headers["Content-Range"] = f"bytes {start}-{stop - 1}/{total}"
                reply.body = bytes(reply.body[start:stop])

        return self._add(change, path, times)

    def multipart_ranges(self, *, path: str = "/", times: int | None = None) -> Rule:
        """Answer a range as one part of several, of which there is one."""

        def change(request: Request, reply: Reply, _: Event) -> None:
            start, stop = _closed(request, len(reply.body))
            if "Range" in request.headers:
                head = f"--B\r\nContent-Range: bytes {start}-{stop - 1}/{len(reply.body)}\r\n\r\n"
                reply.status, reply.entity = 206, False
                reply.headers["Content-Type"] = "multipart/byteranges; boundary=B"
                reply.body = head.encode() + bytes(reply.body[start:stop]) + b"\r\n--B--\r\n"

        return self._add(change, path, times)

    def chunked(self, *, path: str = "/", times: int | None = None) -> Rule:
        """Send the body in chunks, without Content-Length."""

        def change(_: Request, reply: Reply, __: Event) -> None:
            reply.framing = "chunked"

        return self._add(change, path, times)

    def unframed(self, *, path: str = "/", times: int | None = None) -> Rule:
        """Send the body without any length; the end of the connection ends it."""

        def change(_: Request, reply: Reply, __: Event) -> None:
            reply.framing = "close"

        return self._add(change, path, times)

    def short(self, by: int = 1, *, path: str = "/", times: int | None = None) -> Rule:
        """Send a body shorter than its Content-Length, and close."""

        def change(_: Request, reply: Reply, __: Event) -> None:
            reply.length_error = by

        return self._add(change, path, times)

    def long(self, by: int = 1, *, path: str = "/", times: int | None = None) -> Rule:
        """Send a body longer than its Content-Length, and close."""
        return self.short(-by, path=path, times=times)

    def grow(self, by: int, *, path: str = "/", times: int | None = None) -> Rule:
        """Append bytes to the body, chunked: more come than any length states."""

        def change(_: Request, reply: Reply, __: Event) -> None:
            reply.body, reply.framing = bytes(reply.body) + bytes(by), "chunked"
            reply.ranges = False

        return self._add(change, path, times)

    def cut(
        self, after: int = 0, *, reset: bool = False, path: str = "/", times: int | None = None
    ) -> Rule:
        """Close (or reset) the connection after so many bytes of the body."""

        def change(_: Request, reply: Reply, __: Event) -> None:
            reply.cut_after, reply.reset = after, reset

        return self._add(change, path, times)

    def drop(self, *, reset: bool = False, path: str = "/", times: int | None = None) -> Rule:
        """Close (or reset) the connection without an answer."""
        return self.cut(-1, reset=reset, path=path, times=times)

    def flake(self, chosen: Random, share: float, *, path: str = "/") -> Rule:
        """Disturb a share of the requests: in turn 503, half of the body, and a reset."""
        turns = itertools.cycle(range(3))

        def change(_: Request, reply: Reply, __: Event) -> None:
            if chosen.random() >= share:
                return
            turn = next(turns)
            if turn == 0:
                reply.status, reply.body, reply.entity = 503, b"", False
            elif turn == 1:
                reply.cut_after = len(reply.body) // 2
            else:
                reply.cut_after, reply.reset = -1, True

        return self._add(change, path, None)

    def hang(self, *, path: str = "/", times: int | None = None) -> Rule:
        """Read the request and say nothing until lifted, then answer it."""

        def change(_: Request, reply: Reply, lifted: Event) -> None:
            reply.waits.append((lifted, None))

        return self._add(change, path, times)

    def delay(self, seconds: float, *, path: str = "/", times: int | None = None) -> Rule:
        """Wait before the first byte of the answer."""

        def change(_: Request, reply: Reply, lifted: Event) -> None:
            reply.waits.append((lifted, seconds))

        return self._add(change, path, times)

    def drip(self, bytes_per_second: float, *, path: str = "/", times: int | None = None) -> Rule:
        """Send the headers at once and the body at this rate; at full speed once lifted."""

        def change(_: Request, reply: Reply, lifted: Event) -> None:
            reply.body_pace = Pace(bytes_per_second, lifted)

        return self._add(change, path, times)

    def drip_headers(
        self, bytes_per_second: float, *, path: str = "/", times: int | None = None
    ) -> Rule:
        """Send status line and headers at this rate."""

        def change(_: Request, reply: Reply, lifted: Event) -> None:
            reply.head_pace = Pace(bytes_per_second, lifted)

        return self._add(change, path, times)

    def _add(self, change: Change, path: str, times: int | None, *, exact: bool = False) -> Rule:
        rule = Rule(change, path, times, exact=exact)
        with self._rules_lock:
            self._rules.append(rule)
        return rule

    def _disturb(self, request: Request, reply: Reply) -> None:
        """Apply all faults that concern a request to its answer."""
        with self._rules_lock:
            active = [rule for rule in self._rules if rule.takes(request)]
        for rule in active:
            rule.change(request, reply, rule.lifted)


def _closed(request: Request, total: int) -> tuple[int, int]:
    """Return the first position that a range asks for, and the one behind the last."""
    first, _, last = request.headers.get("Range", "bytes=0-").removeprefix("bytes=").partition("-")
    if not first:
        return max(0, total - int(last)), total
    return int(first), min(int(last) + 1, total) if last else total
