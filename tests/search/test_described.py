"""What is read of metadata and of documents."""

import json

from hypothesis import given
from hypothesis import strategies as st

from indexfallback.search.described import Said, age, said_by_document, said_by_metadata

METADATA = b"""\
Metadata-Version: 2.4
Name: Acme.App
Version: 1.4
Summary: Says  hello
Keywords: greeting,hello
Classifier: Framework :: Django
Classifier: Topic :: Software Development

Summary: no field, but the first line of a description
"""
SAID = Said(
    "Acme.App",
    "1.4",
    "Says hello",
    "greeting hello",
    ("Framework :: Django", "Topic :: Software Development"),
)


def test_the_header_of_metadata_is_read_and_not_the_description() -> None:
    assert said_by_metadata(METADATA) == SAID
    assert said_by_metadata(METADATA.replace(b"\n", b"\r\n")) == SAID


def test_a_document_says_the_same() -> None:
    info = {
        "name": "Acme.App",
        "version": "1.4",
        "summary": "Says  hello",
        "keywords": "greeting hello",
        "classifiers": list(SAID.classifiers),
        "author": None,
    }
    assert said_by_document(json.dumps({"info": info, "urls": []}).encode()) == SAID


def test_texts_of_any_length_are_kept_short() -> None:
    long = b"Name: a\nVersion: 1\nSummary: " + b"x" * 10**6 + b"\n" + b"Classifier: y\n" * 10**4
    said = said_by_metadata(long)
    assert said is not None
    assert (len(said.summary), len(said.classifiers)) == (1000, 200)


@given(st.binary(max_size=300))
def test_no_bytes_are_an_error(data: bytes) -> None:
    said_by_metadata(data)
    said_by_document(data)
    said_by_metadata(b"Name: a\nVersion: 1\n" + data)


def test_any_final_version_is_newer_than_a_pre_release() -> None:
    versions = ["2.0rc1", "1.10", "not a version", "1.9"]
    assert sorted(versions, key=age) == ["not a version", "2.0rc1", "1.9", "1.10"]
