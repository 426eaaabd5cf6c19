"""A shim with few file handles, and far more clients than these."""

import os
import resource
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from indexfallback.server.handles import clients_at_once
from tests.conftest import Serve
from tests.fakes import FakeIndex, wheel
from tests.serving import Served, index_table

HANDLES, CLIENTS = 256, 500
DISTS = [wheel(f"demo{n}", size=50_000) for n in range(250)]

pytestmark = pytest.mark.skipif(os.name != "posix", reason="Windows has no such limit")


@pytest.fixture
def few_handles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Start servers with few handles; this process has many."""
    script = tmp_path / "python"
    script.write_text(f'#!/bin/sh\nulimit -n {HANDLES}\nexec "{sys.executable}" "$@"\n')
    script.chmod(0o755)
    monkeypatch.setattr("tests.forking.PYTHON", str(script))
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 8192), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def _install(shim: Served, number: int) -> tuple[int, int]:
    """Ask for a page and its file as a client does; return both statuses."""
    dist = DISTS[number % len(DISTS)]
    page = shim.get(f"/simple/{dist.project}/")
    if page.status != 200:
        return page.status, 0
    link = page.body.decode().partition('href="../../')[2].partition("#")[0].partition('"')[0]
    file = shim.get(f"/{link}")
    if file.status == 503:  # as clients do: the last of a crowd may come after its deadline
        file = shim.get(f"/{link}")
    assert file.status != 200 or file.body == dist.data
    return page.status, file.status


@pytest.mark.usefixtures("few_handles")
def test_a_crowd_is_served_by_a_shim_with_few_handles(served: Serve) -> None:
    with FakeIndex(DISTS) as index:
        index.delay(0.5)
        shim = served(index_table("pypi", index.url))
        with ThreadPoolExecutor(CLIENTS) as pool:
            found = list(pool.map(lambda n: _install(shim, n), range(CLIENTS)))
        assert set(found) == {(200, 200)}
        (state,) = shim.json("/-/status")["indexes"]
        assert (state["state"], state["errors"]) == ("up", 0), state
        assert shim.get("/-/health").status == 200


@pytest.mark.usefixtures("few_handles")
def test_the_limit_of_handles_is_raised_as_far_as_it_goes(served: Serve, tmp_path: Path) -> None:
    script = tmp_path / "python"
    text = script.read_text().replace(f"ulimit -n {HANDLES}", "ulimit -Sn 200; ulimit -Hn 1000")
    script.write_text(text)
    with FakeIndex(DISTS[:1]) as index:
        shim = served(index_table("pypi", index.url))
        limits = shim.system.rlimit(resource.RLIMIT_NOFILE)
    assert limits == (1000, 1000)


def test_clients_at_once_leave_handles_for_everything_else() -> None:
    assert clients_at_once(16_384, 1100) == 1100
    assert clients_at_once(256, 1100) == 64
    assert clients_at_once(50, 1100) == 4
