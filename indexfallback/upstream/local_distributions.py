"""The distribution files of a directory, each as a page lists it, or why it is not offered.

Hashes, Requires-Python and metadata are read from a file once, and again when its size or
modification time has changed.

Locks: none. The entries for files are read and written in atomic steps.
"""

import hashlib
import os
import time
from pathlib import Path

import msgspec

from indexfallback.dists.bounds import ContradictionError
from indexfallback.dists.identity import check_wheel
from indexfallback.dists.metadata import read_metadata
from indexfallback.dists.wheel import requires_python
from indexfallback.dists.whole import breaks_off, is_settled
from indexfallback.formats.fields import time_text
from indexfallback.page import File
from indexfallback.upstream.facts import Facts, FactsCache, Stamp, stamp_of

#: Why a file is not offered: temporarily, and until it is replaced.
BEING_WRITTEN = "is being written"
_TRUNCATED = "is truncated"
#: Windows has no effective user.
_EFFECTIVE = os.access in os.supports_effective_ids
_PIECE = 1 << 20
#: Files kept in memory as they were listed, about 10 MB.
_MOST_FILES = 10_000


class UnreadyError(Exception):
    """A file exists and cannot be offered now, for the reason given."""


class LocalDistributions:
    """The files of one directory."""

    def __init__(self, facts: FactsCache) -> None:
        self._facts = facts
        self._listed: dict[str, tuple[Stamp, File]] = {}
        #: Files that are not offered until they are replaced: the stamp that they had, and why.
        self._refused: dict[str, tuple[Stamp, str]] = {}

    def file(self, path: str) -> File:
        """Return a file as a page lists it; raises `UnreadyError` and OSError."""
        status = os.stat(path)  # noqa: PTH116 - Path is too slow for thousands
        reason = self.why_not(path, status)
        if reason:
            raise UnreadyError(reason)
        stamp = stamp_of(status)
        listed = self._listed.get(path)
        if listed is not None and listed[0] == stamp:
            return listed[1]
        file = self._read_file(Path(path), stamp)
        if len(self._listed) >= _MOST_FILES:
            self._listed.clear()
        self._listed[path] = stamp, file
        return file

    def _read_file(self, path: Path, stamp: Stamp) -> File:
        facts = self._facts.get(str(path), stamp)
        if facts is None or facts.sha256 is None:
            if breaks_off(path):
                raise self._refuse(path, stamp, _TRUNCATED)
            project = facts.project if facts is not None else None
            facts = msgspec.structs.replace(_read(path), project=project)
            self._facts.put(str(path), stamp, facts)
        if facts.contradiction is not None:
            raise self._refuse(path, stamp, facts.contradiction)
        return File(
            filename=path.name,
            url=path.as_uri(),
            hashes={"sha256": facts.sha256} if facts.sha256 is not None else {},
            requires_python=facts.requires_python,
            core_metadata={"sha256": facts.metadata_sha256} if facts.metadata_sha256 else False,
            size=stamp.size,
            upload_time=time_text(stamp.modified),
        )

    def why_not(self, path: str, status: os.stat_result) -> str:
        """Return why a file is not offered, if that is known, or nothing."""
        if not os.access(path, os.R_OK, effective_ids=_EFFECTIVE):
            return "cannot be read"
        if not is_settled(status, time.time()):
            return BEING_WRITTEN
        refused = self._refused.get(path)
        return refused[1] if refused is not None and refused[0] == stamp_of(status) else ""

    def _refuse(self, path: Path, stamp: Stamp, reason: str) -> UnreadyError:
        self._refused[str(path)] = stamp, reason
        return UnreadyError(reason)


def _read(path: Path) -> Facts:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            digest.update(piece)
    sha256 = digest.hexdigest()
    if path.suffix == ".whl":
        try:
            check_wheel(path, path.name)
        except ContradictionError as error:
            return Facts(sha256, contradiction=str(error))
    metadata = read_metadata(path, path.name)
    if metadata is None:
        return Facts(sha256)
    return Facts(sha256, requires_python(metadata), hashlib.sha256(metadata).hexdigest())
