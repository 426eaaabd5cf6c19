"""Readers of the values of the configuration file: each checks and converts one kind of value."""

import re
from collections.abc import Callable
from difflib import get_close_matches
from ipaddress import ip_network
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from indexfallback.config.bucket_url import parse_bucket_url, parse_endpoint
from indexfallback.config.loopback import is_loopback
from indexfallback.config.units import InvalidValueError, parse_duration, parse_size
from indexfallback.names import is_project_name, normalize

#: Reads one value; relative paths are relative to the given directory. Raises
#: `InvalidValueError`.
Reader = Callable[[object, Path], Any]

#: One hour: no client waits longer, and a longer timeout overflows on some systems.
MAX_WAIT = 3600.0
_MAX_PORT = 65535

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]*", re.ASCII)
_HOST = re.compile(r"[A-Za-z0-9._-]+|[0-9A-Fa-f:.]+", re.ASCII)
_BASE_PATH = re.compile(r"(?:/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*", re.ASCII)
_PATTERN = re.compile(r"[A-Za-z0-9._*?-]+", re.ASCII)
_VARIABLE = re.compile(r"[^=\s]+")


def suggest(word: str, known: tuple[str, ...]) -> str:
    """Return a remedy: the known word that is most similar, or all of them."""
    if close := get_close_matches(word, known, n=1):
        return f'did you mean "{close[0]}"?'
    return f"use one of {', '.join(known)}"


def text(value: object, _base: Path) -> str:
    """Read a string that is not empty."""
    if not isinstance(value, str):
        raise InvalidValueError("is not text", "put it in quotes")
    if not value.strip():
        raise InvalidValueError("is empty", "write a value, or remove the line")
    return value


def flag(value: object, _base: Path) -> bool:
    """Read true or false."""
    if not isinstance(value, bool):
        raise InvalidValueError("is neither true nor false", "write true or false, without quotes")
    return value


def port(value: object, _base: Path) -> int:
    """Read a TCP port; not 0, any free port, because clients need a fixed address."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise InvalidValueError("is not a port", "write a number like 5503, without quotes")
    if not 1 <= value <= _MAX_PORT:
        raise InvalidValueError("is not a port", f"write a number from 1 to {_MAX_PORT}")
    return value


def host(value: object, base: Path) -> str:
    """Read the address to listen on."""
    name = text(value, base)
    if not _HOST.fullmatch(name):
        raise InvalidValueError("is not a host", 'write only an address, like "127.0.0.1"')
    return name


def directory(value: object, base: Path) -> Path:
    """Read the path of a directory, which may not exist yet."""
    path = _path(value, base)
    if path.exists() and not path.is_dir():
        raise InvalidValueError("is a file, not a directory", "name a directory")
    return path


def _path(value: object, base: Path) -> Path:
    try:
        return base / Path(text(value, base)).expanduser()
    except RuntimeError as error:
        raise InvalidValueError(
            "is in an unknown home directory", "write an absolute path"
        ) from error


def file(value: object, base: Path) -> Path:
    """Read the path of a file; only the server checks that it can be read."""
    return _path(value, base)


def base_path(value: object, base: Path) -> str:
    """Read the path of the server behind a reverse proxy, without a slash at the end."""
    path = text(value, base).rstrip("/")
    if not _BASE_PATH.fullmatch(path):
        raise InvalidValueError("is not a URL path", 'write a path like "/index"')
    return path


def web_address(value: object, base: Path) -> str:
    """Read an address of a web service, without a slash at the end."""
    try:
        url = urlsplit(text(value, base))
    except ValueError as error:  # half of an IPv6 address
        raise InvalidValueError("is not an address", 'write one like "https://example.com"') from (
            error
        )
    is_safe = url.scheme == "https" or (url.scheme == "http" and is_loopback(url.hostname or ""))
    if not is_safe or not url.hostname or url.query or url.fragment:
        raise InvalidValueError("is not an https address", 'write one like "https://example.com"')
    if url.username is not None:
        raise InvalidValueError("has a login", "put the login into netrc")
    return url.geturl().rstrip("/")


def networks(value: object, base: Path) -> tuple[str, ...]:
    """Read a list of addresses and networks."""
    if not isinstance(value, list):
        raise InvalidValueError("is not a list", 'write a list like ["127.0.0.1"]')
    read = []
    for item in value:
        try:
            read.append(str(ip_network(text(item, base))))
        except ValueError as error:
            raise InvalidValueError(
                "has an item that is neither address nor network",
                'write addresses and networks, like ["127.0.0.1", "10.0.0.0/8"]',
            ) from error
    return tuple(dict.fromkeys(read))


def bucket(value: object, base: Path) -> str:
    """Read the address of a bucket."""
    return str(parse_bucket_url(text(value, base)))


def endpoint(value: object, base: Path) -> str:
    """Read the address of a server that speaks S3."""
    return parse_endpoint(text(value, base))


def duration(value: object, _base: Path) -> float:
    """Read a duration that may be zero."""
    return parse_duration(value)


def wait(value: object, _base: Path) -> float:
    """Read a timeout: more than zero, at most an hour."""
    seconds = parse_duration(value)
    if not seconds:
        raise InvalidValueError("is zero", 'write a duration like "10 s"')
    if seconds > MAX_WAIT:
        raise InvalidValueError("is longer than 1 h", 'write a duration like "10 s"')
    return seconds


def size(value: object, _base: Path) -> int:
    """Read a size above zero."""
    size = parse_size(value)
    if not size:
        raise InvalidValueError("is zero", 'write a size like "20 GB"')
    return size


def choice(*words: str) -> Reader:
    """Return a reader of one of ``words``."""

    def read(value: object, base: Path) -> str:
        word = text(value, base)
        if word not in words:
            raise InvalidValueError("is unknown", suggest(word, words))
        return word

    return read


def index_name(value: object, base: Path) -> str:
    """Read the name of an index, which is also a path segment of URLs."""
    name = text(value, base)
    if not _NAME.fullmatch(name):
        raise InvalidValueError(
            "is not a name",
            "use a-z, 0-9, dot, dash and underscore; begin with a letter or digit",
        )
    return name


def project(value: object, base: Path) -> str:
    """Read the name of a project, normalised."""
    name = text(value, base)
    if not is_project_name(name):
        raise InvalidValueError("is not a project name", 'write a name like "acme-app"')
    return normalize(name)


def patterns(value: object, base: Path) -> tuple[str, ...]:
    """Read a list of patterns of project names; normalise all but ``*`` and ``?``."""
    if not isinstance(value, list):
        raise InvalidValueError("is not a list", 'write a list like ["acme-*"]')
    read = []
    for item in value:
        if not isinstance(item, str) or not _PATTERN.fullmatch(text(item, base)):
            raise InvalidValueError(
                "has an item that is not a pattern", 'write names, "*" and "?", like ["acme-*"]'
            )
        read.append(normalize(item))
    return tuple(dict.fromkeys(read))


def variable(value: object, base: Path) -> str:
    """Read the name of an environment variable."""
    name = text(value, base)
    if not _VARIABLE.fullmatch(name):
        raise InvalidValueError(
            "is not the name of an environment variable",
            'write only the name, like "PRIVATE_INDEX_PASSWORD"',
        )
    return name
