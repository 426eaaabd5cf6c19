"""Reads the ``[versions]`` of a buildout and of the files that it extends."""

import re
from collections.abc import Callable, Iterator
from configparser import ConfigParser, Error

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version

from indexfallback.errors import WantedError
from indexfallback.names import is_project_name, normalize
from indexfallback.wanted import Demand, Origin, Pin, Wanted

#: A section can have a condition: ``[versions:python_version < "3.10"]``.
_SECTION = re.compile(r"([^:\s]+)\s*(?::.*)?")
_REMARK = "extends {file}, which is an address: its pins are not fetched"


def buildout(file: str, read: Callable[[str, str], tuple[str, str]]) -> Wanted:
    """Return the pins of a buildout's configuration file.

    ``read`` takes a file and the file that names it, returns path and text, and raises
    `WantedError`. Sections with a condition always count, so that rather more is fetched.
    """
    remarks: list[str] = []
    files = [_parsed(*each) for each in _chain(file, "", read, remarks, ())]
    named = [config["buildout"].get("versions") for _, config in files if "buildout" in config]
    section = next((name for name in reversed(named) if name), "versions")
    found: dict[tuple[str, str], Pin | Demand] = {}
    for path, config in files:  # the extending file comes last and overrides
        of_file = dict(_pins(path, config, section))
        overridden = {project for project, _ in of_file}
        found = {key: each for key, each in found.items() if key[0] not in overridden}
        found |= of_file
    if not files or not any(_is_section(name, section) for _, c in files for name in c):
        raise WantedError(
            file,
            f"it has no [{section}]",
            "name the file that pins its eggs, or fetch them by name",
        )
    return Wanted(
        pins=tuple(each for each in found.values() if isinstance(each, Pin)),
        demands=tuple(each for each in found.values() if isinstance(each, Demand)),
        remarks=tuple(remarks),
    )


def _chain(
    file: str,
    by: str,
    read: Callable[[str, str], tuple[str, str]],
    remarks: list[str],
    within: tuple[str, ...],
) -> Iterator[tuple[str, str]]:
    """Yield path and text of each file that a file extends, and then of itself."""
    path, text = read(file, by)
    if path in within:
        raise WantedError(path, "it extends itself", "remove the circle")
    extended = _parsed(path, text)[1].get("buildout", "extends", fallback="")
    for name in (extended or "").split():
        if "://" in name:
            remarks.append(f"{path} {_REMARK.format(file=name)}")
        else:
            yield from _chain(name, path, read, remarks, (*within, path))
    yield path, text


def _parsed(path: str, text: str) -> tuple[str, ConfigParser]:
    config = ConfigParser(
        delimiters=("=",), comment_prefixes=("#", ";"), inline_comment_prefixes=("#", ";"),
        strict=False, allow_no_value=True, interpolation=None, default_section="",
    )  # fmt: skip
    try:
        config.read_string(text)
    except Error as error:
        problem = " ".join(str(error).split())
        raise WantedError(path, problem, "correct it so that buildout can read it") from None
    return path, config


def _is_section(name: str, section: str) -> bool:
    match = _SECTION.fullmatch(name)
    return match is not None and match[1] == section


def _pins(
    path: str, config: ConfigParser, section: str
) -> Iterator[tuple[tuple[str, str], Pin | Demand]]:
    """Yield the pins of a file, by project and version."""
    for name in config:
        for option, value in config[name].items() if _is_section(name, section) else ():
            version = (value or "").strip()
            project = option.rstrip("+- ")
            if not version or not is_project_name(project):  # an empty version removes a pin
                continue
            origin = Origin(f"{path} [{name}]")
            yield (normalize(project), version), _pin(normalize(project), version, origin)


def _pin(project: str, version: str, origin: Origin) -> Pin | Demand:
    try:
        return Pin(project, str(Version(version)), origin, is_needed=False)
    except InvalidVersion:
        pass
    try:
        return Demand(f"{project}{SpecifierSet(version)}", origin)
    except InvalidSpecifier:
        problem = f'{project} = {version} is neither a version nor a specifier like ">=1,<2"'
        raise WantedError(str(origin), problem, "pin it to a version") from None
