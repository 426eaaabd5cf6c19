"""What pip's own configuration says: its indexes, its certificates, and where PyPI is.

The files are found and read by pip itself, from this process's environment. Importing that part
of pip costs 150 ms, so it is done only if one of the files, which cost 8 ms to find, names the
option that is asked for.
"""

import os
import re
import sys
from collections.abc import Callable, Mapping
from functools import cache, cached_property
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from indexfallback.errors import ConfigError

_T = TypeVar("_T")

#: What pip takes for true.
_TRUE = frozenset(("y", "yes", "t", "true", "on", "1"))
#: Sections that ``pip install`` reads, the strongest first; the environment is above both.
_SECTIONS = ("install", "global")


class PipIndex(NamedTuple):
    """One index that pip is configured to use."""

    #: As pip has it: credentials and all.
    url: str
    #: ``pip: extra-index-url``.
    origin: str
    public: bool


class PipConfig:
    """pip's options as ``pip install`` would see them.

    ``environ`` holds the ``PIP_*`` options; where the files are (``PIP_CONFIG_FILE``,
    ``XDG_CONFIG_HOME``) pip reads from the process's own environment.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ

    def get(self, option: str) -> str | None:
        """Return the value of ``option`` (``extra-index-url``); an empty one is none, as in pip.

        Raises:
            ConfigError: a file that names the option is broken, or pip cannot be asked.

        """
        if value := self._environ.get("PIP_" + option.upper().replace("-", "_")):
            return value
        spelling = re.compile(option.replace("-", "[-_]").encode(), re.IGNORECASE)
        if not any(spelling.search(text) for text in self._texts):
            return None
        values = (self._from_files(f"{section}.{option}") for section in _SECTIONS)
        return next(filter(None, values), None)

    def indexes(self, is_own: Callable[[str], bool]) -> tuple[PipIndex, ...]:
        """Return the indexes in the order of the chain, without those that ``is_own`` knows.

        pip merges its indexes and gives none precedence. Here an ``extra-index-url`` is private
        and ``index-url`` public; but where PyPI is spelt out among the extra ones, a private
        index is the main one, and PyPI stays the public one and the last.
        """
        urls = dict.fromkeys((self.get("extra-index-url") or "").split())
        extra = [
            PipIndex(url, "pip: extra-index-url", public=is_default_url(url))
            for url in urls
            if not is_own(url)
        ]
        if (self.get("no-index") or "").lower() in _TRUE:
            return tuple(index for index in extra if not index.public)
        main = self.get("index-url")
        if main is None or is_own(main):
            index = PipIndex(default_url(), "pip: default", public=True)
        else:
            has_default = any(index.public for index in extra)
            index = PipIndex(main, "pip: index-url", public=is_default_url(main) or not has_default)
        found = [*(other for other in extra if other.url != index.url), index]
        private = [index for index in found if not index.public]
        # PyPI may be spelt out twice, with a slash and without one.
        return (*private, [index for index in found if index.public][-1])

    def _from_files(self, key: str) -> str | None:
        def ask() -> str | None:
            from pip._internal.exceptions import ConfigurationError  # noqa: PLC0415 - costs 150 ms

            try:
                return str(self._configuration.get_value(key))
            except ConfigurationError:
                return None

        return _ask_pip(ask)

    @cached_property
    def _configuration(self) -> Any:
        """The object of pip's own, loaded."""
        from pip._internal.configuration import Configuration  # noqa: PLC0415 - costs 150 ms
        from pip._internal.exceptions import ConfigurationError  # noqa: PLC0415 - the same

        configuration = Configuration(isolated=False)
        try:
            configuration.load()
        except ConfigurationError as error:
            # pip's message quotes the line, which may hold a password.
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
        """What pip's configuration files hold; those that cannot be opened pip passes over too."""
        return tuple(map(_content, configuration_files()))


@cache
def default_url() -> str:
    """Return the address of PyPI, which pip knows.

    Raises:
        ConfigError: this pip keeps it elsewhere.

    """

    def ask() -> str:
        from pip._internal.models.index import PyPI  # noqa: PLC0415 - `_ask_pip` tells of failure

        return f"{PyPI.simple_url}/"

    return _ask_pip(ask)


def is_default_url(url: str) -> bool:
    """Tell whether ``url`` is PyPI's address, with or without its last slash."""
    return url.rstrip("/").lower() == default_url().rstrip("/")


def configuration_files() -> list[Path]:
    """Return where pip may have a configuration file: more rather than fewer than it reads.

    Raises:
        ConfigError: pip cannot be asked.

    """
    return _ask_pip(_candidates)


def _candidates() -> list[Path]:
    from pip._internal.utils import appdirs  # noqa: PLC0415 - `_ask_pip` tells of failure

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


def _ask_pip(ask: Callable[[], _T]) -> _T:
    """Call what uses pip's internals, and say so if this pip has moved them."""
    try:
        return ask()
    except (ImportError, AttributeError, TypeError) as error:
        raise ConfigError(
            "pip",
            f"its configuration cannot be read ({error})",
            "install a pip that indexfallback knows: `python -m pip install 'pip==26.3'`",
        ) from error
