"""The parts of a buildout: what they name for themselves, and which one is at work."""

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import zc.buildout
from zc.buildout import buildout as implementation

from buildout_ext.places import Places

#: The section whose options apply to all others.
BUILDOUT = "buildout"


def read_places(buildout: Any) -> dict[str, Places]:
    """Return what ``[buildout]`` and each part name, by section; installs and changes nothing."""
    reader = _Reader(buildout)
    found = {}
    for section in buildout:
        if section == BUILDOUT or _read(reader, section, "recipe"):
            index, extra, links = (
                _read(reader, section, option)
                for option in ("index", "extra-index-url", "find-links")
            )
            found[section] = Places(
                section, index.strip(), tuple(extra.split()), tuple(links.split())
            )
    return found


def _read(reader: "_Reader", section: str, option: str) -> str:
    """Return an option; empty if there is none, or if it cannot be read yet."""
    try:
        return reader[section].get(option) or ""
    except zc.buildout.UserError:  # it may need an installed recipe; else buildout reports it
        return ""


class _Reader:
    """The sections of a buildout, without their recipes, which buildout's own access installs."""

    def __init__(self, buildout: Any) -> None:
        self._buildout = buildout
        #: As `Options` looks for it.
        self._raw = buildout._raw  # noqa: SLF001 - no public access installs no recipe

    def __getitem__(self, section: str) -> Any:
        if section == BUILDOUT:
            return self._buildout[section]
        if section not in self._raw:
            raise implementation.MissingSection(section)
        options = implementation.Options(self, section, self._raw[section])
        options._raw = options._do_extend_raw(section, options._raw, [])  # noqa: SLF001 - as above
        return options


class AtWork:
    """The section that buildout looks something up for."""

    def __init__(self) -> None:
        self._sections: list[str] = []

    @property
    def section(self) -> str:
        """Its name; that of ``[buildout]`` for extensions and recipes."""
        return self._sections[-1] if self._sections else BUILDOUT

    @contextmanager
    def observed(self) -> Iterator[None]:
        """Note which part buildout initializes, installs or updates, until the end."""
        options, load = implementation.Options, implementation._install_and_load  # noqa: SLF001 - no event tells
        before = options._initialize, options._call  # noqa: SLF001 - as above
        options._initialize, options._call = map(self._of_part, before)  # noqa: SLF001 - as above
        # It looks up the recipe of the part, in the places of [buildout].
        implementation._install_and_load = self._noting(load, lambda *_: BUILDOUT)  # noqa: SLF001 - as above
        try:
            yield
        finally:
            options._initialize, options._call = before  # noqa: SLF001 - as above
            implementation._install_and_load = load  # noqa: SLF001 - as above

    def _of_part(self, method: Callable[..., Any]) -> Callable[..., Any]:
        return self._noting(method, lambda options, *_: str(options.name))

    def _noting(
        self, function: Callable[..., Any], section: Callable[..., str]
    ) -> Callable[..., Any]:
        @functools.wraps(function)
        def call(*args: Any) -> Any:
            self._sections.append(section(*args))
            try:
                return function(*args)
            finally:
                self._sections.pop()

        return call
