"""The commands that the README shows are run as they stand there."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def commands(marker: str) -> list[str]:
    """Return the lines of the block behind ``<!-- marker -->``."""
    found = re.search(rf"<!-- {marker} -->\n```sh\n(.*?)```", README, re.DOTALL)
    assert found is not None, marker
    return found[1].splitlines()


@pytest.fixture
def home(tmp_path: Path) -> dict[str, str]:
    """Return the environment of a user with an empty home and the command installed."""
    return {
        "HOME": str(tmp_path),
        "PATH": os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"])),
    }


def test_the_commands_to_try_succeed_in_their_order(home: dict[str, str]) -> None:
    succeed("try", {**home, "PIP_CONFIG_FILE": os.devnull})


def test_the_commands_that_set_up_succeed_and_leave_nothing_behind(home: dict[str, str]) -> None:
    succeed("set up", home)
    assert not [path for path in Path(home["HOME"]).rglob("*") if path.name == "pip.conf"]


def succeed(marker: str, home: dict[str, str]) -> None:
    """Run the commands of a block."""
    for command in commands(marker):
        done = subprocess.run(
            command,
            shell=True,
            check=False,
            env=home,
            cwd=home["HOME"],
            capture_output=True,
            timeout=60,
        )
        assert done.returncode == 0, (command, done)


def test_both_first_commands_begin_with_an_environment_of_their_own() -> None:
    for marker in ("main job", "tests"):
        (command,) = commands(marker)
        assert command.startswith("python3 -m venv .venv && .venv/bin/pip install ")


def test_every_command_is_in_the_table_of_commands() -> None:
    listed = subprocess.run(
        [sys.executable, "-m", "indexfallback", "--help"],
        capture_output=True, text=True, check=True, timeout=60,
    ).stdout  # fmt: skip
    names = re.findall(r"^  ([a-z]+) ", listed.partition("Commands:")[2], re.MULTILINE)
    table = README.partition("## Commands")[2].partition("## ")[0]
    missing = [name for name in names if f"| `{name}" not in table]
    assert names
    assert missing == []
