"""Loading of the settings: command line, environment, file and pip, in one place."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import platformdirs

from indexfallback.config import Index, Settings
from indexfallback.config.address import PYPI, is_at, shown
from indexfallback.config.chain import Chain, Entry, build_chain
from indexfallback.config.file import ConfigFile, read_config_file
from indexfallback.config.keys import FIELDS, directory, index_name, port, suggest
from indexfallback.config.mirror import Mirror
from indexfallback.config.naming import derive_names
from indexfallback.config.pip import PipConfig, PipIndex
from indexfallback.config.units import InvalidValueError
from indexfallback.errors import ConfigError

#: Variables that name a CA bundle besides pip's own, the strongest first, as in requests.
_CA_VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
#: Before the keys of the table.
_MIRROR = "mirror."
_TRUE = frozenset(("1", "true", "yes", "on"))
_FALSE = frozenset(("0", "false", "no", "off"))


class _Origin(NamedTuple):
    value: Any
    origin: str


def config_path(config: Path | None = None, environ: Mapping[str, str] = os.environ) -> Path:
    """Return where the configuration file is, or would be: never in the current directory."""
    chosen = config or environ.get("INDEXFALLBACK_CONFIG")
    if chosen:
        return Path(chosen).expanduser().absolute()
    return platformdirs.user_config_path("indexfallback") / "config.toml"


def load_settings(
    *,
    config: Path | None = None,
    indexes: Sequence[str] = (),
    entries: Sequence[Entry] = (),
    public: Entry | None = None,
    offline: bool = False,
    environ: Mapping[str, str] = os.environ,
) -> Settings:
    """Return the settings: of the command line, the environment, the file, pip, and defaults.

    ``indexes`` are ``NAME=URL`` and replace the chain, as ``entries`` do; ``public`` replaces
    its public part, unless it is in the chain already. ``environ`` holds the variables; where
    the user's directories and pip's files are is read from the process's environment.

    Raises:
        ConfigError: something is wrong with any of them.

    """
    path = config_path(config, environ)
    is_chosen = bool(config or environ.get("INDEXFALLBACK_CONFIG"))
    file = read_config_file(path) if is_chosen or path.exists() else ConfigFile({}, {}, ())
    found = {key: _Origin(value, file.origins[key]) for key, value in file.values.items()}
    found |= _from_environment(environ)
    if offline:
        found["offline"] = _Origin(value=True, origin="--offline")
    pip = PipConfig(environ)
    if bundle := _ca_bundle(pip, environ):
        found["ca_bundle"] = bundle

    _check_tls(found)

    own = {
        name: found[key].value if (key := f"server.{name}") in found else getattr(Settings, name)
        for name in ("host", "port")
    }
    if indexes:
        entries = [_command_line_entry(text) for text in indexes]
    chain = _chain(
        entries or file.entries or _named(_pip_indexes(pip, **own)), public, environ, own
    )
    mirror = _mirror(found, chain.indexes)
    values = {
        FIELDS.get(key, key): value
        for key, (value, _) in found.items()
        if not key.startswith(_MIRROR)
    }
    values.setdefault("cache_dir", platformdirs.user_cache_path("indexfallback"))
    origins = dict.fromkeys((*FIELDS, "offline", "ca_bundle"), "default")
    origins |= {key: origin for key, (_, origin) in found.items()}
    return Settings(indexes=chain.indexes, mirror=mirror, origins=origins | chain.origins, **values)


def pip_chain(environ: Mapping[str, str], *, host: str, port: int) -> Chain:
    """Return the chain that pip's configuration makes, whether it is the one in force or not.

    Raises:
        ConfigError: something is wrong with it.

    """
    found = _pip_indexes(PipConfig(environ), host=host, port=port)
    return chain_of(found, environ, host=host, port=port)


def chain_of(
    found: Sequence[PipIndex], environ: Mapping[str, str], *, host: str, port: int
) -> Chain:
    """Return the chain of indexes as clients name them: by address alone.

    Raises:
        ConfigError: an address is wrong, or one is there twice.

    """
    return build_chain(_named(found), environ, host=host, port=port)


def _from_environment(environ: Mapping[str, str]) -> dict[str, _Origin]:
    """Return what our own variables set; an empty one sets nothing."""
    found = {}
    for variable, key, read in (
        ("INDEXFALLBACK_CACHE_DIR", "cache.dir", lambda text: directory(text, Path.cwd())),
        ("INDEXFALLBACK_PORT", "server.port", _port),
        ("INDEXFALLBACK_OFFLINE", "offline", _flag),
    ):
        if text := environ.get(variable):
            try:
                found[key] = _Origin(read(text), variable)
            except InvalidValueError as error:
                raise ConfigError(variable, f'"{text}" {error.problem}', error.remedy) from error
    return found


def _check_tls(found: Mapping[str, _Origin]) -> None:
    for key, other in (("tls_cert", "tls_key"), ("tls_key", "tls_cert")):
        given = found.get(f"server.{key}")
        if given is not None and f"server.{other}" not in found:
            raise ConfigError(
                given.origin, f"[server]: {key} is set without {other}", f"name the {other} as well"
            )


def _mirror(found: Mapping[str, _Origin], indexes: Sequence[Index]) -> Mirror | None:
    """Return what is to be mirrored, of an index that can be."""
    keys = {key: found[key] for key in found if key.startswith(_MIRROR)}
    if not keys:
        return None
    names = tuple(index.name for index in indexes if not index.is_directory)
    origin = keys.get(f"{_MIRROR}index", next(iter(keys.values()))).origin
    if f"{_MIRROR}index" not in keys:
        raise ConfigError(
            origin, "[mirror]: says not of which index", f'add index = "...", {suggest("", names)}'
        )
    name = keys[f"{_MIRROR}index"].value
    if name not in names:
        kind = "a directory" if any(index.name == name for index in indexes) else "no index"
        problem = f'[mirror]: index = "{name}" names {kind}'
        raise ConfigError(origin, problem, suggest(name, names))
    return Mirror(**{key.removeprefix(_MIRROR): value for key, (value, _) in keys.items()})


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise InvalidValueError("is not a port", "set a number like 5503, or unset it")
    return port(int(text), Path())


def _flag(text: str) -> bool:
    if text.lower() not in _TRUE | _FALSE:
        raise InvalidValueError("is neither 1 nor 0", "set 1 or 0, or unset it")
    return text.lower() in _TRUE


def _ca_bundle(pip: PipConfig, environ: Mapping[str, str]) -> _Origin | None:
    """Return the CA bundle that pip would use, or None for the system's store."""
    found = None
    if cert := pip.get("cert"):
        found = _Origin(cert, "PIP_CERT" if environ.get("PIP_CERT") else "pip: cert")
    for variable in _CA_VARIABLES:
        if found is None and (value := environ.get(variable)):
            found = _Origin(value, variable)
    if found is None:
        return None
    path = Path(os.path.expanduser(found.value)).absolute()  # noqa: PTH111 - as pip: never fails
    if not path.exists():
        raise ConfigError(
            found.origin,
            f"the CA bundle {path} does not exist",
            "correct the path, or remove the setting to use the system's certificates",
        )
    return _Origin(path, found.origin)


def _chain(
    entries: Sequence[Entry],
    public: Entry | None,
    environ: Mapping[str, str],
    own: Mapping[str, Any],
) -> Chain:
    """Return the chain, with ``public`` in the place of the public indexes and their mirrors."""
    chain = build_chain(entries, environ, **own)
    if public is None:
        return chain
    (wanted,) = build_chain([public], environ, **own).indexes
    if any(index.url == wanted.url for index in chain.indexes):
        return chain
    private = {index.name for index in chain.indexes if index.is_private}
    kept = [entry for entry in entries if entry.values["name"] in private]
    return build_chain([*kept, public], environ, **own)


def _command_line_entry(text: str) -> Entry:
    name, separator, url = text.partition("=") if text != PYPI else (PYPI, "=", PYPI)
    if not separator or "://" in name:
        raise ConfigError(
            "--index",
            f'"{shown(text)}" has no name',
            "write NAME=URL, like private=https://packages.example.com/simple/",
        )
    try:
        index_name(name, Path())
    except InvalidValueError as error:
        raise ConfigError("--index", f'name = "{name}" {error.problem}', error.remedy) from error
    values = {"name": name, "url": url}
    return entry_of(values, "--index", Path.cwd())


def _pip_indexes(pip: PipConfig, *, host: str, port: int) -> tuple[PipIndex, ...]:
    # `setup pip` makes this shim pip's index: what is behind it must not be the shim again.
    return pip.indexes(lambda url: is_at(url, host, port))


def _named(found: Sequence[PipIndex]) -> list[Entry]:
    return [
        entry_of(
            {"name": name, "url": url, "role": "public" if public else "private"},
            origin,
            Path.cwd(),
        )
        for name, (url, origin, public) in zip(derive_names(found), found, strict=True)
    ]


def entry_of(values: Mapping[str, Any], origin: str, base: Path) -> Entry:
    """Return what one place, ``origin``, says of an index; its directory is relative to ``base``.

    ``values`` have at least a name.
    """
    return Entry(
        label=f'index "{values["name"]}"',
        values=values,
        origins=dict.fromkeys(values, origin),
        origin=origin,
        base=base,
    )
