"""The secret of a user: known to all of their processes, and to nobody else."""

import logging
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from indexfallback.store.secret import Secret, secret_file, user_secret
from indexfallback.store.tokens import PREFIX

posix = pytest.mark.skipif(os.name != "posix", reason="Windows has no permission bits")


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_a_secret_is_made_once_and_read_from_then_on() -> None:
    secret = user_secret()
    assert (len(secret.key), secret.is_kept) == (32, True)
    assert user_secret().key == secret.key
    assert sorted(path.name for path in secret_file().parent.iterdir()) == ["secret", "secret.lock"]


@posix
def test_only_the_user_can_read_the_file_and_its_directory() -> None:
    secret_file().parent.mkdir(mode=0o755)
    user_secret()
    assert (mode(secret_file()), mode(secret_file().parent)) == (0o600, 0o700)


def test_processes_that_make_it_at_once_have_the_same() -> None:
    code = "from indexfallback.store.secret import user_secret; print(user_secret().key.hex())"
    started = [
        subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    outputs = {process.communicate(timeout=60)[0].strip() for process in started}
    assert outputs == {user_secret().key.hex()}


def test_threads_that_make_it_at_once_have_the_same() -> None:
    with ThreadPoolExecutor(16) as pool:
        keys = {secret.key for secret in pool.map(lambda _: user_secret(), range(64))}
    assert keys == {user_secret().key}


@posix
def test_a_secret_that_others_could_read_is_replaced(caplog: pytest.LogCaptureFixture) -> None:
    before = user_secret().key
    secret_file().chmod(0o644)
    after = user_secret()
    assert after.key != before
    assert mode(secret_file()) == 0o600
    assert "other users could read it" in caplog.text


@pytest.mark.parametrize("text", [b"", b"00" * 31, b"00" * 33, b"zz" * 32, b"\xff" * 64])
def test_a_damaged_secret_is_replaced(text: bytes, caplog: pytest.LogCaptureFixture) -> None:
    before = user_secret().key
    secret_file().write_bytes(text)
    after = user_secret()
    assert (len(after.key), after.is_kept, after.key == before) == (32, True, False)
    assert "is damaged" in caplog.text


def test_what_a_killed_process_left_is_no_hindrance() -> None:
    secret_file().parent.mkdir()
    secret_file().with_suffix(".new").write_bytes(b"half")
    assert user_secret().is_kept


def test_where_none_can_be_kept_a_process_has_one_of_its_own_and_says_so_once(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    (tmp_path / "file").touch()
    caplog.set_level(logging.WARNING)
    secret = user_secret()
    assert not secret.is_kept
    assert user_secret().key == secret.key
    (record,) = caplog.records
    assert "a running shim is not recognised as yours" in record.getMessage()


@pytest.mark.skipif(not hasattr(os, "chown") or os.geteuid() != 0, reason="only root gives away")
def test_a_secret_that_another_user_has_put_there_is_not_used() -> None:
    user_secret()
    os.chown(secret_file(), 65534, 65534)
    assert not user_secret().is_kept


def test_a_digest_is_of_its_purpose_and_of_each_part() -> None:
    secret = Secret(bytes(32))
    asked: list[tuple[str | int, ...]] = [("b",), ("b", ""), (), ("c",), (1,), ("1",)]
    digests = {secret.digest("a", *each) for each in asked} | {secret.digest("ab")}
    assert len(digests) == len(asked) + 1
    assert secret.digest("a", "b") != Secret(bytes(31) + b"1").digest("a", "b")


def test_the_own_token_is_the_same_for_each_process_and_tells_nothing_of_the_secret() -> None:
    secret = Secret(bytes(32))
    assert secret.token == Secret(bytes(32)).token != Secret(bytes(31) + b"1").token
    assert secret.token.startswith(PREFIX)
    assert secret.token.removeprefix(PREFIX).replace("-", "").replace("_", "").isalnum()
