"""Reads the settings from the sections ``[indexfallback]`` and ``[buildout]`` of a buildout."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from buildout_ext.name import NAME
from buildout_ext.places import REMOTE, Places
from indexfallback.config import PRIVATE_FRESH, Index, Settings
from indexfallback.config.address import PYPI, parse_address, redact_text
from indexfallback.config.chain import Entry
from indexfallback.config.load import entry_of, load_settings
from indexfallback.config.naming import slug
from indexfallback.config.units import InvalidValueError, parse_duration
from indexfallback.config.values import directory, index_name, suggest
from indexfallback.errors import ConfigError

OPTIONS = ("indexes", "cooldown", "cache", "offline", "config")
_BOOLEANS = {"true": True, "false": False}
#: ``NAME = URL`` or ``NAME = URL of GROUP``.
_LINE = re.compile(r"(?P<name>[^\s=]+)\s*=\s*(?P<url>\S+)(?:\s+of\s+(?P<group>\S+))?")


def read_settings(
    section: Mapping[str, str],
    options: Mapping[str, str],
    allow_hosts: Sequence[str],
    places: Iterable[Places] = (),
    default: str = "",
) -> Settings:
    """Return the settings in the section and in the ``options`` of ``[buildout]``.

    The indexes that ``places`` name are beside the chain, unless they are in it. Left out is
    ``default``, the index that buildout asks where a part names none: the chain is asked for it.

    Raises:
        ConfigError: an option is not valid; ``where`` is the option.

    """
    base = Path(options["directory"])
    for option in section:
        if option not in OPTIONS and not option.startswith("_"):  # buildout adds those
            raise _error(option, "unknown option", suggest(option, OPTIONS))
    lines = [line for line in section.get("indexes", "").splitlines() if line.strip()]
    config = section.get("config", "").strip()
    if lines and config:
        raise _error("config", "the option indexes is set as well", "remove one of the two")
    settings = load_settings(
        config=base / Path(config).expanduser() if config else None,
        entries=[_entry(line.strip(), base) for line in lines],
        public=None if lines else _public(options, base),
        beside=list(_beside(places, default)),
        offline=_offline(section.get("offline", "").strip()),
    )
    if cache := section.get("cache", "").strip():
        settings = replace(settings, cache_dir=_directory(cache, base))
    if cooldown := section.get("cooldown", "").strip():
        settings = _with_cooldown(settings, cooldown)
    return replace(settings, allow_hosts=tuple(allow_hosts))


def _entry(line: str, base: Path) -> Entry:
    match = _LINE.fullmatch(line)
    if line != PYPI and match is None:
        raise _error(
            "indexes",
            f'"{redact_text(line)}" is not an index',
            'write "NAME = URL", "NAME = URL of GROUP", or "pypi", one per line',
        )
    name, url, group = match.group("name", "url", "group") if match else (PYPI, PYPI, None)
    try:
        index_name(name, base)
    except InvalidValueError as error:
        raise _error("indexes", f'"{name}" {error.problem}', error.remedy) from error
    values = {"name": name, "url": url} | ({"mirror_of": group} if group else {})
    return entry_of(values, _origin("indexes"), base)


def key_of(url: str) -> str | None:
    """Return an address in the one spelling that an index has in settings; None for no address."""
    try:
        return parse_address(url, Path()).url
    except InvalidValueError:
        return None


def _beside(places: Iterable[Places], default: str) -> Iterator[Entry]:
    """Yield the indexes of ``places``, named after section and option: ``py.index``.

    What is no address is left out: it may be the option of a recipe with another meaning.
    """
    for place in places:
        for option, url in place.indexes:
            if key_of(url) not in (None, key_of(default)):
                name = slug(f"{place.section}.{option}") or option
                values = {"name": name, "url": url, "role": "public", "fresh": PRIVATE_FRESH}
                yield entry_of(values, f"[{place.section}] {option}", Path())


def _public(options: Mapping[str, str], base: Path) -> Entry | None:
    """Return the index of ``[buildout] index``; None for a directory, which buildout reads."""
    url = options.get("index", "").strip()
    if not url.startswith(REMOTE):
        return None
    values: dict[str, Any] = {"name": "buildout-index", "url": url, "role": "public"}
    return entry_of(values, "[buildout] index", base)


def _offline(text: str) -> bool:
    if text and text not in _BOOLEANS:
        raise _error("offline", f'"{text}" is neither true nor false', "write true or false")
    return _BOOLEANS.get(text, False)


def _with_cooldown(settings: Settings, text: str) -> Settings:
    """Return settings whose public indexes and mirrors have a cooldown, unless they have one."""
    try:
        seconds = parse_duration(text)
    except InvalidValueError as error:
        raise _error("cooldown", f'"{text}" {error.problem}', error.remedy) from error

    def cooled(indexes: Iterable[Index]) -> tuple[Index, ...]:
        return tuple(
            index
            if index.is_private or index.cooldown is not None
            else replace(index, cooldown=seconds)
            for index in indexes
        )

    return replace(settings, indexes=cooled(settings.indexes), beside=cooled(settings.beside))


def _directory(text: str, base: Path) -> Path:
    try:
        return directory(text, base)
    except InvalidValueError as error:
        raise _error("cache", f'"{text}" {error.problem}', error.remedy) from error


def _error(option: str, problem: str, remedy: str) -> ConfigError:
    return ConfigError(_origin(option), problem, remedy)


def _origin(option: str) -> str:
    return f"[{NAME}] {option}"
