"""Uploads while the disk is full, and after a process was killed in the middle of one."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from tests.conftest import Serve
from tests.fakes import wheel
from tests.hosted.conftest import Hosted
from tests.serving import fill, index_table

LIB = wheel("acme-lib", "1.0", size=100_000)


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


def test_what_a_killed_process_left_is_removed_by_the_next_upload(hosted: Hosted) -> None:
    (hosted.packages / ".upload-0123").write_bytes(b"half")
    assert hosted.listed("acme-lib") == ["acme_lib-99.0-py3-none-any.whl"]
    assert hosted.upload(LIB).status_code == 200
    assert hosted.lying() == [LIB.filename]
