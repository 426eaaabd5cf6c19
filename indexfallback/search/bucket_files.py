"""A bucket as the search reads it: one listing of all objects, and the metadata beside the files.

What has no metadata file beside it, as an sdist whose build may change its metadata, is read itself
if it is small. Locks: none. One thread uses it; `OwnFile.read` may be called by several.
"""

import time
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import partial
from itertools import groupby, islice
from pathlib import Path
from tempfile import TemporaryDirectory

from indexfallback.config import Index
from indexfallback.dists.bounds import MAX_METADATA
from indexfallback.formats.fields import time_text
from indexfallback.hosted.bucket_index import found, open_bucket
from indexfallback.hosted.objects import files_among, key_of, url_of
from indexfallback.names import METADATA_ENDING, is_normalized
from indexfallback.page import File
from indexfallback.search.distributions import metadata_in, newest_first
from indexfallback.search.own_files import OwnFile, OwnProject
from indexfallback.store.shared.answers import Entry, Outcome

#: A bucket is listed at most this often, seconds: 10,000 files with their metadata are 20 requests.
_LIST_SECONDS = 600.0
#: Objects of one listing, some 60,000 files, in 200 requests: a bucket may hold anything else.
_MOST_OBJECTS = 200_000
#: The largest file that is read for its metadata, bytes: it takes a moment in a data centre.
_MOST_READ = 5 * 1000**2
#: An answer is waited for this long, seconds: a command or a server that ends waits for it, too.
_SECONDS = 3.0
_NS = 10**9


class BucketFiles:
    """One index in a bucket."""

    #: 10,000 projects are described in a minute, and clients' requests hardly notice it.
    at_once = 4

    def __init__(self, index: Index) -> None:
        self.index = index
        seconds = min(_SECONDS, index.read_timeout)
        self._bucket = open_bucket(replace(index, read_timeout=seconds))
        #: When it may be listed again, on the monotonic clock.
        self._due = float("-inf")

    def listed(self) -> Iterator[OwnProject] | None:
        """Yield all projects; None if it was listed lately. Raises `BucketError`."""
        now = time.monotonic()
        if now < self._due:
            return None
        self._due = now + _LIST_SECONDS
        return self._projects()

    def keep(self) -> None:
        """Remember nothing: a project's stamp tells whether it has changed."""

    def forget(self) -> None:
        """List anew at the next call."""
        self._due = float("-inf")

    def project(self, name: str) -> OwnProject | None:
        """Return a project as it is now, or None; raises `BucketError`."""
        listed = self._bucket.folder(f"{name}/")
        found(listed.answer)
        return self._project(name, listed.objects)

    def _projects(self) -> Iterator[OwnProject]:
        entries = islice(self._bucket.list(), _MOST_OBJECTS)
        for name, objects in groupby(entries, lambda entry: entry.key.partition("/")[0]):
            project = self._project(name, objects) if is_normalized(name) else None
            if project is not None:
                yield project

    def _project(self, name: str, entries: Iterable[Entry]) -> OwnProject | None:
        objects = {entry.key.removeprefix(f"{name}/"): entry for entry in entries}
        names = newest_first(files_among(objects, name), name, str)
        if not names:
            return None
        newest = objects[names[0]]
        stamp = f"{names[0]} {newest.size} {newest.modified.timestamp():.0f}"
        files = [self._file(name, each, objects) for each in names]
        return OwnProject(name, stamp, lambda: files)

    def _file(self, project: str, filename: str, objects: dict[str, Entry]) -> OwnFile:
        entry, key = objects[filename], key_of(project, filename)
        file = File(
            filename=filename,
            url=url_of(self.index.url, key),
            size=entry.size,
            upload_time=time_text(int(entry.modified.timestamp()) * _NS),
        )
        if filename + METADATA_ENDING in objects:
            return OwnFile(file, partial(self._beside, key + METADATA_ENDING))
        return OwnFile(file, partial(self._within, key, filename, entry.size))

    def _beside(self, key: str) -> bytes | None:
        """Return the metadata beside a file, None if it has been removed; raises `BucketError`."""
        answer = self._bucket.get(key, most=MAX_METADATA)
        if answer.outcome is Outcome.ABSENT or answer.size > MAX_METADATA:
            return None
        return found(answer).data

    def _within(self, key: str, filename: str, size: int) -> bytes | None:
        """Return the metadata in a distribution that is small; raises `BucketError`."""
        stream = self._bucket.stream(key) if size <= _MOST_READ else None
        if stream is None or stream.answer.outcome is Outcome.ABSENT:
            return None
        found(stream.answer)
        with TemporaryDirectory(prefix="indexfallback-") as folder:
            path = Path(folder) / "distribution"
            with path.open("wb") as file:
                file.writelines(stream.pieces)
            return metadata_in(path, filename)
