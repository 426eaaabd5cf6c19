"""A file is offered once it is complete: settled or renamed, and not truncated."""

import os
import threading
import time
from pathlib import Path

import pytest

from indexfallback.dists.whole import SETTLED
from indexfallback.outcome import Kind
from tests.fakes import Dist, flat_directory, sdist
from tests.serving import wait_until
from tests.upstream.conftest import within
from tests.upstream.directories import NEWER, SECONDS, Open, filenames, outcome, skipped


@pytest.mark.parametrize("dist", [NEWER, sdist("acme-app", "2.0", size=5000)])
@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.99])
def test_a_truncated_file_is_not_offered_until_it_is_complete(
    directory: Open, wheels: Path, dist: Dist, share: float
) -> None:
    index = directory(wheels)
    cut = dist.data[: int(len(dist.data) * share)]
    flat_directory(wheels, [Dist("acme-app", "2.0", dist.filename, cut, b"")])
    assert dist.filename not in filenames(index)
    assert skipped(index) == {dist.filename: "is truncated"}
    assert "is truncated" in str(outcome(index))
    flat_directory(wheels, [dist])
    wait_until(lambda: dist.filename in filenames(index), SECONDS, "the whole file is not seen")
    assert skipped(index) == {}


def test_a_file_that_is_written_to_is_not_offered(directory: Open, wheels: Path) -> None:
    index = directory(wheels)
    stop = threading.Event()
    seen = []

    def write() -> None:
        with (wheels / "acme_app-2.0.tar.gz").open("wb", buffering=0) as file:
            while not stop.wait(0.01):
                file.write(b"not an archive, so that nothing tells but the time")

    writer = threading.Thread(target=write)
    writer.start()
    try:
        wait_until((wheels / "acme_app-2.0.tar.gz").exists, SECONDS, "no file")
        ends = time.monotonic() + 1.0
        while time.monotonic() < ends:
            written = (wheels / "acme_app-2.0.tar.gz").stat().st_mtime
            listed = "acme_app-2.0.tar.gz" in filenames(index)
            # A writer that a busy machine has held up for so long looks like one that is done.
            seen.append(listed and time.time() - written < SETTLED)
    finally:
        stop.set()
        writer.join()
    assert not any(seen)
    wait_until(lambda: "acme_app-2.0.tar.gz" in filenames(index), SECONDS, "it is not seen")


@pytest.mark.skipif(os.name != "posix", reason="elsewhere nothing tells of a rename")
def test_a_file_that_arrives_by_rename_is_offered_at_once(directory: Open, wheels: Path) -> None:
    index = directory(wheels)
    part = wheels / "upload.part"
    part.write_bytes(NEWER.data)
    written = part.stat().st_mtime_ns
    wait_until(lambda: time.time_ns() - written > 50 * 10**6, SECONDS, "the clock stands")
    part.rename(wheels / NEWER.filename)
    assert NEWER.filename in filenames(index)


def test_a_project_whose_only_file_is_not_ready_is_not_absent(
    directory: Open, tmp_path: Path
) -> None:
    cut = Dist("acme-app", "2.0", NEWER.filename, NEWER.data[:100], b"")
    index = directory(flat_directory(tmp_path / "w", [cut]))
    assert outcome(index).kind is Kind.LOCAL
    assert NEWER.filename in str(outcome(index))
    assert index.names(within()).names == ("acme-app",)
