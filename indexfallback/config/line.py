"""Settings on one line, secrets and all: how one process of ours hands them to another."""

import os
from pathlib import Path
from typing import Any

import msgspec

from indexfallback.config import Settings
from indexfallback.errors import ConfigError


def settings_line(settings: Settings) -> bytes:
    """Return the line, its end included."""
    return msgspec.json.encode(settings, enc_hook=_path_text) + b"\n"


def read_settings_line(line: bytes) -> Settings:
    """Return the settings.

    Raises:
        ConfigError: there are none, as when the other process has ended.

    """
    try:
        return msgspec.json.decode(line, type=Settings, dec_hook=_typed)
    except msgspec.MsgspecError as error:
        raise ConfigError(
            "standard input", f"it has no settings ({error})", "leave this option to `run`"
        ) from error


def _path_text(value: Any) -> str:
    if isinstance(value, Path):
        return os.fsencode(value).decode("latin-1")  # any bytes, which JSON's text need not be
    raise NotImplementedError(f"no setting is a {type(value).__name__}")


def _typed(kind: type, value: Any) -> Any:
    if kind is Path:
        return Path(os.fsdecode(value.encode("latin-1")))
    raise NotImplementedError(f"no setting is a {kind.__name__}")
