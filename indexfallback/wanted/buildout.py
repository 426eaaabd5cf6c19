"""A buildout's ``[versions]``, and those of the files that it extends."""

import re
from collections.abc import Callable, Iterator
from configparser import ConfigParser, Error

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version

from indexfallback.errors import WantedError
from indexfallback.names import is_project_name, normalize
from indexfallback.wanted import Demand, Origin, Pin, Wanted

#: A section may hold on one condition only: ``[versions:python_version < "3.10"]``.
_SECTION = re.compile(r"([^:\s]+)\s*(?::.*)?")
_REMARK = "extends {file}, which is an address: what it pins is not fetched"


def buildout(file: str, read: Callable[[str, str], tuple[str, str]]) -> Wanted:
    """Return the pins of a buildout's configuration file.

    ``read`` takes a file and the one that names it, and returns its path and text; it raises
    `WantedError`. Of sections that hold on a condition all count: more is fetched then.
    """
    remarks: list[str] = []
    files = [_parsed(*each) for each in _chain(file, "", read, remarks, ())]
    named = [config["buildout"].get("versions") for _, config in files if "buildout" in config]
    section = next((name for name in reversed(named) if name), "versions")
    found: dict[tuple[str, str], Pin | Demand] = {}
    for path, config in files:  # the one that extends comes last, and is stronger
        of_file = dict(_pins(path, config, section))
        overridden = {project for project, _ in of_file}
        found = {key: each for key, each in found.items() if key[0] not in overridden}
        found |= of_file
    if not files or not any(_is_section(name, section) for _, c in files for name in c):
        raise WantedError(
            file,
            f"it has no [{section}]",
            "fetch its eggs by name, or name the file that pins them",
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
    """Yield path and text of each file that a file extends, and then its own."""
    path, text = read(file, by)
    if path in within:
        raise WantedError(path, "it extends itself", "break the circle")
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
        raise WantedError(path, problem, "write it as buildout reads it") from None
    return path, config


def _is_section(name: str, section: str) -> bool:
    match = _SECTION.fullmatch(name)
    return match is not None and match[1] == section


def _pins(
    path: str, config: ConfigParser, section: str
) -> Iterator[tuple[tuple[str, str], Pin | Demand]]:
    """Yield what a file pins, by project and version."""
    for name in config:
        for option, value in config[name].items() if _is_section(name, section) else ():
            version = (value or "").strip()
            project = option.rstrip("+- ")
            if not version or not is_project_name(project):  # an empty one is no pin
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
