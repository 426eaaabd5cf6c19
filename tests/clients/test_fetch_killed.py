"""A fetch that is killed again and again: the next one goes on, and nothing is in its way."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from indexfallback.store.partials import PARTIAL_SECONDS
from tests.clients.conftest import Chain
from tests.clients.support import CLIENT_SECONDS, Client, User, installed
from tests.fakes import wheel
from tests.in_process import ROOT
from tests.serving import all_ended, wait_until

OURS = (sys.executable, "-m", "indexfallback")
#: Large enough to be cut anywhere in the middle, and small enough for tests.
DISTS = [wheel(f"part-{number}", "1.0", size=200_000) for number in range(8)]
APP = wheel("acme-app", "1.4", requires=[dist.project for dist in DISTS])
#: Bytes a second of each file: two seconds, so that none is whole before it is killed.
_RATE = 100_000
#: Requests for pages and metadata of a whole run.
_REQUESTS = 30
#: Bytes that come between two kills, at most: an eighth of all.
_PART = 200_000


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is POSIX's")
@pytest.mark.parametrize("seed", range(2))
def test_a_fetch_that_is_killed_again_and_again_ends_with_all_that_installs_offline(
    seed: int, chain: Chain, user: User, environments: dict[str, Client]
) -> None:
    chosen = random.Random(seed)
    chain.private.add(APP)
    for dist in DISTS:
        chain.public.add(dist)
    with chain.public.drip(_RATE, path="/files/"):
        requests = chosen.randint(0, _REQUESTS)
        # Alone or as a whole, in turn: the grace of a shim whose fetch is killed takes its time.
        _fetch_until(user, lambda: chain.asked() >= requests, whole=seed % 2 == 0)
        for whole in (True, True, False):
            come = _come(user) + chosen.randint(1, _PART)
            _fetch_until(user, lambda come=come: _come(user) >= come, whole=whole)  # type: ignore[misc]
    chain.forget_requests()
    user.ours("fetch", "acme-app").expect()
    assert any("Range" in request.headers for request in chain.public.requests)
    _verify(user)
    _nothing_is_left_behind(user)
    chain.stop()
    target, uv = user.target(), environments["uv"]
    user.run(*uv.install(target, "acme-app"), options=("--offline",)).expect()
    assert installed(target).keys() == {"acme-app", *(dist.project for dist in DISTS)}


def _verify(user: User) -> None:
    """Verify the cache; a kill between journal and database leaves a record to be restored."""
    first = user.ours("cache", "verify")
    if first.code:
        assert "only in the journal: restored" in first.said
        user.ours("cache", "verify").expect()


def _fetch_until(user: User, is_time: Callable[[], bool], *, whole: bool = False) -> None:
    """Kill a fetch at a moment, and wait for the end of all its processes.

    The shim of one that is killed alone goes on for its three seconds of grace, that of one that
    is killed as a whole dies with it.
    """
    process = subprocess.Popen(
        [*OURS, "fetch", "acme-app"], env=user.environment, cwd=ROOT, stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    wait_until(lambda: is_time() or process.poll() is not None, CLIENT_SECONDS, "it does nothing")
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    family = _processes(user)
    for member in family if whole else ():
        with suppress(psutil.NoSuchProcess):
            member.kill()
    wait_until(lambda: all_ended(family), CLIENT_SECONDS, "a process outlives the fetch")
    wait_until(lambda: not _processes(user), CLIENT_SECONDS, "a process outlives the fetch")


def _processes(user: User) -> list[psutil.Process]:
    """Return what runs for a user."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
            if process.environ().get("HOME") == str(user.home):
                found.append(process)
    return found


def _partials(user: User) -> dict[Path, int]:
    """Return the files that are being written, or were, and their sizes."""
    found = {}
    for path in (user.home / "cache" / "indexfallback" / "partial").glob("*"):
        with suppress(FileNotFoundError):  # whole meanwhile
            found[path] = path.stat().st_size
    return found


def _come(user: User) -> int:
    """Return the bytes of files that are not whole."""
    return sum(_partials(user).values())


def _nothing_is_left_behind(user: User) -> None:
    """See that partial files were continued, and that what nobody can continue is cleared."""
    continued = [path for path, size in _partials(user).items() if size and "." in path.name]
    assert continued == []
    before = time.time() - PARTIAL_SECONDS - 1
    for path in _partials(user):
        os.utime(path, (before, before))
    user.ours("cache", "gc").expect()
    assert _partials(user) == {}
