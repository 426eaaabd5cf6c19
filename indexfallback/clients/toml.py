"""Reads and edits keys in TOML files (``uv.toml``, ``config.toml`` of poetry and pdm); no I/O."""

from collections.abc import MutableMapping
from typing import Any

import tomlkit
from tomlkit.exceptions import ParseError

from indexfallback.clients.ini import with_paragraph
from indexfallback.config.line_numbers import LineNumbers, Path
from indexfallback.config.units import InvalidValueError


def parse(text: str) -> tomlkit.TOMLDocument:
    """Return the document.

    Raises:
        InvalidValueError: it is not TOML.

    """
    try:
        return tomlkit.parse(text)
    except ParseError as error:
        raise InvalidValueError(f"is not TOML ({error})", "correct this line") from error


def value_of(document: MutableMapping[str, Any], path: Path) -> Any:
    """Return the value at a path of tables and a key, or None."""
    value: Any = document
    for key in path:
        if isinstance(key, int):
            value = value[key]
        else:
            value = value.get(key) if isinstance(value, MutableMapping) else None
    return value


def with_table(text: str, path: tuple[str, ...]) -> str:
    """Return the text with the table at ``path``; a new one is added at the end."""
    document = parse(text)
    if not path or value_of(document, path) is not None:
        return text
    header = ".".join(tomlkit.key(key).as_string() for key in path)
    return with_paragraph(text, f"[{header}]\n")


def with_value(text: str, path: Path, value: str | int) -> str:
    """Return the text with the key at ``path`` set; its table exists.

    Only the line is edited: if tomlkit wrote the whole document, a table in several parts would
    be reordered.
    """
    document = parse(text)
    if value_of(document, path) == value:
        return text
    lines = text.split("\n")
    number = LineNumbers(text)[path] - 1
    try:
        statement = tomlkit.parse(lines[number])
    except ParseError:  # the value continues in the next line
        statement = tomlkit.document()
    key = str(path[-1])
    if isinstance(statement.get(key), type(value)):
        statement[key] = value
        lines[number] = tomlkit.dumps(statement)
    elif value_of(statement, path[:-1]) == {} and key not in value_of(document, path[:-1]):
        lines.insert(number + 1, tomlkit.dumps({key: value}).rstrip())
    else:
        value_of(document, path[:-1])[key] = value
        return tomlkit.dumps(document)
    return "\n".join(lines)


def tables(document: MutableMapping[str, Any], *path: str) -> list[MutableMapping[str, Any]]:
    """Return the tables of an array like ``[[index]]``; empty if the array does not exist."""
    found = value_of(document, path)
    items = found if isinstance(found, list) else []
    return [table for table in items if isinstance(table, MutableMapping)]
