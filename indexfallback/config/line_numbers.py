"""Line numbers of the tables and keys of a TOML document, which ``tomllib`` does not report.

The document must be valid. A statement ends at a line end outside of brackets and strings;
``tomllib`` parses its key.
"""

import re
import sys
from collections.abc import Iterator
from typing import Any

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

#: Tables and a key: ``("index", 0, "name")``, with the number of the entry in ``[[index]]``.
Path = tuple[str | int, ...]

#: A multi-line string may have up to two quotes before the three that close it.
_PART = re.compile(
    r'"""(?:\\.|[^\\])*?"""(?:"{0,2})'
    r"|'''.*?'''(?:'{0,2})"
    r'|"(?:\\.|[^"\\\n])*"'
    r"|'[^'\n]*'"
    r"|\#[^\n]*"
    r"|[\[\]{}=\n]"
    r"|[^\[\]{}=\n\"'\#]+",
    re.DOTALL,
)


class LineNumbers:
    """The line of each path in a valid document."""

    def __init__(self, text: str) -> None:
        self._lines: dict[Path, int] = {}
        self._entries: dict[Path, int] = {}
        table: Path = ()
        for line, parts in _statements(text):
            if parts[0] == "[":
                table = self._header(parts)
                self._lines.setdefault(table, line)
            else:
                keys = _keys("".join(parts[: parts.index("=")]))
                self._lines.setdefault(table + keys, line)

    def __getitem__(self, path: Path) -> int:
        """Return the line of ``path``, or of the innermost table around it."""
        while path and path not in self._lines:
            path = path[:-1]
        return self._lines.get(path, 1)

    def _header(self, parts: list[str]) -> Path:
        """Return the path that ``[table]`` or the next ``[[entry]]`` opens."""
        keys = _keys("".join(part for part in parts if part not in ("[", "]")))
        if parts[1] != "[":
            return self._resolve(keys)
        path = self._resolve(keys[:-1]) + keys[-1:]
        self._entries[path] = self._entries.get(path, -1) + 1
        return (*path, self._entries[path])

    def _resolve(self, keys: Path) -> Path:
        """Insert the numbers of the current entries: ``index.x`` -> ``index.0.x``."""
        path: Path = ()
        for key in keys:
            path = (*path, key)
            if path in self._entries:
                path = (*path, self._entries[path])
        return path


def _statements(text: str) -> Iterator[tuple[int, list[str]]]:
    """Yield each header and each ``key = value`` with its first line, without comments."""
    line = start = 1
    depth = 0
    parts: list[str] = []
    for part in _PART.findall(text + "\n"):
        if part == "\n" and not depth and parts:
            yield start, parts
            parts = []
        elif part.strip() and not part.startswith("#"):
            start = start if parts else line
            parts.append(part.strip())
            depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(part, 0)
        line += part.count("\n")


def _keys(text: str) -> Path:
    """Return the parts of a key, which may be dotted and quoted."""
    keys: list[str] = []
    value: Any = tomllib.loads(f"{text} = 0")
    while isinstance(value, dict):
        ((key, value),) = value.items()
        keys.append(key)
    return tuple(keys)
