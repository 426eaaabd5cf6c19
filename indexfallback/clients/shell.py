"""Reads and edits an environment variable in the start-up file of a shell; no I/O."""

import re
import shlex


def with_variable(text: str, name: str, value: str, *, fish: bool) -> str:
    """Return the text with the variable exported: in its place, or at the end."""
    word = shlex.quote(value)
    line = f"set --global --export {name} {word}" if fish else f"export {name}={word}"
    if found := list(_setting(name).finditer(text)):
        last = found[-1]
        return f"{text[: last.start()]}{line}{text[last.end() :]}"
    ended = text if text.endswith("\n") or not text else f"{text}\n"
    return f"{ended}{line}\n"


def value_of(text: str, name: str) -> str | None:
    """Return the value of the variable, or None; the last setting counts."""
    found = list(_setting(name).finditer(text))
    return found[-1]["value"].strip("\"'") if found else None


def _setting(name: str) -> re.Pattern[str]:
    return re.compile(
        rf"^[ \t]*(?:export\s+{name}=|set\s+(?:-\S+\s+)*{name}\s+)(?P<value>\S*)[^\n]*$",
        re.MULTILINE,
    )
