"""Our environment variables, and the settings that can be read though others are wrong."""

import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import platformdirs

from indexfallback.config import Settings
from indexfallback.config.file import valid_values
from indexfallback.config.keys import FIELDS
from indexfallback.config.rules import Setting
from indexfallback.config.units import InvalidValueError
from indexfallback.config.values import directory, port
from indexfallback.errors import ConfigError

_TRUE = frozenset(("1", "true", "yes", "on"))
_FALSE = frozenset(("0", "false", "no", "off"))
#: Settings that say where the shim and its cache are.
_PLACES = (
    "server.host", "server.port", "server.tls_cert", "server.tls_key", "server.base_path",
    "cache.dir", "cache.max_size",
)  # fmt: skip


def from_environment(environ: Mapping[str, str]) -> dict[str, Setting]:
    """Return the settings of our environment variables; an empty one sets nothing.

    Raises:
        ConfigError: a value is not valid.

    """
    found = {}
    for variable, (key, read) in _VARIABLES.items():
        if text := environ.get(variable):
            try:
                found[key] = Setting(read(text), variable)
            except InvalidValueError as error:
                raise ConfigError(variable, f'"{text}" {error.problem}', error.remedy) from error
    return found


def readable_settings(path: Path, environ: Mapping[str, str] = os.environ) -> Settings:
    """Return address and cache as far as they can be read though another setting is wrong.

    ``path`` is that of the configuration file. All else is as by default, without an index.
    """
    values: dict[str, Any] = {"cache_dir": platformdirs.user_cache_path("indexfallback")}
    values |= {FIELDS[key]: value for key, value in valid_values(path, _PLACES).items()}
    for variable in _VARIABLES:
        with suppress(ConfigError):  # then the file's or the default is used
            found = from_environment({variable: environ.get(variable, "")})
            values |= {FIELDS.get(key, key): given.value for key, given in found.items()}
    return Settings(indexes=(), **values)


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise InvalidValueError("is not a port", "set a number like 5503, or unset it")
    return port(int(text), Path())


def _flag(text: str) -> bool:
    if text.lower() not in _TRUE | _FALSE:
        raise InvalidValueError("is neither 1 nor 0", "set 1 or 0, or unset it")
    return text.lower() in _TRUE


#: The setting of each variable, and the reader of its value.
_VARIABLES: dict[str, tuple[str, Callable[[str], Any]]] = {
    "INDEXFALLBACK_CACHE_DIR": ("cache.dir", lambda text: directory(text, Path.cwd())),
    "INDEXFALLBACK_PORT": ("server.port", _port),
    "INDEXFALLBACK_OFFLINE": ("offline", _flag),
}
