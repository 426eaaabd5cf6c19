"""Which projects and which of their files are mirrored, by the settings."""

import hashlib
from collections.abc import Iterable
from dataclasses import replace
from fnmatch import fnmatchcase

from indexfallback.config.mirror import Mirror, Wanted
from indexfallback.mirror.compatibility import Targets
from indexfallback.mirror.releases import (
    is_among,
    is_pinned,
    is_prerelease,
    newest,
    yanked_by_version,
)
from indexfallback.names import is_claimed, version_in
from indexfallback.page import File, ProjectPage

_SPECIAL = frozenset("*?")


class Selection:
    """The projects and files that are wanted of an index."""

    def __init__(self, mirror: Mirror, more: Iterable[Wanted] = ()) -> None:
        """Select by the settings, and in addition ``more``, which requirements name."""
        self._mirror = replace(mirror, projects=(*mirror.projects, *sorted(more)))
        self._named: dict[str, list[Wanted]] = {}
        self._patterns: list[Wanted] = []
        for wanted in self._mirror.projects:
            if _SPECIAL.isdisjoint(wanted.pattern):
                self._named.setdefault(wanted.pattern, []).append(wanted)
            else:
                self._patterns.append(wanted)
        self._looks_at_versions = mirror.latest is not None or not mirror.prereleases
        #: Shortcuts past the patterns: each run tests up to 800,000 names.
        self._takes_names = any(wanted.pattern == "*" for wanted in self._patterns)
        self._takes_versions = any(w.pattern == "*" and not w.specifier for w in self._patterns)
        if self._looks_at_versions and any(wanted.specifier for wanted in self._patterns):
            self._takes_versions = False
        self._excluded_projects = tuple(w.pattern for w in mirror.exclude if not w.specifier)
        self._excluded = tuple(w for w in mirror.exclude if w.specifier)
        self._targets = Targets(mirror.platforms, mirror.pythons)
        self._filters = _digest_of_filters(mirror)

    def fingerprint(self, project: str) -> str:
        """Return a digest of all settings that select files of a project."""
        if self._takes_versions and project not in self._named:
            return self._filters
        specifiers = self._specifiers(project)
        if specifiers == {""} or ("" in specifiers and not self._looks_at_versions):
            return self._filters
        text = "\n".join((self._filters, *sorted(specifiers)))
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    @property
    def settings(self) -> Mirror:
        """The settings, with the projects that requirements name."""
        return self._mirror

    @property
    def named(self) -> frozenset[str]:
        """The projects that are named without a pattern."""
        return frozenset(self._named)

    @property
    def names(self) -> list[str] | None:
        """The wanted projects, or None if patterns need the index's list of names."""
        return None if self._patterns else [n for n in sorted(self._named) if self.wants(n)]

    def wants(self, project: str) -> bool:
        """Tell whether anything of a normalised project is wanted."""
        if self._excluded_projects and is_claimed(project, self._excluded_projects):
            return False
        return (
            self._takes_names
            or project in self._named
            or any(fnmatchcase(project, wanted.pattern) for wanted in self._patterns)
        )

    def files(self, page: ProjectPage) -> tuple[File, ...]:
        """Return the files of a page that are wanted, in its order."""
        if not self.wants(page.name):
            return ()
        files = tuple(file for file in page.files if self._is_wanted(file))
        specifiers = self._specifiers(page.name)
        excluded = [w.specifier for w in self._excluded if fnmatchcase(page.name, w.pattern)]
        if "" in specifiers and not excluded and not self._looks_at_versions:
            return files
        yanked = yanked_by_version(files, page.name)
        yanked = {v: is_yanked for v, is_yanked in yanked.items() if not is_among(v, excluded)}
        chosen = {version for version in yanked if is_pinned(version, specifiers)}
        if not self._mirror.prereleases:
            yanked = {v: is_yanked for v, is_yanked in yanked.items() if not is_prerelease(v)}
        if self._mirror.latest is None:
            chosen |= {version for version in yanked if is_among(version, specifiers)}
        else:
            chosen |= newest(yanked, specifiers, self._mirror.latest)
        return tuple(file for file in files if version_in(file.filename, page.name) in chosen)

    def extras(self, project: str) -> frozenset[str]:
        """Return the extras of a project that are asked for."""
        return frozenset(extra for wanted in self._entries(project) for extra in wanted.extras)

    def _specifiers(self, project: str) -> set[str]:
        """Return the specifiers, one of which has to match; an empty one matches everything."""
        return {wanted.specifier for wanted in self._entries(project)}

    def _entries(self, project: str) -> list[Wanted]:
        patterns = (each for each in self._patterns if fnmatchcase(project, each.pattern))
        return [*self._named.get(project, ()), *patterns]

    def _is_wanted(self, file: File) -> bool:
        """Tell whether a file is wanted, whatever its version."""
        mirror = self._mirror
        if mirror.files and not any(_is_kind(file.filename, kind) for kind in mirror.files):
            return False
        if mirror.max_file_size is not None and (file.size or 0) > mirror.max_file_size:
            return False
        # Both times sort as text. A file without a time is wanted.
        if mirror.since is not None and (file.upload_time or mirror.since) < mirror.since:
            return False
        return self._targets.accept(file)


def _digest_of_filters(mirror: Mirror) -> str:
    """Return a digest of the settings that select files of every project."""
    filters = (
        mirror.exclude, mirror.files, mirror.platforms, mirror.pythons, mirror.latest,
        mirror.since, mirror.prereleases, mirror.max_file_size, mirror.on_removed,
    )  # fmt: skip
    return hashlib.sha256(repr(filters).encode()).hexdigest()[:16]


def _is_kind(filename: str, kind: str) -> bool:
    is_wheel = filename.endswith(".whl")
    if kind == "wheel":
        return is_wheel
    if kind == "sdist":
        return filename.endswith((".tar.gz", ".zip", ".tar.bz2", ".tgz", ".tar.xz", ".tar.Z"))
    return fnmatchcase(filename, kind)
