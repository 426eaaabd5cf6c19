"""PyPI's JSON of a project: what is one, what it lists, and what is taken out of it."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexfallback.errors import PageError
from indexfallback.formats.project_json import checked, files_in, is_same, without

URL = "https://packages.example.com/pypi/demo/json"


def document(**changes: Any) -> dict[str, Any]:
    old = {"filename": "demo-1.0.tar.gz", "digests": {"sha256": "a" * 64}, "url": "https://x/1"}
    new = {"filename": "demo-2.0.tar.gz", "url": "https://x/2", "unknown": [1]}
    return {
        "info": {"name": "Demo", "version": "2.0", "unknown": None},
        "urls": [new],
        "releases": {"1.0": [old], "2.0": [new]},
        "vulnerabilities": [{"id": "PYSEC-1"}],
        **changes,
    }


def body(**changes: Any) -> bytes:
    return json.dumps(document(**changes)).encode()


@pytest.mark.parametrize("version", ["", "2.0", "2.0.0", "v2"])
def test_a_document_is_returned_as_it_came(version: str) -> None:
    assert checked(body(), URL, "demo", version) == body()


@pytest.mark.parametrize("version", ["1.0", "2.0.1", "latest"])
def test_that_of_another_version_is_refused(version: str) -> None:
    with pytest.raises(PageError, match=r"the JSON of Demo 2\.0"):
        checked(body(), URL, "demo", version)


def test_that_of_another_project_is_refused() -> None:
    with pytest.raises(PageError, match="Demo"):
        checked(body(), URL, "other", "")


@given(st.binary() | st.recursive(st.none() | st.text(), st.lists).map(msgspec.json.encode))
def test_anything_else_is_refused(data: bytes) -> None:
    with pytest.raises(PageError, match="not the JSON of a project"):
        checked(data, URL, "demo", "")


@pytest.mark.parametrize("changes", [{"urls": None}, {"info": []}, {"releases": {"1.0": [1]}}])
def test_a_document_of_another_form_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(PageError):
        checked(body(**changes), URL, "demo", "")


def test_logins_in_addresses_are_taken_out_and_nothing_else() -> None:
    files = [{"filename": "demo-2.0.tar.gz", "url": "https://ci:s3cret@x/2", "unknown": [1]}]
    found = json.loads(checked(body(urls=files), URL, "demo", ""))
    assert found == document()


def test_its_files_are_those_of_all_releases() -> None:
    files = files_in(body())
    assert {file.filename for file in files} == {"demo-1.0.tar.gz", "demo-2.0.tar.gz"}
    assert {file.sha256 for file in files} == {"a" * 64, None}


def test_a_file_is_taken_out_wherever_it_is_listed_and_with_its_last_file_a_version() -> None:
    expected = document(urls=[])
    del expected["releases"]["2.0"]
    assert json.loads(without(body(), {"demo-2.0.tar.gz"})) == expected


def test_a_document_of_a_version_has_no_releases_afterwards_either() -> None:
    single = document()
    del single["releases"]
    found = json.loads(without(json.dumps(single).encode(), {"demo-2.0.tar.gz"}))
    assert found == {**single, "urls": []}


@pytest.mark.parametrize(
    ("one", "other"), [("1.0", "1"), ("1.0rc1", "1.0-RC1"), ("dev-x", "dev-x")]
)
def test_versions_are_compared_and_not_their_texts(one: str, other: str) -> None:
    assert is_same(one, other)
    assert not is_same(one, "7")


def test_json_that_nests_too_deeply_is_refused() -> None:
    deep = body()[:-1] + b', "vulnerabilities": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"
    with pytest.raises(PageError, match="not the JSON of a project"):
        checked(deep, URL, "demo", "")
