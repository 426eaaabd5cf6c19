"""A stand-in shim, a real host and a tunnel between them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes import FakeIndex
from tests.tunnel.support import Host, Tunnelled, host, prove, tunnelled


@pytest.fixture
def local() -> Iterator[FakeIndex]:
    """Return a stand-in for the shim, which answers every address with its name."""
    with FakeIndex() as index:
        index.answer(200, {"X-From": "shim"}, b"by the shim", path="/via/")
        prove(index)
        yield index


@pytest.fixture
def remote(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Host]:
    """Return a real host whose certificate the user trusts."""
    with host(tmp_path) as found:
        monkeypatch.setenv("SSL_CERT_FILE", str(found.bundle))
        found.index.answer(200, {"X-From": "host"}, b"by the host")
        yield found


@pytest.fixture
def tunnel(local: FakeIndex) -> Iterator[Tunnelled]:
    """Return a tunnel for ``packages.example.com`` and an http origin."""
    with tunnelled(local, "https://packages.example.com", "http://10.9.8.7:8080") as found:
        yield found
