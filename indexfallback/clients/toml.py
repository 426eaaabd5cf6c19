"""Keys in TOML files (``uv.toml``, poetry's and pdm's ``config.toml``), edited purely."""

from collections.abc import MutableMapping
from typing import Any

import tomlkit
from tomlkit.exceptions import ParseError

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
    """Return what stands at a path of tables and a key, or None."""
    value: Any = document
    for key in path:
        if isinstance(key, int):
            value = value[key]
        else:
            value = value.get(key) if isinstance(value, MutableMapping) else None
    return value


def with_table(text: str, path: tuple[str, ...]) -> str:
    """Return the text with the table at ``path``, at its end if there was none."""
    document = parse(text)
    if not path or value_of(document, path) is not None:
        return text
    ended = text if text.endswith("\n") or not text else f"{text}\n"
    header = ".".join(tomlkit.key(key).as_string() for key in path)
    return f"{ended}\n[{header}]\n" if ended else f"[{header}]\n"


def with_value(text: str, path: Path, value: str) -> str:
    """Return the text with the key at ``path`` set; its table is there.

    The line is edited alone: written as a whole, a document with tables in several parts would
    get another order.
    """
    document = parse(text)
    if value_of(document, path) == value:
        return text
    lines = text.split("\n")
    number = LineNumbers(text)[path] - 1
    try:
        statement = tomlkit.parse(lines[number])
    except ParseError:  # it goes on in the next line
        statement = tomlkit.document()
    key = str(path[-1])
    if isinstance(statement.get(key), str):
        statement[key] = value
        lines[number] = tomlkit.dumps(statement)
    elif value_of(statement, path[:-1]) == {} and key not in value_of(document, path[:-1]):
        lines.insert(number + 1, tomlkit.dumps({key: value}).rstrip())
    else:
        value_of(document, path[:-1])[key] = value
        return tomlkit.dumps(document)
    return "\n".join(lines)


def tables(document: MutableMapping[str, Any], *path: str) -> list[MutableMapping[str, Any]]:
    """Return the tables of an array like ``[[index]]``, none if there is no such array."""
    found = value_of(document, path)
    items = found if isinstance(found, list) else []
    return [table for table in items if isinstance(table, MutableMapping)]
