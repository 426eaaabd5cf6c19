"""pip's configuration: its indexes, its certificates, and the address of PyPI.

pip itself finds and reads the files, with the environment of this process. To import that part of
pip takes 150 ms, and to find the files 8 ms, so pip is imported only if a file contains the option.
"""

import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache, cached_property
from pathlib import Path
from typing import Any, NamedTuple

from indexfallback.errors import ConfigError

#: The values that pip reads as true.
TRUE = frozenset(("y", "yes", "t", "true", "on", "1"))
#: Sections that ``pip install`` reads, by precedence; environment variables override both.
SECTIONS = ("install", "global")


class PipIndex(NamedTuple):
    """One index of pip's configuration."""

    #: As configured, with credentials.
    url: str
    #: ``pip: extra-index-url``.
    origin: str
    public: bool

    @property
    def is_pips(self) -> bool:
        """Whether it is from pip's configuration, and not from another client's."""
        return self.origin.startswith("pip:")

    @property
    def is_remote(self) -> bool:
        """Whether it is asked over HTTP, and is not a directory."""
        return self.url.lower().startswith(("http:", "https:"))


class PipConfig:
    """The options of ``pip install``.

    ``environ`` has the ``PIP_*`` options. pip finds its files (``PIP_CONFIG_FILE``,
    ``XDG_CONFIG_HOME``) by the environment of this process.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ

    def get(self, option: str) -> str | None:
        """Return the value of ``option`` (``extra-index-url``); None if it is empty, as in pip.

        Raises:
            ConfigError: a file with the option is not valid, or pip's internals have changed.

        """
        if value := self._environ.get("PIP_" + option.upper().replace("-", "_")):
            return value
        spelling = re.compile(option.replace("-", "[-_]").encode(), re.IGNORECASE)
        if not any(spelling.search(text) for text in self._texts):
            return None
        values = (self._from_files(f"{section}.{option}") for section in SECTIONS)
        return next(filter(None, values), None)

    def indexes(self, is_shim: Callable[[str], bool]) -> tuple[PipIndex, ...]:
        """Return the indexes in the order of the chain, without this shim (``is_shim``).

        pip merges its indexes without precedence. In the chain, an ``extra-index-url`` is private
        and ``index-url`` is public and last. If PyPI is an ``extra-index-url``, then PyPI is the
        public index, and ``index-url`` is private.
        """
        urls = dict.fromkeys((self.get("extra-index-url") or "").split())
        extra = [
            PipIndex(url, "pip: extra-index-url", public=is_default_url(url))
            for url in urls
            if not is_shim(url)
        ]
        if (self.get("no-index") or "").lower() in TRUE:
            return tuple(index for index in extra if not index.public)
        main = self.get("index-url")
        if main is None or is_shim(main):
            index = PipIndex(default_url(), "pip: default", public=True)
        else:
            has_default = any(index.public for index in extra)
            index = PipIndex(main, "pip: index-url", public=is_default_url(main) or not has_default)
        found = [*(other for other in extra if other.url != index.url), index]
        private = [index for index in found if not index.public]
        # PyPI may be configured twice, with a slash at the end and without one.
        return (*private, [index for index in found if index.public][-1])

    def _from_files(self, key: str) -> str | None:
        with _pips_internals():
            from pip._internal.exceptions import ConfigurationError  # noqa: PLC0415 - costs 150 ms

            try:
                return str(self._configuration.get_value(key))
            except ConfigurationError:
                return None

    @cached_property
    def _configuration(self) -> Any:
        """The configuration object of pip, loaded."""
        from pip._internal.configuration import Configuration  # noqa: PLC0415 - costs 150 ms
        from pip._internal.exceptions import ConfigurationError  # noqa: PLC0415 - the same

        configuration = Configuration(isolated=False)
        try:
            configuration.load()
        except ConfigurationError as error:
            # pip's message quotes the line, which may contain a password.
            cause = getattr(error, "error", None)
            file = getattr(error, "fname", None) or getattr(cause, "source", None)
            raise ConfigError(
                str(file or "pip's configuration"),
                "pip cannot read this file",
                "correct it; `pip config list` says where it fails",
            ) from None
        return configuration

    @cached_property
    def _texts(self) -> tuple[bytes, ...]:
        """The content of pip's configuration files; like pip, it ignores unreadable ones."""
        return tuple(map(_content, configuration_files()))


@cache
def default_url() -> str:
    """Return the address of PyPI, as pip has it.

    Raises:
        ConfigError: pip's internals have changed.

    """
    with _pips_internals():
        from pip._internal.models.index import PyPI  # noqa: PLC0415 - may fail

        return f"{PyPI.simple_url}/"


def default_files_url() -> str:
    """Return the address of the host with PyPI's files, as pip has it.

    Raises:
        ConfigError: pip's internals have changed.

    """
    with _pips_internals():
        from pip._internal.models.index import PyPI  # noqa: PLC0415 - may fail

        return f"https://{PyPI.file_storage_domain}/"


def is_default_url(url: str) -> bool:
    """Tell whether ``url`` is PyPI's address, with or without the slash at its end."""
    return url.rstrip("/").lower() == default_url().rstrip("/")


def configuration_files() -> list[Path]:
    """Return the paths of pip's possible configuration files: all that it reads, or more.

    Raises:
        ConfigError: pip's internals have changed.

    """
    if reads_no_file():
        return []
    with _pips_internals():
        return _candidates()


def reads_no_file() -> bool:
    """Tell whether pip is configured to read no file."""
    return os.environ.get("PIP_CONFIG_FILE") == os.devnull


def _candidates() -> list[Path]:
    from pip._internal.utils import appdirs  # noqa: PLC0415 - may fail

    name = "pip.ini" if os.name == "nt" else "pip.conf"
    legacy = Path.home() / ("pip" if os.name == "nt" else ".pip")
    folders: list[str | Path] = [
        *appdirs.site_config_dirs("pip"),
        legacy,
        appdirs.user_config_dir("pip"),
        sys.prefix,
    ]
    files = [Path(folder) / name for folder in folders]
    if own := os.environ.get("PIP_CONFIG_FILE"):
        files.append(Path(own))
    return files


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


@contextmanager
def _pips_internals() -> Iterator[None]:
    """Raise `ConfigError` if the block fails since pip's internals have changed."""
    try:
        yield
    except (ImportError, AttributeError, TypeError) as error:
        raise ConfigError(
            "pip",
            f"its configuration cannot be read ({error})",
            "install a version of pip that indexfallback supports: "
            "`python -m pip install 'pip==26.3'`",
        ) from error
