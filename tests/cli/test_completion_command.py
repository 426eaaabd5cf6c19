"""The command ``completion``, in real shells."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.support import COMMAND_SECONDS, CommandLine
from tests.in_process import ROOT

#: How each is asked for what may follow, once it has been told how.
ASK = {
    "bash": """
        eval "$(indexfallback completion bash)"
        COMP_WORDS=(indexfallback {0}); COMP_CWORD={1}
        _indexfallback_completion indexfallback
        printf "%s\\n" "${{COMPREPLY[@]}}"
    """,
    "fish": """
        indexfallback completion fish | source
        complete -C "indexfallback {0}"
    """,
    "zsh": """
        autoload -Uz compinit; compinit -u -D
        eval "$(indexfallback completion zsh)"
        (( $+_comps[indexfallback] )) || exit 1
        export COMP_WORDS="indexfallback {0}" COMP_CWORD={1}
        _INDEXFALLBACK_COMPLETE=zsh_complete indexfallback
    """,
}
#: Without the user's own files.
_PLAIN = {"bash": "--norc", "fish": "--no-config", "zsh": "-f"}


@pytest.fixture(params=ASK)
def shell(request: pytest.FixtureRequest, cli: CommandLine) -> str:
    name: str = request.param
    if shutil.which(name) is None:
        pytest.skip(f"{name} is not installed")
    directory = cli.directory / "bin"
    directory.mkdir()
    script = directory / "indexfallback"
    script.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m indexfallback "$@"\n', "utf-8")
    script.chmod(0o700)
    return name


def offered(cli: CommandLine, shell: str, *words: str) -> str:
    """Return what a shell offers for the last word."""
    environ = cli.environment()
    path = f"{cli.directory / 'bin'}:{environ['PATH']}"
    return subprocess.run(
        [shell, _PLAIN[shell], "-c", ASK[shell].format(" ".join(words), len(words))],
        env={**environ, "PATH": path, "PYTHONPATH": str(ROOT)}, cwd=Path(cli.directory),
        check=True, capture_output=True, text=True, timeout=COMMAND_SECONDS,
    ).stdout  # fmt: skip


def test_a_shell_completes_commands(cli: CommandLine, shell: str) -> None:
    found = offered(cli, shell, "ser").split()
    assert {"serve", "service"} <= set(found)
    assert "status" not in found


def test_a_shell_completes_options(cli: CommandLine, shell: str) -> None:
    found = offered(cli, shell, "config", "show", "--o")
    assert "--offline" in found
    assert "--json" not in found


def test_another_shell_is_wrong_usage(cli: CommandLine) -> None:
    assert "'bash', 'zsh', 'fish'" in cli("completion", "tcsh").expect(2).words
