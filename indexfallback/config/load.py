"""Loads the settings from the command line, the environment, the configuration file and pip."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import platformdirs

from indexfallback.config import Settings
from indexfallback.config.address import PYPI, is_at, redact_text
from indexfallback.config.basic import from_environment
from indexfallback.config.chain import Chain, Entry, beside_chain, build_chain
from indexfallback.config.file import ConfigFile, read_config_file
from indexfallback.config.keys import FIELDS
from indexfallback.config.naming import derive_names
from indexfallback.config.pip import PipConfig, PipIndex
from indexfallback.config.rules import (
    MIRROR,
    Setting,
    check_client,
    check_readers,
    check_tls,
    endpoint_of,
    mirror_of,
    why_private,
    with_endpoint,
)
from indexfallback.config.units import InvalidValueError
from indexfallback.config.values import index_name
from indexfallback.errors import ConfigError

#: Environment variables with a CA bundle, in the order of requests; pip's own come first.
_CA_VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")


class _Server(NamedTuple):
    """The address of the shim, which cannot be one of its indexes."""

    host: str
    port: int

    def is_at(self, url: str) -> bool:
        return is_at(url, self.host, self.port)


def config_path(config: Path | None = None, environ: Mapping[str, str] = os.environ) -> Path:
    """Return the path of the configuration file, which may not exist."""
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
    beside: Sequence[Entry] = (),
    offline: bool = False,
    environ: Mapping[str, str] = os.environ,
) -> Settings:
    """Return the settings of the command line, the environment, the file, pip, and defaults.

    ``indexes`` (``NAME=URL``) and ``entries`` replace the chain. ``public`` replaces the public
    indexes and their mirrors, unless it is in the chain. ``beside`` are indexes that are not in the
    chain (`Settings.beside`): one that is in the chain is left out, and so is a second one at the
    same address. ``environ`` has the environment variables, except those that say where the user's
    directories and pip's files are.

    Raises:
        ConfigError: one of the settings is not valid.

    """
    path = config_path(config, environ)
    is_chosen = bool(config or environ.get("INDEXFALLBACK_CONFIG"))
    file = read_config_file(path) if is_chosen or path.exists() else ConfigFile({}, {}, ())
    pip = PipConfig(environ)
    found = _settings(file, pip, environ, offline=offline)
    check_tls(found)
    check_readers(found)
    server = _server(found)
    if indexes:
        entries = [_command_line_entry(text) for text in indexes]
    entries = entries or file.entries or _named(pip.indexes(server.is_at))
    endpoint = endpoint_of(found, environ)
    chain = _with_buckets(_chain(entries, public, environ, server), endpoint)
    values = _values(found, endpoint)
    origins = dict.fromkeys((*FIELDS, "offline", "ca_bundle", "proxy"), "default")
    origins |= {key: origin for key, (_, origin) in found.items()} | chain.origins
    mirror = mirror_of(found, chain.indexes)
    others = beside_chain(chain, beside, environ, host=server.host, port=server.port)
    users_own = [*(index for index in chain.indexes if index.is_private), *others]
    if "private" not in values and (why := why_private(values, users_own)):
        values["private"], origins["server.private"] = True, why
    return Settings(indexes=chain.indexes, beside=others, mirror=mirror, origins=origins, **values)


def _values(found: Mapping[str, Setting], endpoint: str) -> dict[str, Any]:
    """Return the values of `Settings` that no index has."""
    values = {
        FIELDS.get(key, key): value
        for key, (value, _) in found.items()
        if not key.startswith(MIRROR)
    }
    values.setdefault("cache_dir", platformdirs.user_cache_path("indexfallback"))
    return {**values, "shared_endpoint": endpoint}


def _with_buckets(chain: Chain, endpoint: str) -> Chain:
    """Return a chain whose buckets have their endpoint; raises `ConfigError` without a client."""
    for index in chain.indexes:
        if index.is_bucket:
            check_client(chain.origins[f"index.{index.name}.url"])
    return replace(chain, indexes=with_endpoint(chain.indexes, endpoint))


def _server(found: Mapping[str, Setting]) -> _Server:
    host, port = (found.get(f"server.{name}") for name in _Server._fields)
    return _Server(host.value if host else Settings.host, port.value if port else Settings.port)


def pip_chain(environ: Mapping[str, str], *, host: str, port: int) -> Chain:
    """Return the chain of pip's configuration, even if another chain is in use.

    Raises:
        ConfigError: pip's configuration is not valid.

    """
    found = PipConfig(environ).indexes(_Server(host, port).is_at)
    return chain_of(found, environ, host=host, port=port)


def chain_of(
    found: Sequence[PipIndex], environ: Mapping[str, str], *, host: str, port: int
) -> Chain:
    """Return the chain of indexes that have an address but no name, as in clients' files.

    Raises:
        ConfigError: an address is not valid, or occurs twice.

    """
    return build_chain(_named(found), environ, host=host, port=port)


def _settings(
    file: ConfigFile, pip: PipConfig, environ: Mapping[str, str], *, offline: bool
) -> dict[str, Setting]:
    """Return the settings that are not defaults, without the indexes."""
    found = {key: Setting(value, file.origins[key]) for key, value in file.values.items()}
    found |= from_environment(environ)
    if offline:
        found["offline"] = Setting(value=True, origin="--offline")
    if bundle := _ca_bundle(pip, environ):
        found["ca_bundle"] = bundle
    if proxy := pip.get("proxy"):
        address = proxy if "://" in proxy else f"http://{proxy}"
        found["proxy"] = Setting(address, _pip_origin("proxy", environ))
    return found


def _pip_origin(option: str, environ: Mapping[str, str]) -> str:
    variable = f"PIP_{option.upper()}"
    return variable if environ.get(variable) else f"pip: {option}"


def _ca_bundle(pip: PipConfig, environ: Mapping[str, str]) -> Setting | None:
    """Return the CA bundle that pip would use, or None for the system's certificates."""
    found = None
    if cert := pip.get("cert"):
        found = Setting(cert, _pip_origin("cert", environ))
    for variable in _CA_VARIABLES:
        if found is None and (value := environ.get(variable)):
            found = Setting(value, variable)
    if found is None:
        return None
    path = Path(os.path.expanduser(found.value)).absolute()  # noqa: PTH111 - as pip: never fails
    if not path.exists():
        raise ConfigError(
            found.origin,
            f"the CA bundle {path} does not exist",
            "correct the path, or remove the setting to use the system's certificates",
        )
    return Setting(path, found.origin)


def _chain(
    entries: Sequence[Entry],
    public: Entry | None,
    environ: Mapping[str, str],
    server: _Server,
) -> Chain:
    """Return the chain, with ``public`` in place of the public indexes and their mirrors."""
    build = partial(build_chain, environ=environ, host=server.host, port=server.port)
    chain = build(entries)
    if public is None:
        return chain
    (wanted,) = build([public]).indexes
    if any(index.url == wanted.url for index in chain.indexes):
        return chain
    private = {index.name for index in chain.indexes if index.is_private}
    return build([*(entry for entry in entries if entry.values["name"] in private), public])


def _command_line_entry(text: str) -> Entry:
    name, separator, url = text.partition("=") if text != PYPI else (PYPI, "=", PYPI)
    if not separator or "://" in name:
        raise ConfigError(
            "--index",
            f'"{redact_text(text)}" has no name',
            "write NAME=URL, such as private=https://packages.example.com/simple/",
        )
    try:
        index_name(name, Path())
    except InvalidValueError as error:
        raise ConfigError("--index", f'name = "{name}" {error.problem}', error.remedy) from error
    values = {"name": name, "url": url}
    return entry_of(values, "--index", Path.cwd())


def _named(found: Sequence[PipIndex]) -> list[Entry]:
    return [
        entry_of(_taken_over(name, index), index.origin, Path.cwd())
        for name, index in zip(derive_names(found), found, strict=True)
    ]


def _taken_over(name: str, index: PipIndex) -> dict[str, Any]:
    """Return the values of an index from a client's file.

    pip asks all its indexes for each project, so `defer_copies` tells the public one no name that
    pip would not tell it. Other clients may stop at the first index that has the project.
    """
    values = {"name": name, "url": index.url, "role": "public" if index.public else "private"}
    if index.is_pips and index.is_remote and not index.public:
        return values | {"defer_copies": True}
    return values


def entry_of(values: Mapping[str, Any], origin: str, base: Path) -> Entry:
    """Return an index whose ``values``, with at least a name, are all from one ``origin``.

    ``base`` is the base directory of relative paths.
    """
    return Entry(
        label=f'index "{values["name"]}"',
        values=values,
        origins=dict.fromkeys(values, origin),
        origin=origin,
        base=base,
    )
