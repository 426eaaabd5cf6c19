"""The private directory of a tunnel is gone with it."""

import os
import stat
from pathlib import Path

import pytest

from indexfallback.errors import TunnelError
from indexfallback.store.locks import FileLock
from indexfallback.tunnel.directory import base_directory, private_directory


def test_it_is_private_and_removed_at_the_end(tmp_path: Path) -> None:
    base = tmp_path / "base"
    with private_directory(base) as path:
        (path / "file").touch()
        for directory in (base, path):
            assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    assert [each.name for each in base.iterdir()] == ["lock"]


def test_tunnels_keep_them_in_the_users_state_directory() -> None:
    with base_directory() as base:
        assert base == Path(os.environ["XDG_STATE_HOME"]) / "indexfallback" / "tunnel"


def test_with_a_read_only_home_they_are_in_a_temporary_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    with base_directory() as base, private_directory(base) as path:
        assert stat.S_IMODE(path.stat().st_mode) == 0o700
    assert not base.exists()


def test_it_is_removed_after_an_error(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), private_directory(tmp_path) as path:
        raise ZeroDivisionError
    assert not path.exists()


def test_what_a_killed_tunnel_left_is_removed_by_the_next_one(tmp_path: Path) -> None:
    left = tmp_path / "run-left"
    left.mkdir()
    (left / "ca-bundle.pem").touch()
    (left / "lock").touch()
    with private_directory(tmp_path) as path:
        assert path.is_dir()
        assert not left.exists()


def test_the_directory_of_a_running_tunnel_stays(tmp_path: Path) -> None:
    with private_directory(tmp_path) as first:
        (first / "file").touch()
        with private_directory(tmp_path) as second:
            assert (first / "file").exists()
        assert first.exists()
        assert not second.exists()


def test_other_files_beside_it_stay(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "run-file").touch()
    with private_directory(tmp_path):
        pass
    assert sorted(each.name for each in tmp_path.iterdir()) == ["lock", "other", "run-file"]


def test_a_lock_that_is_held_for_too_long_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("indexfallback.tunnel.directory._LOCK_SECONDS", 0.05)
    held = FileLock(tmp_path / "lock")
    assert held.acquire()
    with pytest.raises(TunnelError, match="another process holds"), private_directory(tmp_path):
        pass
    held.release()


@pytest.mark.skipif(os.name == "nt", reason="a file stands in the way of no directory there")
def test_a_place_that_cannot_be_written_is_an_error_with_a_remedy(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(TunnelError, match="XDG_STATE_HOME"), private_directory(tmp_path / "file/x"):
        pass
