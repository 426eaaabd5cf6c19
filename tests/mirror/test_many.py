"""A run of so many files that more processes fetch them."""

import random
import subprocess
from collections.abc import Iterator

import psutil
import pytest

from tests.cli.conftest import cli  # noqa: F401 - a fixture
from tests.fakes import FakeIndex, wheel
from tests.fakes.provenance import provenance_of
from tests.mirror.support import Mirrored
from tests.serving import all_ended, wait_until


@pytest.fixture
def upstream() -> Iterator[FakeIndex]:
    """Return an index with 600 files."""
    dists = [wheel(f"p{number}", f"1.{minor}") for number in range(40) for minor in range(15)]
    with FakeIndex(dists) as index:
        index.serials = True
        yield index


def test_every_file_comes_and_its_provenance(mirror: Mirrored) -> None:
    first = wheel("p0", "1.0")
    mirror.upstream.attest(first, provenance_of(first))
    result = mirror.run()
    assert (result["files"], result["failed"]) == (600, {})
    assert len(mirror.state()["files"]) == 600
    assert mirror.provenance("p0") == {first.filename: provenance_of(first)}


@pytest.mark.parametrize("seed", range(2))
def test_a_tenth_of_all_requests_failing_at_random_leaves_nothing_out(
    mirror: Mirrored, seed: int
) -> None:
    with mirror.upstream.flake(random.Random(seed), 0.1):
        # One request in ten thousand fails as often as it is tried: the next run asks for it.
        assert any(mirror().code == 0 for _ in range(3))
    # The list of names, 40 pages and 600 files: what is more was asked for again.
    assert mirror.upstream.count() > 641
    assert len(mirror.state()["files"]) == 600
    assert mirror.run()["files"] == 0


def test_every_file_comes_with_the_login_of_its_link(mirror: Mirrored) -> None:
    mirror.upstream.ask_for("ci", "s3cret", path="/files/")
    host = f"127.0.0.1:{mirror.upstream.port}"
    mirror.upstream.files_url = f"http://ci:s3cret@{host}/files/"
    assert mirror.run()["files"] == 600


def test_a_file_that_fails_in_another_process_is_named(mirror: Mirrored) -> None:
    broken = wheel("p9", "1.14").filename
    mirror.upstream.fail(404, path=f"/files/{broken}")
    assert broken in mirror.run(code=1)["failed"]["p9"]
    assert len(mirror.state()["files"]) == 599


def test_no_process_outlives_a_run_that_is_killed(mirror: Mirrored) -> None:
    with mirror.upstream.delay(0.05, path="/files/"):
        run = subprocess.Popen(
            mirror.cli.arguments("mirror"), cwd=mirror.cli.cwd, env=mirror.cli.environment(),
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        process = psutil.Process(run.pid)
        wait_until(process.children, 60, "no more processes are started")
        workers = process.children()
        run.kill()
        run.wait()
        wait_until(lambda: all_ended(workers), 60, "a process is left")
    assert mirror.run()["failed"] == {}
    assert len(mirror.state()["files"]) == 600
