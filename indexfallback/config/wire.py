"""Settings as one line of JSON, passwords included: how a parent process passes them to a child."""

import os
from pathlib import Path
from typing import Any

import msgspec

from indexfallback.config import Settings
from indexfallback.errors import ConfigError


def encode_settings(settings: Settings) -> bytes:
    """Return the settings as one line, which ends in a line feed."""
    return msgspec.json.encode(settings, enc_hook=_path_text) + b"\n"


def decode_settings(line: bytes) -> Settings:
    """Return the settings in a line.

    Raises:
        ConfigError: the line is not valid, for example empty because the parent has ended.

    """
    try:
        return msgspec.json.decode(line, type=Settings, dec_hook=_typed)
    except msgspec.MsgspecError as error:
        raise ConfigError(
            "standard input", f"it has no settings ({error})", "this option is for `run` only"
        ) from error


def _path_text(value: Any) -> str:
    if isinstance(value, Path):
        return os.fsencode(value).decode("latin-1")  # a path may hold any bytes, JSON only text
    raise NotImplementedError(f"no setting is a {type(value).__name__}")


def _typed(kind: type, value: Any) -> Any:
    if kind is Path:
        return Path(os.fsdecode(value.encode("latin-1")))
    raise NotImplementedError(f"no setting is a {kind.__name__}")
