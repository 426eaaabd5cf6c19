"""The model of a page."""

import msgspec
import pytest

from indexfallback.page import File, ProjectPage

WHEEL = File(
    filename="foo-1.0-py3-none-any.whl",
    url="https://example.com/foo-1.0-py3-none-any.whl",
    hashes={"md5": "0" * 32, "sha256": "a" * 64},
)
SDIST = File(filename="foo-1.0.tar.gz", url="https://example.com/foo-1.0.tar.gz")


def test_a_file_knows_its_sha256_where_it_is_stated() -> None:
    assert WHEEL.sha256 == "a" * 64
    assert SDIST.sha256 is None


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://example.com/a.whl", "https://example.com/a.whl.metadata"),
        ("https://example.com/a.whl?t=1&u=/b?c", "https://example.com/a.whl.metadata?t=1&u=/b?c"),
        ("https://example.com/a.whl?", "https://example.com/a.whl.metadata?"),
        ("file:///srv/a%3F.whl", "file:///srv/a%3F.whl.metadata"),
    ],
)
def test_the_address_of_metadata_has_its_ending_behind_the_path(url: str, expected: str) -> None:
    assert msgspec.structs.replace(WHEEL, url=url).metadata_url == expected


def test_a_page_finds_a_file_by_its_name() -> None:
    page = ProjectPage(name="foo", files=(WHEEL, SDIST))
    assert page.file("foo-1.0.tar.gz") is SDIST
    assert page.file("foo-2.0.tar.gz") is None


def test_a_page_tells_two_files_of_one_name_apart_by_sha256() -> None:
    other = msgspec.structs.replace(WHEEL, hashes={"sha256": "b" * 64})
    page = ProjectPage(name="foo", files=(WHEEL, other, SDIST))
    assert page.file(WHEEL.filename) is WHEEL
    assert page.file(WHEEL.filename, "b" * 64) is other
    assert page.file(WHEEL.filename, "c" * 64) is None
    assert page.file(SDIST.filename, "c" * 64) is SDIST
    assert page.sha256s(WHEEL.filename) == {"a" * 64, "b" * 64}
    assert page.sha256s(SDIST.filename) == frozenset()


def test_a_page_survives_being_stored() -> None:
    page = ProjectPage(name="foo", files=(WHEEL, SDIST), versions=(), extra={"x": [1, None]})
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(page), type=ProjectPage) == page


def test_files_do_not_share_their_hashes() -> None:
    assert SDIST.hashes is not File(filename="a.zip", url="https://example.com/a.zip").hashes
