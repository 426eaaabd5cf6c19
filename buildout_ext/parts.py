"""The parts of a buildout: what they name for themselves, and which one is at work."""

import inspect
from typing import Any

import zc.buildout
from zc.buildout import buildout as implementation

from buildout_ext.places import Places

#: The section whose options apply to all others.
BUILDOUT = "buildout"
#: The functions that initialize, install and update a part, and that looks up its recipe.
_OF_PARTS = (
    implementation.Options._initialize.__code__,  # noqa: SLF001 - no public function tells
    implementation.Options._call.__code__,  # noqa: SLF001 - as above
)
_OF_RECIPES = implementation._install_and_load.__code__  # noqa: SLF001 - as above


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


def section_at_work() -> str:
    """Return the section that something is looked up for; ``buildout`` for extensions and recipes.

    The calls under way tell it, as they tell buildout what to report after an error.
    """
    frame = inspect.currentframe()
    while frame is not None:
        if frame.f_code is _OF_RECIPES:
            return BUILDOUT
        if frame.f_code in _OF_PARTS:
            return str(frame.f_locals["self"].name)
        frame = frame.f_back
    return BUILDOUT
