"""The provenance objects in an archive: those of the projects that it has, each with its file.

An object that is imported never takes the place of one that is here.
"""

import hashlib
import time
from collections.abc import Collection, Iterable, Iterator
from typing import BinaryIO

from indexfallback.carry.archive import Archive
from indexfallback.carry.comparison import Comparison
from indexfallback.carry.manifest import CarriedProvenance, objects_here
from indexfallback.config import Index
from indexfallback.formats.provenance import ProvenanceError, checked
from indexfallback.store import Store
from indexfallback.store.provenance import ProvenanceKey, StoredProvenance


def kept_objects(
    store: Store, indexes: Iterable[Index], projects: Collection[str], bodies: BinaryIO
) -> Iterator[CarriedProvenance]:
    """Yield the objects of some projects, in order; write each different one once to ``bodies``."""
    written: set[str] = set()
    for source in dict.fromkeys(index.key for index in indexes):
        for project in sorted(projects):
            for each in sorted(store.provenance.held(source, project)):
                key = ProvenanceKey(source, project, *each)
                found = store.provenance.load(key)
                if found is None:  # damaged (and logged), or removed meanwhile
                    continue
                digest = hashlib.sha256(found.body).hexdigest()
                if digest not in written:
                    bodies.write(found.body)
                    written.add(digest)
                yield CarriedProvenance(
                    **key._asdict(), digest=digest, size=len(found.body), checked=found.checked
                )


def read_objects(
    archive: Archive, objects: Iterable[CarriedProvenance]
) -> Iterator[tuple[CarriedProvenance, bytes]]:
    """Read the next members of an archive, and yield each object with its body.

    Raises `CarryError` for one that is none, or of another file.
    """
    every = list(objects)
    for member in objects_here(every):
        body = b"".join(archive.member(member.member, member.size, member.digest))
        for each in every:
            if each.digest != member.digest:
                continue
            try:
                checked(body, each.sha256)
            except ProvenanceError as error:
                raise archive.error(f"the provenance of {each.filename}: {error}") from error
            yield each, body


def merge_objects(
    store: Store,
    here: Comparison,
    objects: Iterable[tuple[CarriedProvenance, bytes]],
    left: Collection[str],
) -> None:
    """Store the objects of projects that are not ``left``, where none is kept; read them all."""
    for each, body in objects:
        key = ProvenanceKey(here.key(each.source), each.project, each.filename, each.sha256)
        if each.project not in left and store.provenance.load(key) is None:
            store.provenance.put(key, StoredProvenance(body, min(each.checked, time.time())))
