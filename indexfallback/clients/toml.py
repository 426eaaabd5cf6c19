"""Keys in TOML files (``uv.toml``, poetry's and pdm's ``config.toml``), edited purely."""

from collections.abc import MutableMapping, Sequence
from typing import Any

import tomlkit
from tomlkit.exceptions import ParseError

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


def value_of(document: MutableMapping[str, Any], path: Sequence[str]) -> Any:
    """Return what stands at a path of tables and a key, or None."""
    value: Any = document
    for key in path:
        value = value.get(key) if isinstance(value, MutableMapping) else None
    return value


def with_table(text: str, path: Sequence[str]) -> str:
    """Return the text with the table at ``path``, at its end if there was none."""
    document = parse(text)
    if not path or value_of(document, path) is not None:
        return text
    ended = text if text.endswith("\n") or not text else f"{text}\n"
    header = ".".join(tomlkit.key(key).as_string() for key in path)
    return f"{ended}\n[{header}]\n" if ended else f"[{header}]\n"


def with_value(text: str, path: Sequence[str], value: Any) -> str:
    """Return the text with the key at ``path`` set; its table is there."""
    document = parse(text)
    table = value_of(document, path[:-1])
    if table.get(path[-1]) == value:
        return text
    table[path[-1]] = value
    return tomlkit.dumps(document)


def tables(document: MutableMapping[str, Any], *path: str) -> list[MutableMapping[str, Any]]:
    """Return the tables of an array like ``[[index]]``, none if there is no such array."""
    found = value_of(document, path)
    items = found if isinstance(found, list) else []
    return [table for table in items if isinstance(table, MutableMapping)]
