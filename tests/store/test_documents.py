"""Stored JSON documents, and what removes them."""

import time

from indexfallback.page import ProjectPage
from indexfallback.store import PageFacts, Store, Validators
from indexfallback.store.documents import DocumentKey, StoredDocument
from indexfallback.store.maintenance import disown, disown_all, forget

PYPI, OWN = "https://example.com/simple/", "https://packages.example.com/simple/"
KEY = DocumentKey(PYPI, "demo", "1.0")
DOCUMENT = StoredDocument(b'{"info": {}}', Validators('"tag"', "yesterday"), "digest", 5.0)


def keep(store: Store, *keys: DocumentKey) -> None:
    for key in keys:
        facts = PageFacts(Validators(), "digest", time.time())
        store.pages.put(key.source, ProjectPage(name=key.project), facts)
        store.documents.put(key, DOCUMENT)


def test_a_document_comes_back_as_it_was(store: Store) -> None:
    keep(store, KEY)
    assert store.documents.load(KEY) == DOCUMENT
    assert store.documents.load(KEY._replace(version="")) is None
    assert store.documents.load(KEY._replace(source=OWN)) is None


def test_a_confirmed_one_is_younger_and_otherwise_the_same(store: Store) -> None:
    keep(store, KEY)
    store.documents.confirm(KEY, "newer", 9.0)
    assert store.documents.load(KEY) == DOCUMENT._replace(page="newer", checked=9.0)


def test_a_damaged_one_is_none(store: Store) -> None:
    keep(store, KEY)
    store.database.execute("UPDATE document SET body = x'00'")
    assert store.documents.load(KEY) is None


def test_one_is_removed_alone(store: Store) -> None:
    other = KEY._replace(version="")
    keep(store, KEY, other)
    store.documents.remove(KEY)
    assert store.documents.load(KEY) is None
    assert store.documents.load(other) == DOCUMENT


def test_they_go_with_the_pages_of_their_project(store: Store) -> None:
    keep(store, KEY, KEY._replace(source=OWN), KEY._replace(project="other"))
    forget(store, "demo")
    assert store.documents.count() == 1


def test_they_go_with_the_pages_of_an_owner(store: Store) -> None:
    keep(store, KEY, KEY._replace(source=OWN))
    disown(store, "demo", [OWN])
    assert store.documents.count() == 1
    assert store.documents.has_any_of(PYPI)
    disown_all(store, PYPI)
    assert not store.documents.has_any_of(PYPI)
