"""The indexes' own addresses, from the settings and the store; no index is asked."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import lru_cache

from indexfallback.config import Index, Settings
from indexfallback.config.pip import default_url, is_default_url
from indexfallback.doctor.addresses import FileAddress
from indexfallback.doctor.mending import OwnAddress
from indexfallback.errors import ProjectError
from indexfallback.page import ProjectPage
from indexfallback.shim import Shim

#: Pages and owners in memory: the files of one project stand together in a lock file.
_KEPT = 64
_BY_HAND = "Write the address of its index by hand"


@contextmanager
def own_addresses(settings: Settings) -> Iterator["OwnAddresses"]:
    """Yield them; raises `StoreError` if the cache cannot be opened."""
    shim = Shim(replace(settings, offline=True))
    try:
        yield OwnAddresses(shim)
    finally:
        shim.close()


class OwnAddresses:
    """Finds the addresses that replace those of the shim (`mending.Lookup`)."""

    def __init__(self, shim: Shim) -> None:
        self._shim = shim
        self._settings = shim.settings
        self._page = lru_cache(_KEPT)(self._load)
        self._group = lru_cache(_KEPT)(self._find_group)

    def chain(self) -> OwnAddress:
        """Return the address of the chain's last public index, or of its only group."""
        indexes = self._settings.indexes
        public = [index for index in indexes if index.role == "public"]
        if not public and len(indexes) > 1:
            return OwnAddress(problem="the chain has no public index", remedy=_BY_HAND)
        return _address((public or list(indexes))[-1])

    def index(self, name: str) -> OwnAddress:
        """Return the address of an index."""
        index = self._settings.index(name)
        if index is None:
            return OwnAddress(problem=f"no index is named {name}", remedy=_BY_HAND)
        return _address(index)

    def owner(self, project: str) -> OwnAddress:
        """Return the address of the index that owns a normalised project."""
        group = self._group(project)
        if group is not None:
            return self.index(group)
        problem = f"which index owns {project} is not known"
        return OwnAddress(problem=problem, remedy=_refresh(project))

    def file(self, file: FileAddress) -> OwnAddress:
        """Return a file's address on the stored pages of its owner, the public index's first."""
        project, group = file.key.project, self._settings.group(file.owner)
        if not group:
            return OwnAddress(problem=f"no index is named {file.owner}", remedy="Lock again")
        if self._group(project) not in (None, file.owner):
            problem = f"{project} belongs to {self._group(project)}, not to {file.owner}"
            return OwnAddress(problem=problem, remedy="Lock again")
        for index in sorted(group, key=lambda index: index.name != file.owner):
            page = self._page(index.key, project)
            listed = page.file(file.filename, file.key.sha256) if page else None
            if listed is not None:
                return _not_http(index) if index.is_read_each_time else OwnAddress(listed.url)
        problem = f"no stored page of {file.owner} lists {file.filename} with this hash"
        return OwnAddress(problem=problem, remedy=_refresh(project))

    def _load(self, source: str, project: str) -> ProjectPage | None:
        return self._shim.store.pages.load(source, project)

    def _find_group(self, project: str) -> str | None:
        """Return the group that owns a project; None if several may."""
        try:
            return self._shim.fallback.page(project).owner.group
        except ProjectError:  # no page is stored; the ledger or a claim may tell
            groups = {i.group for i in self._settings.indexes if i.may_have(project)}
        may_own = [g for g in groups if self._shim.fallback.foreign(project, g) is None]
        return may_own[0] if len(may_own) == 1 else None


def _address(index: Index) -> OwnAddress:
    if index.is_read_each_time:
        return _not_http(index)
    if is_default_url(index.url):
        # pip, uv, pdm and pipenv all spell their default without a slash.
        return OwnAddress(default_url().rstrip("/"), is_pypi=True)
    return OwnAddress(index.url)


def _not_http(index: Index) -> OwnAddress:
    kind = "a directory on this machine" if index.is_directory else "a bucket"
    problem = f"{index.name} is {kind}, so only the shim serves its files"
    return OwnAddress(problem=problem, remedy="Publish them at an index, and lock again")


def _refresh(project: str) -> str:
    return f"indexfallback refresh {project} && indexfallback doctor --mend"
