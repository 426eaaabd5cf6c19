"""A directory behind a running shim."""

import os
from pathlib import Path

import pytest

from tests.cli.support import CommandLine
from tests.conftest import Serve
from tests.fakes import DirectoryTree, flat_directory, wheel
from tests.serving import index_table, wait_until

WHEEL = wheel("acme-app", "1.0")


@pytest.mark.skipif(os.name != "posix", reason="needs symbolic links and pipes")
def test_the_status_says_what_is_skipped_and_why(
    cli: CommandLine,
    served: Serve,
    tmp_path: Path,
) -> None:
    wheels = flat_directory(tmp_path / "wheels", [WHEEL])
    (wheels / "passwd-1.0-py3-none-any.whl").symlink_to("/etc/passwd")
    os.mkfifo(wheels / "pipe-1.0.tar.gz")
    shim = served(index_table("wheels", str(wheels), role="private"), directory=cli.directory)
    cli.use(shim)
    assert WHEEL.filename.encode() in shim.get("/simple/acme-app/").body
    assert shim.get("/simple/passwd/").status == 404
    assert shim.get("/simple/pipe/").status == 404
    (index,) = shim.json("/-/status")["indexes"]
    assert index["skipped"] == 2
    assert index["skipped_files"] == [
        {"path": "passwd-1.0-py3-none-any.whl", "reason": "a symbolic link out of the directory"},
        {"path": "pipe-1.0.tar.gz", "reason": "a pipe"},
    ]
    words = cli("status").expect().words
    assert "skipped 2 of wheels: passwd-1.0-py3-none-any.whl (a symbolic link out of" in words
    assert "pipe-1.0.tar.gz (a pipe)" in words


def test_a_new_file_is_served_without_a_restart(served: Serve, tmp_path: Path) -> None:
    wheels = flat_directory(tmp_path / "wheels", [WHEEL])
    shim = served(index_table("wheels", str(wheels), role="private"))
    assert shim.get("/simple/idna/").status == 404
    new = wheel("idna", "3.0")
    (wheels / "idna").mkdir()
    (wheels / "idna" / new.filename).write_bytes(new.data)
    wait_until(lambda: shim.get("/simple/idna/").status == 200, 10, "it is not seen")
    path = f"/files/wheels/idna.{new.sha256}/{new.filename}"
    assert shim.get(path).body == new.data
    assert b"idna" in shim.get("/simple/").body


def test_a_file_that_breaks_off_is_said_with_what_to_do(served: Serve, tmp_path: Path) -> None:
    wheels = flat_directory(tmp_path / "wheels", [WHEEL])
    table = index_table("wheels", str(wheels), role="private", projects=["acme-*"])
    (wheels / WHEEL.filename).write_bytes(WHEEL.data[:100])
    shim = served(table)

    def detail() -> str:
        answer = shim.get("/simple/acme-app/")
        assert answer.status == 503
        return str(answer.problem["detail"])

    wait_until(lambda: "is truncated" in detail(), 10, "it is still being written")
    assert "Put a whole file under its own name into the directory of wheels" in detail()
    (wheels / WHEEL.filename).write_bytes(WHEEL.data)
    wait_until(lambda: shim.get("/simple/acme-app/").status == 200, 10, "it is not seen")


def test_a_file_that_is_not_a_page_is_named_with_what_to_do(served: Serve, tmp_path: Path) -> None:
    DirectoryTree(tmp_path, [WHEEL, wheel("idna", "3.0")])
    broken = tmp_path / "simple" / "acme-app" / "index.html"
    broken.write_text("<form>log in</form>")
    shim = served(index_table("tree", str(tmp_path / "simple"), role="private"))
    answer = shim.get("/simple/acme-app/")
    words = " ".join(answer.body.decode().split())
    assert answer.status == 503
    assert f"{broken} is not a page of acme-app" in words
    assert "Write that page again, or remove it" in words
    assert "portal" not in words
    assert shim.get("/simple/idna/").status == 200
