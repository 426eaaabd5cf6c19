"""Uploads to a full disk, without hard links, and after a process was killed during an upload."""

import errno
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from indexfallback.hosted.receiving import receiving
from tests.conftest import Serve
from tests.fakes import wheel
from tests.hosted.conftest import SECONDS, Hosted
from tests.serving import fill, index_table, wait_until

LIB = wheel("acme-lib", "1.0", size=100_000)
#: Much more than a server reads at once.
BIG = wheel("acme-lib", "1.0", size=2_000_000)


def test_on_a_full_disk_an_upload_says_so_leaves_nothing_and_works_once_there_is_space(
    mount: Callable[..., Path], served: Serve, tmp_path: Path
) -> None:
    packages, directory = mount(), tmp_path / "served"
    table = index_table("local", packages.as_uri(), role="private", upload=True)
    hosted = Hosted(directory, packages, partial(served, table, directory=directory))
    full = fill(packages)
    answer = hosted.upload(LIB)
    assert answer.status_code == 507
    assert "No space left" in answer.json()["detail"]
    assert hosted.lying() == [full.name]
    full.unlink()
    assert hosted.upload(LIB).status_code == 200


def test_what_a_killed_process_left_is_never_offered_and_removed_by_the_next_upload(
    hosted: Hosted,
) -> None:
    with hosted.uploading(BIG, 0.9):
        wait_until(lambda: _is_arriving(hosted.packages), SECONDS, "nothing arrives")
        hosted.served.process.kill()
        hosted.served.process.wait()
    (left,) = hosted.lying()
    hosted.start()
    assert hosted.listed("acme-lib") == ["acme_lib-99.0-py3-none-any.whl"]
    assert hosted.upload(LIB).status_code == 200
    assert hosted.lying() == [LIB.filename]
    assert left != LIB.filename


def _is_arriving(packages: Path) -> bool:
    return any(path.stat().st_size for path in packages.iterdir())


@pytest.mark.parametrize("error", [errno.EPERM, errno.EOPNOTSUPP])
def test_a_file_system_without_hard_links_takes_uploads_too_and_overwrites_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: int
) -> None:
    def link(*_: object) -> None:
        raise OSError(error, os.strerror(error))

    monkeypatch.setattr("os.link", link)
    with receiving(tmp_path) as incoming:
        incoming.write(b"first")
        placed = incoming.place(LIB.filename)
    with receiving(tmp_path) as incoming:
        incoming.write(b"second")
        with pytest.raises(FileExistsError):
            incoming.place(LIB.filename)
    assert list(tmp_path.iterdir()) == [placed]
    assert placed.read_bytes() == b"first"
