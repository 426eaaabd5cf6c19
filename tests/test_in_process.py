"""A command in the process of the tests does what one in a process of its own does."""

import logging
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.in_process import ROOT, indexfallback
from tests.serving import clean_environment, index_table

_CHILD = "import sys; print(sys.stdin.read(), 'out'); print('err', file=sys.stderr)"


@pytest.mark.parametrize(
    "arguments",
    [
        ("config", "show"),
        ("cache", "--help"),
        ("status",),
        ("cache", "remove"),
        ("run", "-q", "--", sys.executable, "-c", _CHILD),
        ("--config", "absent.toml", "status"),
        ("init",),
    ],
    ids=" ".join,
)
def test_exit_code_and_output_are_the_same(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    (tmp_path / "config.toml").write_text(index_table("here", str(tmp_path)), encoding="utf-8")
    environ = clean_environment(tmp_path, INDEXFALLBACK_CONFIG=str(tmp_path / "config.toml"))
    there = subprocess.run(
        [sys.executable, "-m", "indexfallback", *arguments], check=False, env=environ, cwd=ROOT,
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    here = indexfallback(*arguments, environ=environ)
    assert here.returncode == there.returncode
    assert (here.stdout, here.stderr) == (there.stdout, there.stderr)
    assert here.stdout + here.stderr


def test_nothing_of_a_command_is_left(tmp_path: Path) -> None:
    def state() -> object:
        loggers = logging.getLogger(), logging.getLogger("indexfallback")
        return (
            [(each.handlers[:], each.filters[:], each.level, each.propagate) for each in loggers],
            dict(os.environ), Path.cwd(), sys.argv, sys.stdin, sys.stdout, sys.stderr,
            signal.getsignal(signal.SIGTERM), *map(os.fstat, range(3)),
        )  # fmt: skip

    environ = clean_environment(tmp_path)
    (tmp_path / "config.toml").write_text(
        index_table("here", str(tmp_path)) + '[mirror]\nindex = "here"\nprojects = ["*"]\n', "utf-8"
    )
    before = state()
    indexfallback("--config", str(tmp_path / "config.toml"), "mirror", environ=environ)
    indexfallback("why", "acme-app", "-vv", "--offline", environ=environ, directory=tmp_path)
    assert state() == before


def test_the_environment_of_the_tests_is_not_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INDEXFALLBACK_PORT", "no port")
    environ = clean_environment(tmp_path)
    assert indexfallback("config", "show", environ=environ).returncode == 0
    environ["INDEXFALLBACK_PORT"] = "no port"
    assert indexfallback("config", "show", environ=environ).returncode == 2
