"""The statements of each shell that set and unset variables, or evaluate a command's output."""

import os
import shlex
from collections.abc import Mapping
from pathlib import PurePath

from indexfallback.clients.environment import Changes

#: Shell to the statement that evaluates the output of a command.
EVALUATED = {
    "bash": 'eval "$({command})"',
    "fish": "{command} | source",
    "powershell": "{command} | Out-String | Invoke-Expression",
}
#: PowerShell accepts each of these as a single quote.
_POWERSHELL_QUOTES = "'\u2018\u2019\u201a\u201b"


def shell_of(environ: Mapping[str, str]) -> str:
    """Return the user's shell; ``bash`` for all shells with its syntax: sh, zsh, ksh."""
    if os.name == "nt":
        return "powershell"
    return {"fish": "fish", "pwsh": "powershell"}.get(
        PurePath(environ.get("SHELL", "")).name, "bash"
    )


def statements(shell: str, changes: Changes) -> str:
    """Return the statements that set and unset variables in a shell, one per line."""
    set_it, unset_it = {
        "bash": (_bash_set, "unset {0};"),
        "fish": (_fish_set, "set -e {0};"),
        "powershell": (_powershell_set, "Remove-Item Env:{0} -ErrorAction SilentlyContinue;"),
    }[shell]
    return "".join(
        f"{unset_it.format(name) if value is None else set_it(name, value)}\n"
        for name, value in changes.items()
    )


def _bash_set(name: str, value: str) -> str:
    return f"export {name}={shlex.quote(value)};"


def _fish_set(name: str, value: str) -> str:
    quoted = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"set -gx {name} '{quoted}';"


def _powershell_set(name: str, value: str) -> str:
    quoted = "".join(c * 2 if c in _POWERSHELL_QUOTES else c for c in value)
    return f"$env:{name} = '{quoted}';"
