"""Checks entry_points.txt, from which installers make the scripts of a wheel.

Source: PyPA's entry points specification, and the pattern of `importlib.metadata.EntryPoint`.
"""

import configparser
import re

from indexfallback.dists.bounds import ArchiveError

#: Installers make a script of each entry point of these groups, and the script calls an attribute.
_SCRIPTS = ("console_scripts", "gui_scripts")
#: A script is a file in a directory of programs.
_SCRIPT_NAME = re.compile(r"[^\s/\\]+")
_IDENTIFIERS = r"[^\W\d]\w*(?:\.[^\W\d]\w*)*"
_REFERENCE = re.compile(
    rf"(?P<module>{_IDENTIFIERS})[ \t]*(?::[ \t]*(?P<attribute>{_IDENTIFIERS})[ \t]*)?"
    r"(?:\[[^\[\]]*\])?"
)
#: No header of a section can be empty, so there is no section of defaults.
_NO_SECTION = ""


class EntryPointsError(ArchiveError):
    """The entry_points.txt of a wheel cannot be used."""

    remedy = "Correct the entry points in the project's configuration, and build it again"


def check_entry_points(content: bytes) -> None:
    """Refuse an entry_points.txt that installers cannot use; raises `EntryPointsError`."""
    parser = configparser.ConfigParser(
        delimiters=("=",),
        interpolation=None,
        default_section=_NO_SECTION,
        empty_lines_in_values=False,
    )
    parser.optionxform = str  # type: ignore[assignment,method-assign] # names are case-sensitive
    try:
        parser.read_string(content.decode("utf-8"), "entry_points.txt")
    except UnicodeDecodeError as error:
        raise EntryPointsError("its entry_points.txt is not UTF-8") from error
    except configparser.Error as error:
        words = " ".join(str(error).split())
        raise EntryPointsError(f"its entry_points.txt cannot be read: {words}") from error
    for group in parser.sections():
        for name, value in parser.items(group):
            problem = _problem(group, name, value)
            if problem:
                where = f"{name} = {value}"
                raise EntryPointsError(
                    f'its entry_points.txt has "{where}" in [{group}]: {problem}'
                )


def _problem(group: str, name: str, value: str) -> str:
    """Return why an entry point cannot be used, or nothing."""
    match = _REFERENCE.fullmatch(value)
    if match is None:
        return "the value is not an object reference (module:attribute)"
    if group in _SCRIPTS and match["attribute"] is None:
        return "a script needs an attribute to call (module:attribute)"
    if group in _SCRIPTS and not _SCRIPT_NAME.fullmatch(name):
        return "the name of a script has no space and no path"
    return ""
