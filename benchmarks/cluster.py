"""Copies of the shim on one bucket, and nginx before them, by the template of `deploy/`."""

import re
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple, final
from urllib.parse import urlsplit

from benchmarks.shim import Shim
from benchmarks.upstream import Nginx, free_port
from tests.fakes.object_store import WRITER, ObjectStore
from tests.serving import config_text, index_table, json_at, wait_until

_TEMPLATE = Path(__file__).parents[1] / "deploy" / "nginx.conf.template"
#: A self-test, and all that waits to be written, take less, seconds.
_READY_SECONDS = 60.0


class Cluster(NamedTuple):
    """Running copies of the shim."""

    #: Of the load balancer, ending in a slash.
    url: str
    shims: Sequence[Shim]

    def cpu(self) -> float:
        """Return the seconds of CPU that the shims have used."""
        return sum(shim.cpu() for shim in self.shims)

    def drain(self) -> None:
        """Wait until everything that the shims have is in the bucket."""
        for shim in self.shims:
            wait_until(lambda url=shim.url: _is_drained(url), _READY_SECONDS, "writes still wait")


@final
class Bench:
    """Makes shims that have seen nothing."""

    def __init__(self, home: Path, store: ObjectStore, index_url: str) -> None:
        self._home = home
        self._store = store
        self._index = index_table("pypi", index_url)
        self._shims = 0

    def new_shim(self, bucket: str | None = None) -> Shim:
        """Return a shim on a ``bucket``, or on none; to be entered."""
        self._shims += 1
        cache: dict[str, object] = {"fresh": "1 day"}
        if bucket is not None:
            cache |= {"shared": bucket, "shared_endpoint": self._store.endpoint}
        shim = Shim(
            self._home / f"shim-{self._shims}",
            config_text(
                self._index,
                server={"trusted_proxies": ["127.0.0.1"]},
                cache=cache,
                limits={"read_ahead": False},  # as in deploy/
            ),
        )
        shim.environment |= WRITER
        return shim

    @contextmanager
    def cluster(
        self, copies: int, bucket: str | None, *, by_address: bool = True
    ) -> Iterator[Cluster]:
        """Run copies behind nginx, which sends an address to one copy, or each request to another.

        They have tested the bucket.
        """
        with ExitStack() as stack:
            shims = [stack.enter_context(self.new_shim(bucket)) for _ in range(copies)]
            port = free_port()
            site = _site(port, [urlsplit(shim.url).port for shim in shims], by_address=by_address)
            stack.enter_context(Nginx(self._home, http=site))
            for shim in shims if bucket is not None else ():
                ready(shim)
            yield Cluster(f"http://127.0.0.1:{port}/", shims)


def ready(shim: Shim) -> Shim:
    """Wait until a shim has tested its bucket."""
    wait_until(
        lambda: json_at(shim.url, "/-/status")["shared"]["state"] == "ok",
        _READY_SECONDS,
        "the bucket has not passed the self-test",
    )
    return shim


def _is_drained(url: str) -> bool:
    shared = json_at(url, "/-/status")["shared"]
    return not shared["queue"] and not shared["waiting"]


def _site(port: int, shims: Sequence[int | None], *, by_address: bool) -> str:
    """Return the template of `deploy/`, filled in as its script does."""
    text = _TEMPLATE.read_text(encoding="utf-8")
    changes = [
        (r"^resolver .*$", ""),
        (r"^    server \$\{SHIMS\} resolve (.*)$",
         "\n".join(rf"    server 127.0.0.1:{each} \1" for each in shims)),
        (r"listen 8080;", f"listen 127.0.0.1:{port} backlog=1024;"),
    ]  # fmt: skip
    if not by_address:
        changes.append((r"^    hash .*$", ""))
    for pattern, new in changes:
        text, count = re.subn(pattern, new, text, flags=re.MULTILINE)
        if count != 1:
            raise RuntimeError(f"{_TEMPLATE} does not have {pattern} once")
    return text
