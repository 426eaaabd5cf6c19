"""The stored vulnerabilities of releases; no index or database is asked."""

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec
from packaging.version import InvalidVersion, Version

from indexfallback.config import Index, Settings
from indexfallback.formats.advisories import Advisory, Release, merged, of_index
from indexfallback.names import version_order
from indexfallback.store import Store
from indexfallback.store.documents import DocumentKey, StoredDocument


class KnownAdvisories:
    """What indexes, and the database of advisories if one is set, have stated of releases."""

    def __init__(self, settings: Settings, store: Store) -> None:
        self._settings = settings
        self._store = store

    def of_project(self, project: str, owner: Index) -> dict[str, Any]:
        """Return what is stored about the releases of a project, as JSON; nothing is asked.

        ``owner`` is the index whose page is served for it.
        """
        stated = self._stated(project, owner)
        return {
            # The number of releases with a stored answer, which may name no vulnerability.
            "stated": len(stated),
            "releases": [
                {"version": version, "advisories": msgspec.to_builtins(stated[version])}
                for version in sorted(stated, key=version_order, reverse=True)
                if stated[version]
            ],
        }

    def of_release(self, release: Release, group: str) -> tuple[Advisory, ...]:
        """Return what is stored about a release whose files are from a group of indexes."""
        project, version = release
        index = self._settings.index(group)
        indexes = [index] if index is not None else self._settings.group(group)
        found: list[Advisory] = []
        for source in dict.fromkeys(index.key for index in indexes):
            document = self._store.documents.load(DocumentKey(source, project, version))
            found += of_index(document.body)[1] if document is not None else ()
        if self._settings.advisories is not None:
            stored = self._store.advisories.load(self._settings.advisories, release)
            found += stored.advisories if stored is not None else ()
        return merged(found)

    def _stated(self, project: str, owner: Index) -> dict[str, tuple[Advisory, ...]]:
        """Return what is stored about each version of a project, by version."""
        sources = dict.fromkeys(
            index.key for index in (self._settings.index(owner.group) or owner, owner)
        )
        found: dict[str, tuple[Advisory, ...]] = {}
        for source in sources:
            newest = sorted(self._store.documents.of_project(source, project), key=_checked)
            found = {**dict(_stated_by(newest)), **found}
        if self._settings.advisories is not None:
            stored = self._store.advisories.of_project(self._settings.advisories, project)
            for version, answer in stored.items():
                key = str(_version(version) or version)
                found[key] = merged((*found.get(key, ()), *answer.advisories))
        return found


def _stated_by(documents: Iterable[StoredDocument]) -> Iterator[tuple[str, tuple[Advisory, ...]]]:
    """Yield the version that each document describes, and what it states."""
    for document in documents:
        version, advisories = of_index(document.body)
        yield str(_version(version) or version), advisories


def _checked(document: StoredDocument) -> float:
    return document.checked


def _version(text: str) -> Version | None:
    try:
        return Version(text)
    except InvalidVersion:  # a legacy version has no order
        return None
