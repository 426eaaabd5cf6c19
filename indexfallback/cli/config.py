"""``indexfallback config``: where the configuration is, a first one, and what is in force."""

import json
from dataclasses import fields
from pathlib import Path
from typing import Any, NamedTuple

import click

from indexfallback.cli.check import check
from indexfallback.cli.options import Options, examples, takes_options
from indexfallback.clients import files
from indexfallback.config import Index, Settings
from indexfallback.config.keys import FIELDS, INDEX_KEYS
from indexfallback.config.load import config_path
from indexfallback.config.mirror import text_of
from indexfallback.config.units import format_duration, format_size
from indexfallback.errors import ConfigError

#: What stands for a secret.
HIDDEN = "***"

#: Settings and keys of an index whose values are seconds or bytes.
_DURATIONS = frozenset(
    ("cache.fresh", "cache.keep", "limits.deadline", "connect_timeout", "read_timeout")
)
_SIZES = frozenset(("cache.max_size", "limits.page_size", "max_file_size"))

#: A file with every key; what is not commented out is the default.
TEMPLATE = """\
# Configuration of indexfallback. Everything here is optional: a line that is commented out shows
# the default, or an example. `indexfallback config show` says what is in force and why.

[server]
# host = "127.0.0.1"       # anything but loopback demands a token from clients
# port = 5503
# public_read = false      # true: others read without a token
# tls_cert = "/etc/ssl/packages.pem"            # with it, others are served over TLS
# tls_key = "/etc/ssl/packages.key"
# base_path = "/pypi"      # where a proxy shows it
# trusted_proxies = ["127.0.0.1"]               # whose X-Forwarded-* are believed

[cache]
# dir = "~/indexfallback"  # default: the user's cache directory
# max_size = "20 GB"
# fresh = "10 min"         # how long a page is served without asking again
# keep = "30 days"         # how long a stale page may stand in for a failing index

[limits]
# deadline = "10 s"        # all indexes together, until the first byte; pip gives up at 15 s
# page_size = "64 MiB"     # no project page is larger

# Chosen projects that `indexfallback mirror` keeps complete; docs/mirror.md says more.
# [mirror]
# index = "pypi"
# projects = ["acme-*", "django>=4,<6"]
# exclude = ["acme-old"]
# files = ["wheel", "sdist"]                    # or patterns of file names; default: all
# platforms = ["manylinux_2_28_x86_64"]         # default: all
# pythons = ["3.12"]       # default: all
# latest = 3               # so many of the newest versions; default: all
# since = 2025-01-31       # nothing uploaded before
# prereleases = true
# max_file_size = "500 MB"
# on_removed = "delete"    # delete | keep | keep-hidden: what the index has removed
# requirements = ["requirements.txt"]           # what these files name as well
# dependencies = false     # true: what mirrored wheels require as well
# connections = 8          # transfers at once
# rate = 100               # requests a second at most; default: any number

# Indexes are asked in this order; the first that has a project owns it.

# [[index]]
# name = "private"
# url = "https://packages.example.com/simple/"  # a simple API, a local directory, or "pypi"
# role = "private"         # private | mirror | public
# projects = ["acme-*"]    # these names come from here and from nowhere else
# on_outage = "ledger"     # ledger | stop | next: what becomes of other names while this is down
# username = "ci"          # or in the url, or in netrc
# password_env = "PRIVATE_INDEX_PASSWORD"       # the environment variable with the password
# keyring = false          # true: ask the system's keyring for the password
# connect_timeout = "3 s"
# read_timeout = "10 s"
# probe = "acme-app"       # the project that health probes ask for; default: one served before
# upload = false           # true, where url is a directory: it takes uploads

# [[index]]
# name = "mirror"
# url = "https://mirror.example.com/simple/"
# mirror_of = "pypi"       # claims the same content as that index
# pages = "first"          # first | authority: pages from the public index, files from here

[[index]]
name = "pypi"
url = "pypi"               # PyPI, as pip knows it
"""


class _Row(NamedTuple):
    """One setting."""

    key: str
    value: Any
    origin: str


@click.group(epilog=examples("indexfallback config show", "indexfallback config check"))
def config() -> None:
    """Show, check or begin the configuration."""


config.add_command(check)


@config.command(epilog=examples("indexfallback config path"))
@takes_options
def path(options: Options) -> None:
    """Print where the configuration file is, or would be."""
    file = config_path(options.config)
    click.echo(file)
    if not file.exists():
        click.echo("It does not exist; `indexfallback config init` writes it.", err=True)


@config.command(
    epilog=examples("indexfallback config init", "indexfallback --config ./other.toml config init")
)
@click.option("--force", is_flag=True, help="Replace the file that is there.")
@takes_options
def init(options: Options, force: bool) -> None:
    """Write a first configuration file, with every key explained."""
    file = config_path(options.config)
    if file.exists() and not force:
        raise ConfigError(str(file), "there is a configuration already", "--force replaces it")
    files.write_configuration(file, TEMPLATE)
    click.echo(f"Wrote {file}")
    click.echo("pip's own indexes are not used beside it: add yours as [[index]].", err=True)


@config.command(epilog=examples("indexfallback config show", "indexfallback config show --json"))
@click.option("--json", "as_json", is_flag=True, help="Print JSON; seconds and bytes as numbers.")
@takes_options
def show(options: Options, as_json: bool) -> None:
    """Print the settings in force, and where each came from."""
    settings = options.settings()
    if as_json:
        click.echo(json.dumps(_as_data(settings), indent=2))
        return
    rows = _rows(settings)
    for index in settings.indexes:
        rows += _index_rows(settings, index)
    texts = [(row.key, _text(row), row.origin) for row in rows]
    widths = [max(len(text[column]) for text in texts) for column in (0, 1)]
    for key, value, origin in texts:
        click.echo(f"{key:{widths[0]}}  {value:{widths[1]}}  {origin}")


def _rows(settings: Settings) -> list[_Row]:
    """Return the settings outside of indexes."""
    rows = [
        _Row(key, getattr(settings, field), settings.origins[key])
        for key, field in {**FIELDS, "offline": "offline", "ca_bundle": "ca_bundle"}.items()
    ]
    if settings.mirror is not None:
        for field in fields(settings.mirror):
            key, value = f"mirror.{field.name}", getattr(settings.mirror, field.name)
            texts = tuple(map(text_of, value)) if isinstance(value, tuple) else value
            rows.append(_Row(key, texts, settings.origins.get(key, "default")))
    return rows


def _index_rows(settings: Settings, index: Index) -> list[_Row]:
    """Return the settings of one index, without its secrets."""
    rows = []
    for key in INDEX_KEYS:
        key = "password" if key == "password_env" else key  # noqa: PLW2901 - its value, hidden
        value = getattr(index, key)
        # A user name without a password is often a token.
        if value and (key == "password" or (key == "username" and index.password is None)):
            value = HIDDEN
        name = f"index.{index.name}.{key}"
        rows.append(_Row(name, value, settings.origins[name]))
    return rows


def _as_data(settings: Settings) -> dict[str, Any]:
    """Return everything as JSON has it."""

    def data(row: _Row) -> dict[str, Any]:
        value = str(row.value) if isinstance(row.value, Path) else row.value
        return {"value": value, "origin": row.origin}

    return {
        "settings": {row.key: data(row) for row in _rows(settings)},
        "indexes": [
            {row.key.rpartition(".")[2]: data(row) for row in _index_rows(settings, index)}
            for index in settings.indexes
        ],
    }


def _text(row: _Row) -> str:
    """Return a value as the configuration file would have it."""
    if row.value is None or row.value == ():
        return "the system's store" if row.key == "ca_bundle" else "-"
    key = row.key if row.key in FIELDS else row.key.rpartition(".")[2]
    if key in _DURATIONS:
        return format_duration(row.value)
    if key in _SIZES:
        return format_size(row.value)
    if isinstance(row.value, bool):
        return str(row.value).lower()
    return ", ".join(row.value) if isinstance(row.value, tuple) else str(row.value)
