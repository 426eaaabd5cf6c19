"""Stored provenance objects, and what removes them."""

import time

import pytest

from indexfallback.page import ProjectPage
from indexfallback.store import PageFacts, Store, Validators
from indexfallback.store.maintenance import forget
from indexfallback.store.provenance import ProvenanceKey, StoredProvenance

PYPI, OWN = "https://example.com/simple/", "https://packages.example.com/simple/"
KEY = ProvenanceKey(PYPI, "demo", "demo-1.0.tar.gz", "0" * 64)
OBJECT = StoredProvenance(b'{"version": 1}', 5.0)


def test_an_object_comes_back_as_it_was(store: Store) -> None:
    store.provenance.put(KEY, OBJECT)
    assert store.provenance.load(KEY) == OBJECT
    assert store.provenance.load(KEY._replace(source=OWN)) is None
    assert store.provenance.held(PYPI, "demo") == {(KEY.filename, KEY.sha256)}


def test_a_newer_one_takes_its_place(store: Store) -> None:
    newer = StoredProvenance(b"[]", 6.0)
    store.provenance.put(KEY, OBJECT)
    store.provenance.put(KEY, newer)
    assert store.provenance.load(KEY) == newer


def test_a_damaged_one_is_none_and_is_removed(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    store.provenance.put(KEY, OBJECT)
    store.database.execute("UPDATE provenance SET body = x'00'")
    assert store.provenance.load(KEY) is None
    assert store.provenance.held(PYPI, "demo") == set()
    assert KEY.filename in caplog.text


def test_it_goes_with_the_bytes_of_its_file(store: Store) -> None:
    blob = store.blobs.add(b"content")
    store.provenance.put(KEY._replace(sha256=blob.sha256), OBJECT)
    store.provenance.put(KEY, OBJECT)
    store.blobs.eviction.evict(0)
    assert store.provenance.held(PYPI, "demo") == {(KEY.filename, KEY.sha256)}


def test_it_goes_with_the_pages_of_its_project(store: Store) -> None:
    facts = PageFacts(Validators(), "digest", time.time())
    store.pages.put(PYPI, ProjectPage(name="demo"), facts)
    store.provenance.put(KEY, OBJECT)
    store.provenance.put(KEY._replace(project="other"), OBJECT)
    forget(store, "demo")
    assert store.provenance.held(PYPI, "demo") == set()
    assert store.provenance.held(PYPI, "other") == {(KEY.filename, KEY.sha256)}
