"""``config``: shows the configuration and its path, checks it, or writes a first one."""

from dataclasses import fields
from pathlib import Path
from typing import Any, NamedTuple

import click

from indexfallback.cli.check import check
from indexfallback.cli.help import Group
from indexfallback.cli.options import Options, examples, json_option, takes_options
from indexfallback.cli.output import note, print_json, tell
from indexfallback.clients import files
from indexfallback.config import Index, Settings
from indexfallback.config.keys import FIELDS, INDEX_KEYS
from indexfallback.config.load import config_path
from indexfallback.config.units import format_duration, format_size
from indexfallback.errors import ConfigError, redact

#: Shown instead of a secret.
HIDDEN = "***"

#: Settings and keys of an index whose values are seconds or bytes.
_DURATIONS = frozenset(
    ("cache.fresh", "cache.keep", "cache.shared_timeout", "limits.deadline", "connect_timeout",
     "read_timeout", "fresh", "cooldown")
)  # fmt: skip
_SIZES = frozenset(
    ("server.max_upload_size", "cache.max_size", "limits.page_size", "max_file_size")
)

#: A file with every key, and with the default values.
TEMPLATE = """\
# Configuration of indexfallback. All settings are optional: a line that is commented out shows the
# default or an example. `indexfallback config show` prints all settings and their origins.

[server]
# host = "127.0.0.1"       # clients need a token if it is not a loopback address
# port = 5503
# private = false          # true: other users of this machine need a token, too
# public_read = false      # true: other machines may read without a token
# max_upload_size = "4 GB" # a larger upload is refused
# tls_cert = "/etc/ssl/packages.pem"            # serve over TLS
# tls_key = "/etc/ssl/packages.key"
# base_path = "/pypi"      # path behind a reverse proxy
# trusted_proxies = ["127.0.0.1"]               # proxies whose X-Forwarded-* are trusted

[cache]
# dir = "~/indexfallback"  # default: the user's cache directory
# max_size = "20 GB"
# fresh = "10 min"         # how long a page is served without asking the index
# keep = "30 days"         # how long a stale page may be served if an index fails
# shared = "s3://bucket/prefix"                 # a bucket that several shims share
# shared_endpoint = "https://s3.example.com"    # its server; default: AWS
# shared_mode = "read-write"                    # read | read-write
# shared_timeout = "1 s"   # for one small request, and between the bytes of a file
# strict_pins = false      # true: a file is served only once the bucket has its pin

[limits]
# deadline = "10 s"        # for all indexes together, until the first byte; pip waits 15 s
# page_size = "64 MiB"     # maximum size of a project page
# read_ahead = true        # fetch what pip or uv will ask for next before they ask

[policy]
# notices = true           # the public index is asked for known vulnerabilities of downloads
# advisories = "https://osv.example.com"        # a database with OSV's API, asked as well

# Projects that `indexfallback mirror` keeps complete; see docs/mirror.md.
# [mirror]
# index = "pypi"
# projects = ["acme-*", "django>=4,<6"]
# exclude = ["acme-old"]
# files = ["wheel", "sdist"]                    # or patterns of file names; default: all
# platforms = ["manylinux_2_28_x86_64"]         # default: all
# pythons = ["3.12"]       # default: all
# latest = 3               # number of newest versions; default: all
# since = 2025-01-31       # date of the oldest uploads
# prereleases = true
# max_file_size = "500 MB"
# on_removed = "delete"    # delete | keep | keep-hidden: files that the index has removed
# requirements = ["requirements.txt"]           # also the projects in these files
# dependencies = false     # true: also the dependencies of mirrored wheels
# connections = 8          # concurrent transfers
# rate = 100               # maximum requests per second; default: no limit

# Indexes are asked in this order; the first that has a project owns it.

# [[index]]
# name = "private"
# url = "https://packages.example.com/simple/"  # a simple API, a local directory, or "pypi"
# role = "private"         # private | mirror | public
# projects = ["acme-*"]    # only this index serves these names
# only = ["acme-*"]        # the same, and the index is asked for no other name
# defer_copies = false     # true: copies of public projects stay the public index's
# on_outage = "ledger"     # ledger | stop | next: what happens to other names in an outage
# forbidden = "denied"     # denied | absent: the meaning of 403; S3 answers it for a missing name
# cooldown = "7 days"      # files younger than this are withheld; default: none
# cooldown_except = ["acme-*"]                  # projects without a cooldown
# username = "ci"          # or in the url, or in netrc
# password_env = "PRIVATE_INDEX_PASSWORD"       # the environment variable with the password
# keyring = false          # true: the password is in the system's keyring
# connect_timeout = "3 s"
# read_timeout = "10 s"
# fresh = "15 s"           # overrides cache.fresh; default of a private index: at most 15 s
# probe = "acme-app"       # project that health probes request; default: one served before
# upload = false           # true: accepts uploads; url must be a directory

# [[index]]
# name = "mirror"
# url = "https://mirror.example.com/simple/"
# mirror_of = "pypi"       # has the same content as that index
# pages = "first"          # first | authority: pages from the public index, files from here

[[index]]
name = "pypi"
url = "pypi"               # PyPI
"""


class _Row(NamedTuple):
    """One setting."""

    key: str
    value: Any
    origin: str


@click.group(cls=Group, epilog=examples("indexfallback config show", "indexfallback config check"))
def config() -> None:
    """Show, check or create the configuration."""


config.add_command(check)


@config.command(epilog=examples("indexfallback config path"))
@takes_options
def path(options: Options) -> None:
    """Print the path of the configuration file, which may not exist."""
    file = config_path(options.config)
    click.echo(file)
    if not file.exists():
        note("it does not exist; `indexfallback config init` writes it")


@config.command(
    epilog=examples("indexfallback config init", "indexfallback --config ./other.toml config init")
)
@click.option("--force", is_flag=True, help="Replace an existing file.")
@takes_options
def init(options: Options, force: bool) -> None:
    """Write a first configuration file that explains every key."""
    file = config_path(options.config)
    if file.exists() and not force:
        raise ConfigError(str(file), "the file exists already", "--force replaces it")
    files.write_configuration(file, TEMPLATE)
    tell(f"Wrote {file}")
    note("it replaces pip's indexes: add yours as [[index]]")


@config.command(epilog=examples("indexfallback config show", "indexfallback config show --json"))
@json_option
@takes_options
def show(options: Options, as_json: bool) -> None:
    """Print all settings, with the origin of each."""
    settings = options.settings()
    if as_json:
        print_json(_as_data(settings))
        return
    rows = _rows(settings)
    for index in settings.indexes:
        rows += _index_rows(settings, index)
    texts = [(row.key, _text(row), row.origin) for row in rows]
    widths = [max(len(text[column]) for text in texts) for column in (0, 1)]
    for key, value, origin in texts:
        click.echo(f"{key:{widths[0]}}  {value:{widths[1]}}  {origin}")


def _rows(settings: Settings) -> list[_Row]:
    """Return the settings that do not belong to an index."""
    rows = [
        _Row(key, getattr(settings, field), settings.origins[key])
        for key, field in {**FIELDS, "offline": "offline", "ca_bundle": "ca_bundle"}.items()
    ]
    proxy = None if settings.proxy is None else redact(settings.proxy)
    rows.append(_Row("proxy", proxy, settings.origins["proxy"]))
    if settings.mirror is not None:
        for field in fields(settings.mirror):
            key, value = f"mirror.{field.name}", getattr(settings.mirror, field.name)
            texts = tuple(map(str, value)) if isinstance(value, tuple) else value
            rows.append(_Row(key, texts, settings.origins.get(key, "default")))
    return rows


def _index_rows(settings: Settings, index: Index) -> list[_Row]:
    """Return the settings of one index, without its secrets."""
    rows = []
    for key in INDEX_KEYS:
        key = "password" if key == "password_env" else key  # noqa: PLW2901 - the field of it
        value = settings.fresh_for(index) if key == "fresh" else getattr(index, key)
        # A user name without a password may be a token.
        if value and (key == "password" or (key == "username" and index.password is None)):
            value = HIDDEN
        name = f"index.{index.name}.{key}"
        rows.append(_Row(name, value, settings.origins[name]))
    return rows


def _as_data(settings: Settings) -> dict[str, Any]:
    """Return all settings as data for JSON."""

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
    """Return a value as in the configuration file."""
    if row.value is None or row.value == ():
        return "the system's certificates" if row.key == "ca_bundle" else "-"
    key = row.key if row.key in FIELDS else row.key.rpartition(".")[2]
    if key in _DURATIONS:
        return format_duration(row.value)
    if key in _SIZES:
        return format_size(row.value)
    if isinstance(row.value, bool):
        return str(row.value).lower()
    return ", ".join(row.value) if isinstance(row.value, tuple) else str(row.value)
