"""Names of projects and files, and what may be made of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.utils import canonicalize_name
from packaging.version import Version

from indexfallback.names import (
    FileKey,
    begins_with,
    is_ambiguous,
    is_claimed,
    is_distribution,
    is_normalized,
    is_project_name,
    is_safe_filename,
    is_sha256,
    normalize,
    project_of,
    version_in,
    version_of,
    version_order,
)

NAME = st.from_regex(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,20}[A-Za-z0-9])?", fullmatch=True)


@given(NAME)
def test_a_normalised_project_name_is_normalised(name: str) -> None:
    assert is_project_name(name)
    assert is_normalized(normalize(name))
    assert normalize(normalize(name)) == normalize(name) == canonicalize_name(name)


@pytest.mark.parametrize(
    "name",
    ["", "-a", "a-", ".", "..", "a/b", "a b", "a\n", "å", "a" * 256, "a%2fb", "\ufb01x", "\u212a"],
)
def test_a_text_is_no_project_name(name: str) -> None:
    assert not is_project_name(name)
    assert not is_normalized(name)


@pytest.mark.parametrize("name", ["Foo", "a.b", "a_b", "a--b"])
def test_a_project_name_is_not_normalised(name: str) -> None:
    assert is_project_name(name)
    assert not is_normalized(name)


def test_a_pattern_claims_what_it_matches() -> None:
    assert is_claimed("acme-app", ["other", "acme-*"])
    assert not is_claimed("my-acme-app", ["other", "acme-*"])


@pytest.mark.parametrize(
    "filename",
    [
        "foo-1.0-py3-none-any.whl",
        "foo-1.0+local.1.tar.gz",
        "foo-1!2.0.zip",
        "foo-1.0.win-amd64-py2.7.exe",
        "Foo Bar-1.0.zip",
        "_foo-1.0.zip",
    ],
)
def test_a_file_name_is_safe(filename: str) -> None:
    assert is_safe_filename(filename)
    assert is_distribution(filename)


@pytest.mark.fault(37)
@pytest.mark.parametrize(
    "filename",
    [
        "",
        ".",
        "..",
        "../foo-1.0.zip",
        "/foo-1.0.zip",
        "a\\foo-1.0.zip",
        "C:foo-1.0.zip",
        "foo\0-1.0.zip",
        "foo-1.0.zip\n",
        "foo\r\n-1.0.zip",
        "foo-1.0.zip.",
        "foo-1.0.zip ",
        " foo-1.0.zip",
        ".foo-1.0.zip",
        "-foo-1.0.zip",
        "a" * 252 + ".zip",
        "fоо-1.0.zip",  # noqa: RUF001 - the look-alikes are the point
        "foo-1.0.zip%00",
        "<script>.zip",
        'foo"1.0.zip',
        "foo-1.0.zip:stream",
    ],
)
def test_a_file_name_is_unsafe(filename: str) -> None:
    assert not is_safe_filename(filename)


@pytest.mark.fault(37)
@given(st.text())
def test_a_safe_file_name_is_one_plain_segment(filename: str) -> None:
    if is_safe_filename(filename):
        assert filename.isascii()
        assert filename.isprintable()
        assert not set(filename) & set('/\\:*?"<>|')
        assert filename.strip(". ") == filename


@pytest.mark.parametrize(
    "filename", ["index.html", "foo-1.0.whl.metadata", "foo-1.0.zip.asc", "zip"]
)
def test_a_file_is_no_distribution(filename: str) -> None:
    assert not is_distribution(filename)


def test_a_sha256_is_64_lower_case_hexadecimal_digits() -> None:
    assert is_sha256("0a" * 32)
    assert not is_sha256("0A" * 32)
    assert not is_sha256("0a" * 31)
    assert not is_sha256("0a" * 32 + "\n")


@pytest.mark.parametrize(
    ("filename", "project", "version"),
    [
        ("Foo_Bar-1.0-py3-none-any.whl", "foo-bar", "1.0"),
        ("foo.bar-1.0.0.tar.gz", "foo-bar", "1.0.0"),
        ("foo-1.0.zip", "foo", "1.0"),
        ("foo-1.0-py2.7.egg", "foo", "1.0"),
        ("zope.foo_bar-1.0_1-py3.8-linux_x86_64.egg", "zope-foo-bar", "1.0.post1"),
        ("foo.bar-1.0.tar.bz2", "foo-bar", "1.0"),
        ("foo-1.0.tar.Z", "foo", "1.0"),
        ("foo-1.0.tbz", "foo", "1.0"),
        ("foo-1.0.tar.lzma", "foo", "1.0"),
        ("foo.egg", None, None),
        ("f o-1.0.egg", None, None),
        ("foo-1.0.win32.exe", None, None),
        ("foo.whl", None, None),
        ("foo-bar.tar.gz", None, None),
    ],
)
def test_a_file_name_tells_project_and_version(
    filename: str, project: str | None, version: str | None
) -> None:
    assert project_of(filename) == project
    assert version_of(filename) == version


@pytest.mark.parametrize(
    ("filename", "project", "version"),
    [
        ("foo-bar-1.0-2.tar.gz", "foo-bar", "1.0.post2"),
        ("foo-bar-1.0-2.tar.gz", "foo-bar-1-0", "2"),
        ("Foo.Bar-1.0-2.tar.bz2", "foo-bar", "1.0.post2"),
        ("foo-1.0-rc1.zip", "foo", "1.0rc1"),
        ("foo-1.0-final.zip", "foo", None),
        ("foo-1.0.zip", "bar", None),
        ("foo.zip", "foo", None),
        ("foo_bar-1.0-1-py3-none-any.whl", "foo-bar", "1.0"),
        ("foo_bar-1.0-py3-none-any.whl", "foo", None),
    ],
)
def test_the_version_of_a_file_is_what_follows_its_project(
    filename: str, project: str, version: str | None
) -> None:
    assert version_in(filename, project) == version


@pytest.mark.parametrize(
    ("filename", "ambiguous"),
    [
        ("foo_bar-1.0.tar.gz", False),
        ("foo-bar-1.0.tar.gz", False),
        ("zope.foo-bar-1.0rc1.tar.gz", False),
        ("foo-v1.0.zip", False),
        ("foo.tar.gz", False),
        ("foo_bar-1.0-1-py3-none-any.whl", False),
        ("foo-1.0-py2.7.egg", False),
        ("foo-1.0.win32-py2.7.exe", False),
        ("foo-bar-1.0-2.tar.gz", True),
        ("foo-1.0-rc1.tar.gz", True),
        ("foo-1.0-r55.tgz", True),
        ("foo-2-bar-1.0.zip", True),
        ("foo-bar.tar.gz", True),
    ],
)
def test_a_file_name_is_ambiguous_if_it_can_be_split_in_several_ways_or_in_none(
    filename: str, ambiguous: bool
) -> None:
    assert is_ambiguous(filename) == ambiguous


VERSION = st.from_regex(
    r"[0-9]{1,3}(\.[0-9]{1,3}){0,2}((a|b|rc|\.post|\.dev)[0-9])?", fullmatch=True
)


@given(NAME, VERSION)
def test_a_name_in_the_form_of_pep_625_is_not_ambiguous(name: str, version: str) -> None:
    filename = f"{normalize(name).replace('-', '_')}-{version}.tar.gz"
    assert not is_ambiguous(filename)
    assert version_in(filename, normalize(name)) == version_of(filename)


@given(NAME, st.from_regex(r"[0-9]{1,3}(\.[0-9]{1,3})?-[0-9]{1,3}", fullmatch=True))
def test_a_version_with_a_dash_makes_a_name_ambiguous(name: str, version: str) -> None:
    filename = f"{name}-{version}.tar.gz"
    assert is_ambiguous(filename)
    assert version_in(filename, normalize(name)) == str(Version(version))
    assert begins_with(filename, normalize(name))


@given(NAME.map(normalize), st.none() | st.from_regex(r"[0-9a-f]{64}", fullmatch=True))
def test_a_file_key_is_read_back(project: str, sha256: str | None) -> None:
    key = FileKey(project, sha256)
    assert FileKey.parse(str(key)) == key


@pytest.mark.parametrize(
    "text", ["", ".", "Foo", "foo.", "foo.abc", "..", "foo." + "A" * 64, "a/b"]
)
def test_a_text_is_no_file_key(text: str) -> None:
    assert FileKey.parse(text) is None


def test_what_is_no_version_is_older_than_all_versions() -> None:
    texts = ["1.10", "", "1.9", "2004d-beta", "1.10.dev1", "0"]
    assert sorted(texts, key=version_order)[2:] == ["0", "1.9", "1.10.dev1", "1.10"]
