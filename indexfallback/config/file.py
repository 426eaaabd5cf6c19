"""The configuration file: reads TOML into values, and records the line of each."""

import json
import re
import sys
from collections.abc import Collection, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from indexfallback.config.address import redact_text
from indexfallback.config.chain import Entry
from indexfallback.config.keys import INDEX_KEYS, TABLES
from indexfallback.config.line_numbers import LineNumbers
from indexfallback.config.units import InvalidValueError
from indexfallback.config.values import Reader, suggest
from indexfallback.errors import ConfigError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


class ConfigFile(NamedTuple):
    """The content of one file."""

    #: Value of each setting: ``cache.fresh``.
    values: dict[str, Any]
    #: Origin of each setting: ``/path/config.toml:14``.
    origins: dict[str, str]
    entries: tuple[Entry, ...]


def read_config_file(path: Path) -> ConfigFile:
    """Read the file at ``path``, an absolute path.

    Raises:
        ConfigError: it cannot be read, is not TOML, or has an unknown key or an invalid value.

    """
    text = _read(path)
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _syntax_error(path, text, error) from error
    return _DocumentReader(path, document, LineNumbers(text)).file()


def valid_values(path: Path, keys: Collection[str]) -> dict[str, Any]:
    """Return those of some settings that are valid, whatever else is wrong in the file."""
    try:
        document = tomllib.loads(_read(path))
    except (ConfigError, tomllib.TOMLDecodeError):  # `read_config_file` reports it
        return {}
    values = {}
    for key in keys:
        name, _, own = key.partition(".")
        table = document.get(name)
        if isinstance(table, dict) and own in table:
            with suppress(InvalidValueError):  # the same
                values[key] = TABLES[name][own](table[own], path.parent)
    return values


def show_value(key: str, value: object) -> str:
    """Return ``key = value`` as in the file, without secrets."""
    if isinstance(value, str):
        value = redact_text(value) if key == "url" or "://" in value else value
        return f"{key} = {json.dumps(value, ensure_ascii=False)}"
    if isinstance(value, list):
        return f"{key} = [...]"
    if isinstance(value, dict):
        return f"{key} = {{...}}"
    return f"{key} = {str(value).lower() if isinstance(value, bool) else value}"


class _DocumentReader:
    """Reads one document."""

    def __init__(self, path: Path, document: dict[str, Any], lines: LineNumbers) -> None:
        self._path = path
        self._document = document
        self._lines = lines

    def file(self) -> ConfigFile:
        """Read everything."""
        values: dict[str, Any] = {}
        origins: dict[str, str] = {}
        for name, table in self._document.items():
            if name == "index":
                continue
            if name not in TABLES:
                raise self._unknown_table(name, table)
            if not isinstance(table, dict):
                raise ConfigError(
                    self._origin(name), f'"{name}" is not a table', f"write [{name}] above its keys"
                )
            read = self._table(f"[{name}]", (name,), table, TABLES[name])
            values |= {f"{name}.{key}": value for key, value in read.items()}
            origins |= {f"{name}.{key}": self._origin(name, key) for key in read}
        return ConfigFile(values, origins, self._entries())

    def _entries(self) -> tuple[Entry, ...]:
        tables = self._document.get("index", [])
        if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
            raise ConfigError(
                self._origin("index"), '"index" is not a list of tables', "write [[index]]"
            )
        return tuple(self._entry(number, table) for number, table in enumerate(tables))

    def _entry(self, number: int, table: dict[str, Any]) -> Entry:
        name = table.get("name")
        label = (
            f"index {json.dumps(name)}"
            if isinstance(name, str)
            else f"[[index]] number {number + 1}"
        )
        path = ("index", number)
        return Entry(
            label=label,
            values=self._table(label, path, table, INDEX_KEYS),
            origins={key: self._origin(*path, key) for key in table},
            origin=self._origin(*path),
            base=self._path.parent,
        )

    def _table(
        self,
        label: str,
        path: tuple[str | int, ...],
        table: Mapping[str, object],
        readers: Mapping[str, Reader],
    ) -> dict[str, Any]:
        """Read the keys of one table."""
        read = {}
        for key, value in table.items():
            if key not in readers:
                raise ConfigError(
                    self._origin(*path, key),
                    f'{label}: unknown key "{key}"',
                    _key_remedy(key, tuple(readers)),
                )
            try:
                read[key] = readers[key](value, self._path.parent)
            except InvalidValueError as error:
                raise ConfigError(
                    self._origin(*path, key),
                    f"{label}: {show_value(key, value)} {error.problem}",
                    error.remedy,
                ) from error
        return read

    def _unknown_table(self, name: str, value: object) -> ConfigError:
        known = (*TABLES, "index")
        if not isinstance(value, (dict, list)):
            return ConfigError(
                self._origin(name), f'unknown key "{name}" above all tables', _key_remedy(name, ())
            )
        return ConfigError(self._origin(name), f'unknown table "{name}"', suggest(name, known))

    def _origin(self, *path: str | int) -> str:
        return f"{self._path}:{self._lines[path]}"


def _key_remedy(key: str, known: tuple[str, ...]) -> str:
    if key in ("password", "token") and "password_env" in known:
        return (
            'put it into an environment variable, and write its name: password_env = "..."; '
            "or use keyring = true, or netrc"
        )
    homes = [f"[{table}]" for table, keys in TABLES.items() if key in keys]
    homes += ["[[index]]"] if key in INDEX_KEYS else []
    if homes:
        return f"it belongs in {' or '.join(homes)}"
    return suggest(key, known or ("[server]", "[cache]", "[limits]", "[[index]]"))


def _read(path: Path) -> str:
    try:
        # Some editors begin a file with a byte order mark, which TOML does not allow.
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigError(
            str(path), "the configuration is not UTF-8 text", "save it as UTF-8"
        ) from error
    except FileNotFoundError as error:
        raise ConfigError(
            str(path),
            "the configuration file does not exist",
            "correct the path, or write one with `indexfallback config init`",
        ) from error
    except OSError as error:
        raise ConfigError(
            str(path),
            f"the configuration cannot be read ({error.strerror})",
            "make it a file that you can read",
        ) from error


def _syntax_error(path: Path, text: str, error: tomllib.TOMLDecodeError) -> ConfigError:
    """Return the error with its line, which the parser puts into the message only."""
    message = str(error)
    match = re.fullmatch(r"(.*) \(at line (\d+), column (\d+)\)", message, re.DOTALL)
    if match:
        problem, line = f"{match[1]}, column {match[3]}", int(match[2])
    else:
        problem = message.removesuffix(" (at end of document)")
        line = max(1, len(text.splitlines()))
    return ConfigError(
        f"{path}:{line}",
        f"this is not TOML ({problem})",
        "correct this line; text needs quotes",
    )
