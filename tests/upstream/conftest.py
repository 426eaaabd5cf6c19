"""Open upstreams of fake indexes and of directories."""

import contextlib
import socket
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from pathlib import Path
from ssl import PROTOCOL_TLS_SERVER, SSLContext
from typing import Any, NamedTuple, TypeAlias

import pytest
import trustme

from indexfallback.config import Index, Settings
from indexfallback.store import Store
from indexfallback.upstream.answers import Limits, PageAnswer
from indexfallback.upstream.directory import DirectoryIndex
from indexfallback.upstream.facts import Facts, FactsCache, Stamp
from indexfallback.upstream.http import HttpIndex
from tests.fakes import FakeIndex, flat_directory, sdist, wheel

OpenHttp: TypeAlias = Callable[..., HttpIndex]
WriteNetrc: TypeAlias = Callable[..., None]

#: Decoded bytes of a page in these tests.
PAGE_SIZE = 100_000


def within(seconds: float = 10.0) -> Limits:
    """Return the limits of an attempt that begins now."""
    return Limits(time.monotonic() + seconds, PAGE_SIZE)


def page(upstream: HttpIndex, seconds: float = 10.0) -> PageAnswer:
    return upstream.page("acme-app", within(seconds), None, None)


def basic(username: str, password: str) -> str:
    return "Basic " + b64encode(f"{username}:{password}".encode()).decode()


def sent_to(index: FakeIndex) -> list[str | None]:
    """Return the Authorization header of each request."""
    return [request.headers.get("Authorization") for request in index.requests]


def sent(to: FakeIndex) -> str | None:
    """Return the credentials of the only request."""
    (header,) = sent_to(to)
    return header


def misbehave(index: FakeIndex, how: str) -> None:
    """Let an index hang, or send its headers or its body in drops."""
    if how == "hang":
        index.hang()
    else:
        getattr(index, how)(5)


class CountingFacts:
    """Passes facts on to where they are kept, and counts what was put: each file that was read."""

    def __init__(self, kept: FactsCache) -> None:
        self.kept = kept
        self.read: list[str] = []

    def get(self, path: str, stamp: Stamp) -> Facts | None:
        return self.kept.get(path, stamp)

    def put(self, path: str, stamp: Stamp, facts: Facts) -> None:
        self.read.append(Path(path).name)
        self.kept.put(path, stamp, facts)


@pytest.fixture
def remote() -> Iterator[FakeIndex]:
    with FakeIndex([wheel("acme-app")]) as index:
        yield index


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[OpenHttp]:
    """Return a factory of open HTTP indexes: address or fake, then settings of the index."""
    with contextlib.ExitStack() as stack:

        def make(
            of: FakeIndex | str, *, ca_bundle: Path | None = None, proxy: str | None = None,
            **values: Any,
        ) -> HttpIndex:  # fmt: skip
            url = of if isinstance(of, str) else of.url
            index = Index(**{"name": "remote", "url": url, **values})
            settings = Settings(
                indexes=(index,), cache_dir=tmp_path, ca_bundle=ca_bundle, proxy=proxy
            )
            made = HttpIndex(index, settings)
            stack.callback(made.close)
            return made

        yield make


@pytest.fixture
def facts(store: Store) -> CountingFacts:
    return CountingFacts(store.local_files)


@pytest.fixture
def directory(facts: CountingFacts, tmp_path: Path) -> Callable[..., DirectoryIndex]:
    """Return a factory of directory indexes, all with the same memory of what was read."""

    def make(path: Path, kept: FactsCache = facts) -> DirectoryIndex:
        index = Index(name="wheels", url=path.as_uri() + "/")
        settings = Settings(indexes=(index,), cache_dir=tmp_path, page_size=100_000)
        return DirectoryIndex(index, settings, kept, HttpIndex(index, settings))

    return make


@pytest.fixture
def wheels(tmp_path: Path) -> Path:
    """Return a directory with two projects side by side."""
    acme = wheel("acme-app", "1.0", requires_python=">=3.9")
    return flat_directory(
        tmp_path / "wheels", [acme, sdist("acme-app", "1.0"), wheel("idna", "3.0")]
    )


@pytest.fixture
def netrc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> WriteNetrc:
    """Return a function that writes netrc: a login and a password for each host."""
    path = tmp_path / "netrc"
    monkeypatch.setenv("NETRC", str(path))

    def write(**logins: tuple[str, str]) -> None:
        """Write entries; an underscore in a keyword is a dot of the host."""
        lines = (
            f"{'default' if host == 'default' else 'machine ' + host.strip('_').replace('_', '.')}"
            f" login {login} password {password}\n"
            for host, (login, password) in logins.items()
        )
        path.write_text("".join(lines))

    return write


class Upgraded(NamedTuple):
    """One host by http, which redirects, and by https."""

    plain: FakeIndex
    secure: FakeIndex
    bundle: Path


@pytest.fixture
def upgraded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Upgraded]:
    """Return the host ``packages.example.com`` at its default ports."""
    authority = trustme.CA()
    context = SSLContext(PROTOCOL_TLS_SERVER)
    authority.issue_cert("packages.example.com").configure_cert(context)
    bundle = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(bundle))
    app = [wheel("acme-app")]
    with FakeIndex(app) as plain, FakeIndex(app, tls=context) as secure:
        ports = {80: plain.port, 443: secure.port}

        def at_loopback(_: str, port: int, *__: Any, **___: Any) -> list[Any]:
            address = ("127.0.0.1", ports.get(port, port))
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", address)]

        monkeypatch.setattr(socket, "getaddrinfo", at_loopback)
        yield Upgraded(plain, secure, bundle)
