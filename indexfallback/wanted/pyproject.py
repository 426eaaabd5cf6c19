"""Reads ``pyproject.toml``: dependencies, extras, groups and build requirements."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement

from indexfallback.dists.sdist_requirements import build_requires
from indexfallback.errors import WantedError
from indexfallback.names import normalize
from indexfallback.wanted import Demand, Origin, Wanted
from indexfallback.wanted.documents import read_toml


def pyproject_file(path: Path, extras: Sequence[str], groups: Sequence[str] = ()) -> Wanted:
    """Return the requirements of a project, read from its file; raises `WantedError`."""
    return read_toml(
        path,
        lambda document: pyproject(document, Origin(str(path)), extras, groups),
        "correct that and run again",
    )


def pyproject(
    document: Mapping[str, Any],
    origin: Origin,
    extras: Sequence[str],
    groups: Sequence[str],
) -> Wanted:
    """Return what a project requires to be built and to run; raises `WantedError`."""
    project = document.get("project", {})
    if "dependencies" in project.get("dynamic", ()):
        raise WantedError(
            str(origin),
            "its dependencies are dynamic, and known only after a build",
            "lock them (`uv pip compile`, `pip lock`) and fetch the lock file",
        )
    lists = _Lists(document, origin)
    texts = [*project.get("dependencies", ())]
    for extra in extras:
        texts += lists.of_extra(extra)
    for group in groups:
        texts += lists.of_group(group)
    if "build-system" in document or "project" in document:
        texts += build_requires(document)
    texts = [each for text in texts for each in lists.own(text)]
    return Wanted(demands=tuple(Demand(text, origin) for text in dict.fromkeys(texts)))


class _Lists:
    """The extras and groups of a project, which can include one another."""

    def __init__(self, document: Mapping[str, Any], origin: Origin) -> None:
        self._origin = origin
        project = document.get("project", {})
        self._name = normalize(project.get("name", ""))
        optional = project.get("optional-dependencies", {})
        self._extras = {normalize(name): listed for name, listed in optional.items()}
        groups = document.get("dependency-groups", {})
        self._groups = {normalize(name): listed for name, listed in groups.items()}

    def of_extra(self, name: str) -> list[str]:
        """Return the requirements of an extra."""
        return list(self._find(self._extras, name, "extra"))

    def of_group(self, name: str, within: tuple[str, ...] = ()) -> Iterator[str]:
        """Yield the requirements of a group and of the groups that it includes."""
        if normalize(name) in within:
            raise self._error(f"its group {name} includes itself", "remove the circle")
        for entry in self._find(self._groups, name, "group"):
            if isinstance(entry, str):
                yield entry
            else:
                yield from self.of_group(entry["include-group"], (*within, normalize(name)))

    def own(self, text: str, seen: tuple[str, ...] = ()) -> Iterator[str]:
        """Yield a requirement, or, if it is for the project itself, those of its extras."""
        requirement = Requirement(text)
        if not self._name or normalize(requirement.name) != self._name:
            yield text
            return
        for extra in sorted(requirement.extras.difference(seen)):
            for each in self.of_extra(extra):
                yield from self.own(each, (*seen, extra))

    def _find(self, lists: Mapping[str, Any], name: str, kind: str) -> Sequence[Any]:
        if normalize(name) not in lists:
            known = ", ".join(sorted(lists)) or "none"
            raise self._error(f"it has no {kind} {name}", f"use one of: {known}")
        found: Sequence[Any] = lists[normalize(name)]
        return found

    def _error(self, problem: str, remedy: str) -> WantedError:
        return WantedError(str(self._origin), problem, remedy)
