"""Addresses of indexes: parsed from what users write, normalised, and redacted for messages."""

import os
import re
from difflib import get_close_matches
from pathlib import Path
from typing import NamedTuple
from urllib.parse import SplitResult, unquote, urlsplit, urlunsplit

from indexfallback.config.bucket_url import SCHEME, parse_bucket_url
from indexfallback.config.pip import default_url
from indexfallback.config.units import InvalidValueError

#: The value of ``url`` that means pip's default index.
PYPI = "pypi"

_DEFAULT_PORTS = {"http": 80, "https": 443}
_LOOPBACK = frozenset(("localhost", "127.0.0.1", "::1"))
_EXAMPLE = 'write an address like "https://packages.example.com/simple/"'


class Address(NamedTuple):
    """The address of an index, and its credentials."""

    #: As in `config.Index.url`.
    url: str
    username: str | None = None
    password: str | None = None


def parse_address(text: str, base: Path) -> Address:
    """Return the address in ``text``; the path of a directory is relative to ``base``.

    Raises:
        InvalidValueError: it is not an address.

    """
    if text == PYPI:
        return Address(default_url())
    if re.search(r"[\x00-\x20\x7f]", text) and "://" in text:
        raise InvalidValueError("contains a space or a control character", "write %20 for a space")
    if not text.strip():
        raise InvalidValueError("is empty", _EXAMPLE)
    if text.startswith("file:"):
        return Address(_file_url(_file_path(text)))
    if text.startswith(SCHEME):
        return Address(f"{parse_bucket_url(text)}/")
    if "://" in text:
        return _http_address(text)
    return Address(_file_url(_local_path(text, base)))


def redact_text(text: str) -> str:
    """Return an address, valid or not, without credentials, query and fragment, for a message."""
    if text.startswith(("/", ".", "~")):
        return text
    plain = re.split(r"[?#]", text, maxsplit=1)[0]
    scheme, separator, rest = plain.rpartition("://")
    head, at, tail = rest.rpartition("@")
    # Up to the last "@": a password that is not escaped may contain a slash or an "@".
    return f"{scheme}{separator}{tail}" if at and head else plain


def is_at(url: str, host: str, port: int) -> bool:
    """Tell whether ``url`` is an address of the server at ``host`` and ``port``: of this shim."""
    try:
        parts = urlsplit(url)
        if (parts.port or _DEFAULT_PORTS.get(parts.scheme)) != port:
            return False
    except ValueError:
        return False
    # A server on all addresses, or on a loopback address, is reached by each loopback name.
    return parts.hostname == host or parts.hostname in _LOOPBACK


def _http_address(text: str) -> Address:
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise InvalidValueError("is not a valid address", _EXAMPLE) from error
    if parts.scheme not in _DEFAULT_PORTS:
        raise InvalidValueError(f'has the scheme "{parts.scheme}"', "use https, http, file or s3")
    if not parts.hostname:
        raise InvalidValueError("has no host", _EXAMPLE)
    if parts.query or parts.fragment:
        raise InvalidValueError('has a "?" or a "#"', "remove it and what follows")
    return Address(
        _plain(parts, port),
        None if parts.username is None else unquote(parts.username),
        None if parts.password is None else unquote(parts.password),
    )


def _plain(parts: SplitResult, port: int | None) -> str:
    """Return the address in one spelling: it is the key of stored pages."""
    netloc = parts.netloc.rpartition("@")[2].lower()
    if port == _DEFAULT_PORTS[parts.scheme] or netloc.endswith(":"):
        netloc = netloc.rpartition(":")[0]
    return urlunsplit((parts.scheme, netloc, parts.path.rstrip("/") + "/", "", ""))


def _file_path(text: str) -> Path:
    parts = urlsplit(text)
    path = unquote(parts.path)
    if os.name == "nt":
        # file:///C:/x and file://server/share
        path = f"//{parts.netloc}{path}" if parts.netloc else path.lstrip("/")
    elif parts.netloc not in ("", "localhost"):
        raise InvalidValueError(
            f'is on another machine, "{parts.hostname}"', "use file:/// and an absolute path"
        )
    if not Path(path).is_absolute():
        raise InvalidValueError("is not an absolute path", "use file:/// and an absolute path")
    return Path(path)


def _local_path(text: str, base: Path) -> Path:
    """Return the path in ``text``; the directory must exist unless ``text`` is clearly a path."""
    path = Path(text)
    if text.startswith("~"):
        try:
            return path.expanduser()
        except RuntimeError as error:
            raise InvalidValueError("is in an unknown home directory", _EXAMPLE) from error
    is_path = path.is_absolute() or text.startswith(("./", "../", ".\\", "..\\"))
    if not is_path and not (base / path).is_dir():
        suggestion = get_close_matches(text, (PYPI,), cutoff=0.5)
        raise InvalidValueError(
            "is neither an address nor a directory",
            f'did you mean "{PYPI}"?' if suggestion else _EXAMPLE,
        )
    return base / path


def _file_url(path: Path) -> str:
    if path.exists() and not path.is_dir():
        raise InvalidValueError("is a file, not a directory", "name the directory of the index")
    return Path(os.path.normpath(path)).as_uri().rstrip("/") + "/"
