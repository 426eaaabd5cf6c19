"""What is read from a JSON project page."""

import json
from typing import Any

import pytest

from indexfallback.formats import Media, parse_page, render_page
from indexfallback.page import File, ProjectPage

URL = "https://example.com/simple/foo/"
TYPE = "application/vnd.pypi.simple.v1+json"
SHA = "ab" * 32


def page(wire: Any, content_type: str = TYPE, *, public: bool = False) -> ProjectPage:
    return parse_page(json.dumps(wire).encode(), content_type, URL, "foo", public=public)


def only(**keys: Any) -> File:
    entry = {"filename": "foo-1.0.zip", "url": "foo-1.0.zip", "hashes": {}, **keys}
    (file,) = page({"meta": {"api-version": "1.0"}, "name": "foo", "files": [entry]}).files
    return file


FULL = {
    "meta": {
        "api-version": "1.4",
        "_last-serial": 4711,
        "tracks": ["https://example.com/a/foo/"],
    },
    "name": "Foo",
    "versions": ["1.0", "2.0"],
    "alternate-locations": ["https://example.com/b/foo/"],
    "project-status": {"status": "deprecated", "reason": "use bar"},
    "files": [
        {
            "filename": "foo-1.0-py3-none-any.whl",
            "url": "../../files/foo-1.0-py3-none-any.whl",
            "hashes": {"sha256": SHA.upper(), "md5": "00" * 16, "crc": "1", "sha1": None},
            "requires-python": ">=3.8",
            "core-metadata": {"sha256": SHA},
            "gpg-sig": False,
            "yanked": "broken",
            "size": 12345,
            "upload-time": "2024-01-02T03:04:05.000006Z",
            "provenance": "https://example.com/integrity/foo",
        }
    ],
}
READ = ProjectPage(
    name="foo",
    files=(
        File(
            filename="foo-1.0-py3-none-any.whl",
            url="https://example.com/files/foo-1.0-py3-none-any.whl",
            hashes={"sha256": SHA, "md5": "00" * 16},
            requires_python=">=3.8",
            core_metadata={"sha256": SHA},
            gpg_sig=False,
            yanked="broken",
            size=12345,
            upload_time="2024-01-02T03:04:05.000006Z",
            provenance="https://example.com/integrity/foo",
        ),
    ),
    versions=("1.0", "2.0"),
    tracks=("https://example.com/a/foo/",),
    alternate_locations=("https://example.com/b/foo/",),
    status="deprecated",
    status_reason="use bar",
    serial=4711,
)


@pytest.mark.parametrize(
    "content_type",
    [
        TYPE,
        "application/vnd.pypi.simple.latest+json",
        "application/json",
        "Application/JSON; charset=utf-8",
    ],
)
def test_every_field_is_read(content_type: str) -> None:
    assert page(FULL, content_type) == READ


def test_unknown_keys_are_kept_where_they_were() -> None:
    read = page(
        {
            "meta": {"api-version": "1.0", "X-meta": 1.5},
            "name": "foo",
            "X-page": {"deep": [1, None]},
            "files": [
                {"filename": "foo-1.0.zip", "url": "a", "hashes": {}, "X-file": [True], "size": 1}
            ],
        }
    )
    assert read.meta_extra == {"X-meta": 1.5}
    assert read.extra == {"X-page": {"deep": [1, None]}}
    assert read.files[0].extra == {"X-file": [True]}
    assert read.files[0].size == 1


def test_unknown_keys_that_could_not_be_written_again_are_dropped() -> None:
    deep = "[" * 200 + "]" * 200
    body = f'{{"name": "foo", "files": [], "a": {deep}, "b": {10**40}, "c": {2**63 - 1}}}'
    read = parse_page(body.encode(), TYPE, URL, "foo")
    assert read.extra == {"c": 2**63 - 1}
    assert render_page(read, Media.JSON_V1, lambda file: file.url)


@pytest.mark.parametrize(
    ("key", "value", "field"),
    [
        ("size", "12", "size"),
        ("size", -1, "size"),
        ("size", 1.5, "size"),
        ("size", 2**70, "size"),
        ("size", True, "size"),
        ("requires-python", 3, "requires_python"),
        ("requires-python", "", "requires_python"),
        ("gpg-sig", "true", "gpg_sig"),
        ("upload-time", 1700000000, "upload_time"),
        ("upload-time", "yesterday", "upload_time"),
        ("provenance", {}, "provenance"),
        ("provenance", None, "provenance"),
        ("provenance", "javascript:1", "provenance"),
    ],
)
def test_an_invalid_value_is_not_stated(key: str, value: Any, field: str) -> None:
    file = only(**{key: value})
    assert getattr(file, field) is None
    assert file.filename == "foo-1.0.zip"


@pytest.mark.fault(36)
@pytest.mark.parametrize("hashes", [None, [], "x", {"sha256": None}, {"sha257": "0"}])
def test_invalid_hashes_are_not_stated(hashes: Any) -> None:
    assert only(hashes=hashes).hashes == {}


@pytest.mark.fault(36)
@pytest.mark.parametrize(
    ("hashes", "reason"),
    [
        ({"sha256": "deadbeef"}, "a malformed sha256"),
        ({"SHA256": "0" * 63}, "a malformed sha256"),
        ({"sha256": "g" * 64}, "a malformed sha256"),
        ({"sha256": ""}, "a malformed sha256"),
        ({"sha256": 5}, "a malformed sha256"),
        ({"md5": "0" * 64}, "a malformed md5"),
        ({"sha256": SHA, "md5": "0" * 64}, "a malformed md5"),
    ],
)
def test_a_malformed_digest_of_a_known_algorithm_withholds_the_file(
    hashes: dict[str, Any], reason: str
) -> None:
    wrong = {"filename": "foo-1.0.zip", "url": "foo-1.0.zip", "hashes": hashes}
    right = {"filename": "foo-2.0.zip", "url": "foo-2.0.zip", "hashes": {"sha256": SHA}}
    read = page({"name": "foo", "files": [wrong, right]})
    assert [file.filename for file in read.files] == ["foo-2.0.zip"]
    assert read.dropped == {reason: 1}


@pytest.mark.parametrize(
    ("yanked", "expected"),
    [(True, True), (False, False), ("", False), (None, False), (" ", True), ("w", "w"), (1, False)],
)
def test_a_file_is_yanked_with_or_without_a_reason(yanked: Any, expected: bool | str) -> None:
    assert only(yanked=yanked).yanked == expected


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ({"core-metadata": True}, True),
        ({"dist-info-metadata": {"sha256": SHA}}, {"sha256": SHA}),
        ({"data-dist-info-metadata": True}, True),
        ({"data-dist-info-metadata": {"sha256": SHA}}, {"sha256": SHA}),
        ({"core-metadata": False, "data-dist-info-metadata": True}, False),
        ({"core-metadata": None, "dist-info-metadata": True}, True),
        ({"core-metadata": {}}, True),
        ({"core-metadata": {"crc": "1"}}, True),
        ({"core-metadata": {"sha256": "deadbeef"}}, False),
        ({"dist-info-metadata": {"md5": SHA}}, False),
        ({"core-metadata": "true"}, False),
        ({}, False),
    ],
)
def test_the_metadata_file_is_read_in_every_spelling(
    keys: dict[str, Any], expected: bool | dict[str, str]
) -> None:
    assert only(**keys).core_metadata == expected


def test_entries_that_are_no_files_are_dropped() -> None:
    good = {"filename": "foo-1.0.zip", "url": "foo-1.0.zip", "hashes": {}}
    bad = [
        None,
        7,
        {},
        {**good, "filename": "../foo-1.0.zip"},
        {**good, "filename": "foo-1.0.zip\0"},
        {**good, "filename": "foo-1.0.html"},
        {**good, "filename": None},
        {**good, "filename": "foo-2.0.zip", "url": "file:///foo-2.0.zip"},
        {**good, "filename": "foo-2.0.zip", "url": 5},
        {**good, "url": "again/foo-1.0.zip"},
    ]
    read = page({"name": "foo", "files": [good, *bad]})
    assert read.files == (File(filename="foo-1.0.zip", url=f"{URL}foo-1.0.zip"),)
    assert read.dropped == {
        "no name or no address": 5,
        "no distribution's name": 2,
        "a name with characters that no distribution's has": 1,
        "an address that cannot be used": 1,
        "a second file of the same name": 1,
    }


def test_a_link_to_a_local_address_is_dropped_from_a_public_page() -> None:
    wire = {"files": [{"filename": "foo-1.0.zip", "url": "http://10.0.0.1/f", "hashes": {}}]}
    read = page(wire, public=True)
    assert (read.files, read.dropped) == ((), {"a link to a private address": 1})
    assert len(page(wire).files) == 1


def test_fragment_and_credentials_of_a_link_are_dropped() -> None:
    assert only(url="https://a:b@example.com/f?x=1#egg=y").url == "https://example.com/f?x=1"


@pytest.mark.parametrize(
    "keys",
    [
        {"versions": "1.0"},
        {"versions": [1]},
        {"alternate-locations": None},
        {"project-status": "archived"},
        {"project-status": {"status": "lost", "reason": "x"}},
        {"project-status": {"reason": "x"}},
        {"meta": None},
        {"meta": {"tracks": 5, "_last-serial": "12"}},
        {"name": None},
    ],
)
def test_an_invalid_value_of_the_page_is_not_stated(keys: dict[str, Any]) -> None:
    assert page({"name": "foo", "files": [], **keys}) == ProjectPage(name="foo")


@pytest.mark.fault(26)
def test_of_duplicate_keys_the_last_counts() -> None:
    body = b'{"name": "bar", "files": 5, "files": [], "name": "foo"}'
    assert parse_page(body, TYPE, URL, "foo") == ProjectPage(name="foo")


@pytest.mark.fault(30)
def test_a_byte_order_mark_is_skipped() -> None:
    body = json.dumps(FULL).encode("utf-8-sig")
    assert parse_page(body, TYPE, URL, "foo") == READ
