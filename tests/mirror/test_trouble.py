"""Runs that are killed, refused or cut short: what is there then, and how the next one ends."""

import random
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from indexfallback.store.locks import FileLock
from tests.cli.support import CommandLine
from tests.fakes import Dist, FakeIndex, sdist, wheel
from tests.mirror.support import Mirrored
from tests.serving import wait_until

#: Requests of a whole run: the list of names, three pages, 14 files.
_REQUESTS = 18


def _end_state(mirror: Mirrored, cli: CommandLine) -> object:
    """Return what an uninterrupted run makes."""
    whole = Mirrored(cli, mirror.upstream)
    whole.configure(projects=["*"])
    whole.run()
    return whole.state()


def _start(mirror: Mirrored) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        mirror.cli.arguments("mirror"), cwd=mirror.cli.cwd, env=mirror.cli.environment(),
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is POSIX's")
@pytest.mark.parametrize("seed", range(4))
def test_a_run_that_is_killed_again_and_again_ends_as_an_uninterrupted_one(
    mirror: Mirrored, tmp_path: Path, seed: int
) -> None:
    chosen = random.Random(seed)
    (tmp_path / "other").mkdir()
    with mirror.upstream.delay(0.02):
        for _ in range(3):
            mirror.upstream.clear()
            process = subprocess.Popen(
                mirror.cli.arguments("mirror"), cwd=mirror.cli.cwd, env=mirror.cli.environment(),
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            )  # fmt: skip
            after = chosen.randint(0, _REQUESTS)
            wait_until(
                lambda after=after, run=process: (  # type: ignore[misc]
                    mirror.upstream.count() >= after or run.poll() is not None
                ),
                60, "the run asks for nothing",
            )  # fmt: skip
            process.send_signal(signal.SIGKILL)
            process.wait()
    mirror.run()
    assert mirror.state() == _end_state(mirror, CommandLine(tmp_path / "other"))


def test_a_run_that_is_ended_in_good_order_keeps_what_is_whole(mirror: Mirrored) -> None:
    last = wheel("other", "1.0").filename
    with mirror.upstream.hang(path=f"/files/{last}"):
        process = _start(mirror)
        mirror.upstream.wait_for(f"/files/{last}", seconds=60)
        wait_until(lambda: mirror.upstream.count() >= _REQUESTS, 60, "it does not come so far")
        process.send_signal(signal.SIGTERM)
        mirror.upstream.lift()
        said = process.communicate(timeout=300)[1]
    assert process.returncode == 1
    assert "run again" in said
    assert mirror.run()["files"] <= 14


def test_a_tenth_of_the_requests_failing_leaves_nothing_out(mirror: Mirrored) -> None:
    chosen = random.Random(5)
    for dist in (wheel("acme-app", f"1.{minor}") for minor in range(6)):
        if chosen.random() < 0.5:
            mirror.upstream.fail(503, path=f"/files/{dist.filename}", times=1)
        else:
            mirror.upstream.cut(100, path=f"/files/{dist.filename}", times=1)
    mirror.upstream.fail(500, path="/simple/other/", times=2)
    mirror.upstream.drop(path="/simple/acme-lib/", times=1)
    assert mirror.run()["failed"] == {}
    assert len(mirror.state()["files"]) == 14


def test_one_file_that_cannot_be_had_leaves_the_others_and_is_asked_for_again(
    mirror: Mirrored,
) -> None:
    broken = wheel("acme-app", "1.3").filename
    with mirror.upstream.fail(404, path=f"/files/{broken}"):
        result = mirror.run(code=1)
    assert broken in result["failed"]["acme-app"]
    assert len(mirror.listed("acme-app") or []) == 5
    assert mirror.run()["files"] == 1
    assert broken in (mirror.listed("acme-app") or [])


def test_a_file_at_a_host_that_wants_a_login_leaves_the_others(mirror: Mirrored) -> None:
    refused = wheel("acme-app", "1.3")
    with FakeIndex([refused], username="ci", password="s3cret") as host:
        mirror.upstream.add(refused, url=host.file_url(refused.filename))
        result = mirror.run(code=1)
    assert f"401 Unauthorized by 127.0.0.1:{host.port}" in result["failed"]["acme-app"]
    assert len(mirror.listed("acme-app") or []) == 5


def test_wrong_bytes_are_not_kept(mirror: Mirrored) -> None:
    wrong = wheel("other", "1.0").filename
    with mirror.upstream.corrupt(wrong):
        result = mirror.run(code=1)
    assert "wrong bytes" in result["failed"]["other"]
    assert mirror.listed("other") == []


def test_a_file_without_end_is_cut_off(mirror: Mirrored) -> None:
    wrong = wheel("other", "1.0").filename
    endless = 100_000_000
    with mirror.upstream.grow(endless, path=f"/files/{wrong}"):
        result = mirror.run(code=1)
    assert "where its page states" in result["failed"]["other"]
    assert mirror.upstream.sent < endless / 4
    assert mirror.listed("other") == []


@pytest.mark.parametrize("dist", [wheel("one"), sdist("one")], ids=["wheel", "sdist"])
@pytest.mark.parametrize("compressed", [True, False])
def test_a_file_in_a_coding_is_the_one_that_its_hash_names(
    mirror: Mirrored, dist: Dist, *, compressed: bool
) -> None:
    path = f"/files/{dist.filename}"
    mirror.upstream.add(dist)
    if compressed:
        mirror.upstream.gzip(path=path)
    else:
        mirror.upstream.header("Content-Encoding", "x-gzip", path=path)
    mirror.configure(projects=["one"])
    mirror.run()
    assert mirror.held(dist.sha256)


def test_retry_after_is_obeyed(mirror: Mirrored) -> None:
    mirror.upstream.answer(429, {"Retry-After": "1"}, path="/simple/other/", times=1)
    result = mirror.run()
    assert result["failed"] == {}
    assert result["seconds"] >= 1


def test_an_index_that_is_away_changes_nothing(mirror: Mirrored) -> None:
    mirror.run()
    before = mirror.state()
    mirror.upstream.stop_listening()
    done = mirror().expect(1)
    assert "what is mirrored stays as it is" in done.words
    assert mirror.state() == before


def test_a_second_run_at_once_is_refused_and_a_killed_one_is_not_in_the_way(
    mirror: Mirrored,
) -> None:
    mirror.run()
    lock = FileLock(mirror.cli.cache / "mirror.lock")
    assert lock.acquire()
    assert "another run is mirroring" in mirror().expect(1).words
    lock.release()
    mirror.run()


def test_of_two_runs_at_once_one_is_refused_and_the_other_completes(mirror: Mirrored) -> None:
    with mirror.upstream.hang(path="/simple/"):
        runs = [_start(mirror) for _ in range(2)]
        wait_until(lambda: any(run.poll() is not None for run in runs), 60, "none is refused")
        refused, other = sorted(runs, key=lambda run: run.poll() is None)
        assert other.poll() is None
    said = refused.communicate(timeout=300)[1]
    assert refused.returncode == 1
    assert "another run is mirroring" in " ".join(said.split())
    other.communicate(timeout=300)
    assert other.returncode == 0
    assert len(mirror.state()["files"]) == 14


def test_a_full_disk_is_said_and_gone_on_from(mirror: Mirrored, mount: Callable[..., Path]) -> None:
    disk = mount()
    mirror.cli.environ["INDEXFALLBACK_CACHE_DIR"] = str(disk / "cache")
    mirror.cli.cache = disk / "cache"
    for number in range(3):
        mirror.upstream.add(wheel("large", f"1.{number}", size=100_000))
    mirror.run("--dry-run")
    filler = disk / "filler"
    filler.write_bytes(bytes(550_000))
    assert "free space and run again" in mirror().expect(1).words
    filler.unlink()
    mirror.run()
    assert len(mirror.state()["files"]) == 17


def test_verify_mends_what_is_wrong_and_what_is_missing(
    mirror: Mirrored, upstream: FakeIndex
) -> None:
    mirror.run()
    store = mirror.open()
    store.blobs.path(wheel("other", "1.0").sha256).write_bytes(b"wrong")
    store.blobs.path(wheel("acme-app", "1.0").sha256).unlink()
    store.close()
    found = mirror("verify", "--json").expect().json
    assert (found["files"], found["wrong"], found["lost"]) == (14, 2, [])
    assert len(mirror.state()["files"]) == 14


def test_verify_names_what_cannot_be_mended(mirror: Mirrored) -> None:
    mirror.configure(projects=["*"], on_removed="keep")
    mirror.run()
    gone = wheel("acme-app", "1.0")
    mirror.upstream.remove(gone.filename)
    mirror.run()
    store = mirror.open()
    store.blobs.path(gone.sha256).unlink()
    store.close()
    done = mirror("verify").expect(1)
    assert f"{gone.filename} is lost" in done.words
