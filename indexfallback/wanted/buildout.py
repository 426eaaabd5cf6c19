"""What a buildout asks for: the pins of its versions, and the requirements of its parts.

zc.buildout reads it (`wanted.buildout_process`); here its options are given their meaning, as
zc.buildout and zc.recipe.egg give it, and as other recipes do by convention:

- ``recipe`` and ``eggs`` of the parts, and ``extensions``, are requirements
- the pins are constraints of these; and pinned projects are wanted, whatever asks for them
- projects in ``develop`` are directories; only what they require is from an index
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from glob import glob
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version

from indexfallback.errors import WantedUnavailableError
from indexfallback.names import is_project_name, normalize
from indexfallback.wanted import Demand, DirectReference, Local, Origin, Pin, Unknown, Wanted
from indexfallback.wanted.buildout_process import Fetch, Read, Section, read
from indexfallback.wanted.developed import Developed, developed

#: The extension of this package: it is installed where buildout is, and not looked up.
_OURS = "indexfallback"
#: The source of a value that no file states.
_DEFAULT = "DEFAULT_VALUE"
_CORRECT = "correct it, so that buildout can read it"


def buildout(file: Path, markers: Mapping[str, str] | None, fetch: Fetch) -> Wanted:
    """Return what a buildout asks for; raises `WantedUnavailableError`.

    ``markers`` is the environment for conditional sections, None for this Python.
    """
    content = read(file, markers, fetch)
    return wanted_of(content, str(file), [developed(each) for each in _directories(content)])


def wanted_of(content: Read, file: str, directories: Sequence[Developed]) -> Wanted:
    """Return the requirements in what was read from a file; ``directories`` are in `develop`."""
    own = {each.name: each for each in directories if each.name}
    reading = _Reading(content, file, own)
    wanted = sum(
        (reading.pins(), reading.parts(), reading.extensions(), reading.links(),
         *map(reading.directory, directories)),
        _problems(content, file),
    )  # fmt: skip
    if not (wanted.projects or wanted.unknown or wanted.direct_references or directories):
        problem = "it has neither pins nor parts"
        raise WantedUnavailableError(file, problem, "name the file that buildout is run with")
    pre = content.buildout.get("prefer-final", ("true", ""))[0] == "false"
    local = tuple(Local(each.name, each.version, tuple(each.extras)) for each in own.values())
    return wanted + Wanted(local=local, pre=pre)


def _problems(content: Read, file: str) -> Wanted:
    """Return what buildout itself could not read."""
    parts = [
        Unknown(f"part {part}", Origin(f"{file} [{part}]"), problem, _CORRECT)
        for part, problem in content.problems
    ]
    origin = _origin(content.buildout, "develop", file, "buildout")
    missing = [
        _no_directory(path, origin) for path, found in _developed_paths(content) if not found
    ]
    return Wanted(unknown=(*parts, *missing))


def _no_directory(path: str, origin: Origin) -> Unknown:
    if "${" in path:
        return _set_later(f"develop = {path}", origin)
    cause = "there is no such directory"
    return Unknown(f"develop = {path}", origin, cause, "correct it, or check the project out")


def _set_later(what: str, origin: Origin) -> Unknown:
    cause = "a recipe or an extension sets this when buildout runs"
    return Unknown(what, origin, cause, "name on the command line what it stands for")


@dataclass(frozen=True)
class _Reading:
    """The options of one buildout, and the projects in directories of it by name."""

    content: Read
    file: str
    own: Mapping[str, Developed]

    def pins(self) -> Wanted:
        """Return the pins, which are constraints, too."""
        name = self.content.versions_section
        stated = {normalize(each): each for each in self.content.versions}  # the last one counts
        wanted = Wanted()
        for project, option in stated.items():
            value, source = self.content.versions[option]
            if value.strip() and source != _DEFAULT and project not in self.own:
                origin = Origin(f"{source or self.file} [{name}]")
                wanted += _pin(option, " ".join(value.split()), origin)
        return wanted

    def parts(self) -> Wanted:
        """Return the recipes of all parts, and their eggs."""
        wanted = Wanted()
        for name, part in self.content.parts.items():
            recipe, _, entry = part["recipe"][0].partition(":")
            origin = _origin(part, "recipe", self.file, name)
            wanted += self._demand(recipe.strip(), origin, f"the recipe of [{name}]")
            for option, texts in _eggs(name, part, recipe.strip(), entry).items():
                origin = _origin(part, option, self.file, name)
                for text in texts:
                    wanted += self._demand(text, origin, f"[{name}]")
        return wanted

    def extensions(self) -> Wanted:
        """Return the extensions, which are installed before all parts."""
        options = self.content.buildout
        origin = _origin(options, "extensions", self.file, "buildout")
        texts = [text for text in _words(options, "extensions") if text != _OURS]
        found = (self._demand(text, origin, "the extensions") for text in texts)
        remark = f"{origin}: extensions are not run, and what they would change is not known"
        return sum(found, Wanted(remarks=(remark,) if texts else ()))

    def directory(self, project: Developed) -> Wanted:
        """Return what a project in a directory requires."""
        origin = Origin(str(project.directory))
        group = str(project.directory)
        built = (self._demand(text, origin, f"the build of {group}") for text in project.build)
        wanted = sum(built, Wanted())
        wanted += sum(
            (self._demand(text, origin, group) for text in project.requires or ()), Wanted()
        )
        known = {"name": project.name, "requirements": project.requires is not None}
        unknown = " and ".join(what for what, is_known in known.items() if not is_known)
        if unknown:
            remark = f"{group}: the {unknown} of this project in `develop` are known after a build"
            return wanted + Wanted(remarks=(remark,))
        return wanted

    def links(self) -> Wanted:
        """Return the directories of `find-links`, and what has no effect."""
        links: list[str] = []
        remarks: list[str] = []
        base = self.content.buildout["directory"][0]
        for name, section in {"buildout": self.content.buildout, **self.content.parts}.items():
            if section.get("index", ("", _DEFAULT))[0]:
                origin = _origin(section, "index", self.file, name)
                remarks.append(f"{origin}: index has no effect: the chain is asked")
            for link in _words(section, "find-links"):
                origin = _origin(section, "find-links", self.file, name)
                if "://" in link and not link.startswith("file://"):
                    remarks.append(
                        f"{origin}: find-links {link} is not part of the chain: nothing is "
                        "fetched from it"
                    )
                else:
                    links.append(str(Path(base, link.removeprefix("file://"))))
        caches = _words(self.content.buildout, "download-cache")
        links += [str(Path(base, cache, "dist")) for cache in caches]
        found = tuple(dict.fromkeys(link for link in links if Path(link).is_dir()))
        return Wanted(find_links=found, remarks=tuple(dict.fromkeys(remarks)))

    def _demand(self, text: str, origin: Origin, group: str) -> Wanted:
        """Return a requirement, or, if it is for a project in a directory, those of its extras."""
        if "${" in text:
            return Wanted(unknown=(_set_later(text, origin),))
        try:
            requirement = Requirement(text)
        except InvalidRequirement as error:
            cause = f"it is not a requirement ({str(error).splitlines()[0]})"
            return Wanted(unknown=(Unknown(text, origin, cause, _CORRECT),))
        if requirement.url is not None:
            return Wanted(direct_references=(DirectReference(text, origin),))
        project = self.own.get(normalize(requirement.name))
        if project is None:
            return Wanted(demands=(Demand(text, origin, group),))
        extras = sorted(map(normalize, requirement.extras))
        texts = [each for extra in extras for each in project.extras.get(extra, ())]
        return sum((self._demand(each, origin, group) for each in texts if each != text), Wanted())


def _pin(project: str, text: str, origin: Origin) -> Wanted:
    """Return a pin; what buildout would not take is unknown."""
    if not is_project_name(project):
        cause = f"{project} is not the name of a project"
        return Wanted(unknown=(Unknown(f"{project} = {text}", origin, cause, _CORRECT),))
    if "${" in text:
        return Wanted(unknown=(_set_later(f"{project} = {text}", origin),))
    name, exact = normalize(project), text.removeprefix("==").strip()
    try:
        version = str(Version(exact))
    except InvalidVersion:
        pass
    else:
        return Wanted(
            pins=(Pin(name, version, origin, is_needed=False),),
            constraints=(Demand(f"{name}=={version}", origin),),
        )
    cause = 'it is neither a version nor a specifier like ">=1,<2"'
    unknown = Unknown(f"{project} = {text}", origin, cause, "pin it to a version")
    if not text.startswith(("<", ">")):  # to buildout, anything else is a version
        return Wanted(unknown=(unknown,))
    try:
        demand = Demand(f"{name}{SpecifierSet(text)}", origin, f"the pin of {name}")
    except InvalidSpecifier:
        return Wanted(unknown=(unknown,))
    return Wanted(demands=(demand,), constraints=(demand,))


def _eggs(name: str, part: Section, recipe: str, entry: str) -> dict[str, list[str]]:
    """Return the requirements of a part, by option.

    With zc.recipe.egg, a part without `eggs` is named as its only egg.
    """
    options: list[str] = [option for option in ("eggs", "egg") if option in part]
    found = {option: [line.strip() for line in part[option][0].split("\n") if line.strip()]
             for option in options}  # fmt: skip
    if normalize(recipe) == "zc-recipe-egg" and entry != "develop":
        found.setdefault("egg" if entry == "custom" else "eggs", [name])
    return found


def _directories(content: Read) -> Iterator[Path]:
    """Yield the directories of the projects in `develop`."""
    for _, found in _developed_paths(content):
        for path in found:
            yield path if path.is_dir() else path.parent


def _developed_paths(content: Read) -> Iterator[tuple[str, list[Path]]]:
    """Yield each path in `develop`, and in parts of zc.recipe.egg, with all that it matches."""
    stated = _words(content.buildout, "develop")
    for part in content.parts.values():
        if part["recipe"][0] == "zc.recipe.egg:develop":
            stated += _words(part, "setup")
    base = content.buildout["directory"][0]
    for path in dict.fromkeys(stated):
        found = glob(path, root_dir=base)  # noqa: PTH207 - `Path.glob` takes no absolute one
        yield path, sorted(Path(base, each) for each in found)


def _words(section: Section, option: str) -> list[str]:
    return section.get(option, ("", ""))[0].split()


def _origin(section: Section, option: str, file: str, name: str) -> Origin:
    source = section.get(option, ("", ""))[1]
    return Origin(f"{source if os.sep in source or '/' in source else file} [{name}]")
