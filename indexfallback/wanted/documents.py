"""Reads text, TOML and JSON files, and turns their errors into `WantedError`."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from indexfallback.errors import WantedError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

T = TypeVar("T")


def read_text(path: Path) -> str:
    """Return the text of a file; raises `WantedError` if it cannot be read."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        problem = f"it cannot be read ({error})"
        raise WantedError(str(path), problem, "correct that and run again") from None


def read_toml(path: Path, interpret: Callable[[dict[str, Any]], T], remedy: str) -> T:
    """Return what ``interpret`` makes of a TOML document.

    Raises `WantedError` with ``remedy`` if the file is not TOML, or has another shape.
    """
    return _interpreted(path, "TOML", tomllib.loads, interpret, remedy)


def read_json(path: Path, interpret: Callable[[dict[str, Any]], T], remedy: str) -> T:
    """Return what ``interpret`` makes of a JSON document; raises `WantedError` as `read_toml`."""
    return _interpreted(path, "JSON", json.loads, interpret, remedy)


def _interpreted(
    path: Path,
    kind: str,
    parse: Callable[[str], dict[str, Any]],
    interpret: Callable[[dict[str, Any]], T],
    remedy: str,
) -> T:
    text = read_text(path)
    try:
        document = parse(text)
    except (ValueError, RecursionError) as error:  # ValueError is the base of both parsers' errors
        raise WantedError(str(path), f"it is not {kind} ({error})", remedy) from None
    try:
        return interpret(document)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        said = " ".join(str(error).split())
        problem = f"it is not a valid {path.name} ({type(error).__name__}: {said})"
        raise WantedError(str(path), problem, remedy) from None
