"""Fixtures of a store that is damaged by a test."""

import hashlib
import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from indexfallback.health import Health, State
from indexfallback.outcome import Kind
from indexfallback.store import Store, Validators
from indexfallback.store.documents import DocumentKey, StoredDocument
from indexfallback.store.mirrors import MirroredFile, MirroredProject
from indexfallback.store.provenance import ProvenanceKey, StoredProvenance
from indexfallback.upstream.facts import Stamp
from tests.store.damaged import (
    CONTENTS,
    FACTS,
    FACTS_OF_FILE,
    OWNED,
    PAGES,
    PRIVATE,
    PROJECTS,
    PUBLIC,
    RUN,
    Filled,
    safety,
)


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Filled:
    """Return a directory with a row in every table."""
    store = Store(tmp_path_factory.mktemp("filled") / "cache", 10**6)
    store.ledger.record_list(PRIVATE, OWNED[:30])
    for name in OWNED[20:]:
        store.ledger.record_page(PRIVATE, name)
    for project, page in PAGES.items():
        store.pages.put(PUBLIC, page, FACTS[project])
        for number in range(3):
            filename = f"{project}-{number}.tar.gz"
            sha256 = hashlib.sha256(filename.encode()).hexdigest()
            store.pins.record(project, filename, sha256, PUBLIC)
    sha256s = {store.blobs.add(content).sha256: content for content in CONTENTS}
    first = PROJECTS[0]
    document = StoredDocument(b"{}", Validators(), "page", 1000.0)
    store.documents.put(DocumentKey(PUBLIC, first), document)
    of = ProvenanceKey(PUBLIC, first, f"{first}-0.tar.gz", "0" * 64)
    store.provenance.put(of, StoredProvenance(b"{}", 1000.0))
    file = MirroredFile(first, "x-1.tar.gz", min(sha256s), len(sha256s[min(sha256s)]))
    store.mirrors.put_projects(
        PUBLIC, [MirroredProject(PAGES[first], FACTS[first], 1, "all", [file])]
    )
    store.mirrors.put_run(PUBLIC, RUN)
    store.local_files.put("/x", Stamp(1, 2), FACTS_OF_FILE)
    down = Health(State.OPEN, 1.0, 2.0, "refused", Kind.CLOSED)
    store.health_records.put(PUBLIC, down)
    store.health_records.put_latency(PUBLIC, 0.5)
    found = safety(store)
    store.close()
    assert all(found.owners.values())
    assert all(len(pins) >= 3 for pins in found.pins.values())
    return Filled(store.directory, found, sha256s)


@pytest.fixture
def full(filled: Filled, tmp_path: Path) -> Iterator[Store]:
    """Return a store with a row in every table."""
    shutil.copytree(filled.directory, tmp_path / "cache")
    with closing(Store(tmp_path / "cache", 10**6)) as made:
        yield made
