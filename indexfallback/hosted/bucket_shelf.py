"""The shelf of a hosted index in a bucket, which any number of shims may use at once.

No lock is needed: the bucket creates an object of a name once (``If-None-Match: *``). A file is
received into the cache's directory, checked there, and sent to the bucket in one request, whose
answer decides.
"""

import hashlib
import logging
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

import msgspec

from indexfallback.config import Index
from indexfallback.config.bucket_url import parse_bucket_url
from indexfallback.dists.metadata import read_metadata
from indexfallback.errors import (
    UploadExistsError,
    UploadFailedError,
    UploadUnavailableError,
)
from indexfallback.hosted.bucket_index import found, open_bucket
from indexfallback.hosted.checks import Checked, identity_of
from indexfallback.hosted.objects import (
    BESIDE,
    YANKED_ENDING,
    Yank,
    attributes_of,
    facts_of,
    files_among,
    key_of,
)
from indexfallback.hosted.receiving import Incoming, failed, receiving
from indexfallback.names import METADATA_ENDING, PROVENANCE_ENDING
from indexfallback.page import File
from indexfallback.store import Store
from indexfallback.store.disk import make_private
from indexfallback.store.shared.answers import Answer, BucketError, Outcome
from indexfallback.store.shared.bucket import Bucket
from indexfallback.store.shared.selftest import Abilities, examine

log = logging.getLogger("indexfallback")

#: Objects of the self-test are below it: no project has this name.
_PROBE = "_probe"
#: A server's start waits for the self-test; each of its five requests may take so long, seconds.
_EXAMINED_SECONDS = 3.0
#: The directory, in that of the cache, of files that are being received.
_RECEIVED = "uploads"

REMEDY = "Use an object store that honours If-None-Match, or a directory for uploads"
_AGAIN = "Make it answer, and try again"
_RIGHTS = "Give the credentials the right to read, write, list and delete there"
_JSON = {"Content-Type": "application/json"}


class BucketShelf:
    """The files of one index in a bucket."""

    def __init__(self, index: Index, store: Store) -> None:
        self._index = index
        self._directory = store.directory / _RECEIVED
        self._bucket = open_bucket(index)
        #: Whether the bucket has shown that it creates an object once only.
        self._is_proven = False

    def problem(self) -> str:
        """Return why uploads would replace each other here; empty if nothing tells so."""
        return problem_in(self._examine())

    def _examine(self) -> Abilities:
        abilities = examine_uploads(self._index)
        self._is_proven = abilities.is_passed
        return abilities

    def receive(self) -> AbstractContextManager[Incoming]:
        """Yield a file to write to, which is removed at the end."""
        try:
            make_private(self._directory)
        except OSError as error:
            raise failed(self._index.name, error) from error
        return receiving(self._directory)

    @contextmanager
    def placing(self, filename: str) -> Iterator[None]:
        """Refuse uploads where the bucket has not shown that it keeps others out by itself."""
        if not self._is_proven:
            self._prove(filename)
        try:
            yield
        except BucketError as error:
            raise self._failed(filename, error.answer) from error
        except OSError as error:
            raise failed(filename, error) from error

    def _prove(self, filename: str) -> None:
        abilities = self._examine()
        if abilities.is_passed:
            return
        where = f"{self._index.name} ({self._bucket})"
        if problem := problem_in(abilities):
            raise UploadFailedError(filename, f"{where}: {problem}", REMEDY)
        if abilities.reads and not abilities.may_pass:
            raise UploadFailedError(filename, f"{where}: {abilities.cause}", _RIGHTS)
        raise UploadUnavailableError(filename, f"{where}: {abilities.cause}", _AGAIN)

    def place(self, incoming: Incoming, filename: str, checked: Checked) -> str | None:
        """Create the object of a file, as `Shelf.place`."""
        project = checked.identity.project
        key = key_of(project, filename)
        attributes = attributes_of(
            incoming.digests["sha256"], checked.requires_python, checked.metadata_sha256
        )
        created = self._bucket.create(key, incoming.path, attributes)
        if created.outcome is Outcome.EXISTS:
            return self._sha256_at(key)
        found(created)
        self._refuse_twin(filename, checked)
        if checked.metadata_sha256 is not None:
            self._put_metadata(key, read_metadata(incoming.path, filename))
        return None

    def _refuse_twin(self, filename: str, checked: Checked) -> None:
        """Withdraw a file that another shim has placed under another spelling at the same time.

        Of two, at least the later one sees the other here; both may be withdrawn.
        """
        project = checked.identity.project
        listed = self._bucket.folder(f"{project}/")
        found(listed.answer)
        names = files_among((each.key.rpartition("/")[2] for each in listed.objects), project)
        for name in names:
            if name != filename and identity_of(name, project) == checked.identity:
                found(self._bucket.delete(key_of(project, filename)))
                raise UploadExistsError(
                    filename, f"{name} is another spelling of the name", "Upload one of the two"
                )

    def _put_metadata(self, key: str, metadata: bytes | None) -> None:
        """Place the metadata beside a file; without it, shims read it from the file."""
        if metadata is None:
            return
        answer = self._bucket.put(key + METADATA_ENDING, metadata)
        if not answer.is_found:
            log.warning("%s: the metadata of %s is not stored (%s)",
                        self._index.name, key, answer.cause)  # fmt: skip

    def attest(self, project: str, filename: str, provenance: bytes) -> None:
        """Write the provenance object beside a file."""
        key = key_of(project, filename) + PROVENANCE_ENDING
        found(self._bucket.put(key, provenance, _JSON))

    def sha256_of(self, file: File) -> str:
        """Return the sha256 of a listed file."""
        if file.sha256 is not None:  # written with the file, which is never replaced
            return file.sha256
        project = file.url.removeprefix(self._index.url).partition("/")[0]
        return self._sha256_at(key_of(project, file.filename))

    def _sha256_at(self, key: str) -> str:
        stated = facts_of(found(self._bucket.head(key)).attributes).sha256
        if stated is not None:
            return stated
        digest = hashlib.sha256()
        stream = self._bucket.stream(key)
        found(stream.answer)
        for piece in stream.pieces:
            digest.update(piece)
        return digest.hexdigest()

    def yank(self, project: str, file: File, reason: str | None) -> None:
        """Yank a listed file, or unyank it; raises `UploadError`."""
        key = key_of(project, file.filename) + YANKED_ENDING
        with self.placing(file.filename):
            if reason is None:
                found(self._bucket.delete(key))
            else:
                yank = Yank(file.sha256 or "", reason)
                found(self._bucket.put(key, msgspec.json.encode(yank), _JSON))

    def remove(self, project: str, file: File) -> None:
        """Delete a listed file and what lies beside it; raises `UploadError`."""
        key = key_of(project, file.filename)
        with self.placing(file.filename):
            for ending in ("", *BESIDE):
                found(self._bucket.delete(key + ending))

    def _failed(self, filename: str, answer: Answer) -> UploadFailedError | UploadUnavailableError:
        where = f"{self._index.name} ({self._bucket})"
        if answer.outcome is Outcome.UNREACHABLE:
            return UploadUnavailableError(
                filename, f"{where} did not answer: {answer.cause}", _AGAIN
            )
        return UploadFailedError(filename, f"{where} refused it: {answer.cause}", _RIGHTS)


def examine_uploads(index: Index) -> Abilities:
    """Test whether files can be placed in the bucket of an index; it answers within a time."""
    url = parse_bucket_url(index.url)
    bucket = Bucket(url, endpoint=index.endpoint, timeout=_EXAMINED_SECONDS)
    return examine(bucket, folder=_PROBE)


def problem_in(abilities: Abilities) -> str:
    """Return why uploads would replace each other; empty if nothing tells so."""
    return abilities.cause if abilities.writes and not abilities.is_passed else ""
