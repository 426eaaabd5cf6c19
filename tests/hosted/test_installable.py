"""What is uploaded can be installed: other wheels and metadata are refused with the reason."""

import string
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexfallback.dists.bounds import MAX_METADATA, ArchiveError
from indexfallback.errors import UploadRefusedError
from indexfallback.hosted.entry_points import check_entry_points
from indexfallback.hosted.record import read_record
from tests.fakes import sdist
from tests.hosted.archives import INFO, LIB, RECORD, changed, checked, metadata, row

MODULE = "acme_lib.py"


def refusal(directory: Path, data: bytes) -> UploadRefusedError:
    with pytest.raises(UploadRefusedError) as caught:
        checked(directory, data)
    assert caught.value.filename == LIB.filename
    assert caught.value.remedy
    return caught.value


def test_a_wheel_whose_record_matches_is_taken_without_warning(tmp_path: Path) -> None:
    data = changed(
        {f"{INFO}/RECORD.jws": b"{}", f"{INFO}/RECORD.p7s": b"", "empty/": b""},
        {f"{INFO}/RECORD.jws": None, f"{INFO}/RECORD.p7s": None, "empty/": None},
    )
    assert checked(tmp_path, data).warnings == ()


@pytest.mark.parametrize(
    "line",
    [
        row(MODULE, b"x", "sha512"),
        row(MODULE, b"x").replace(",1", "=,1"),
        row(MODULE, b"x").removesuffix("1"),
    ],
)
def test_a_better_hash_its_padding_and_a_missing_size_are_right(tmp_path: Path, line: str) -> None:
    checked(tmp_path, changed({MODULE: b"x"}, {MODULE: line}))


@pytest.mark.parametrize(
    ("members", "rows", "cause"),
    [
        ({f"{INFO}/WHEEL": None}, {}, f"it has no {INFO}/WHEEL"),
        ({RECORD: None}, {}, f"it has no {RECORD}"),
        ({"other-1.dist-info/WHEEL": b""}, {}, "it has 2 directories *.dist-info, not one"),
        ({}, {MODULE: None}, f"its RECORD does not list '{MODULE}'"),
        ({"a.py": b"", "b.py": b""}, {"a.py": None, "b.py": None}, "list 'a.py' and 1 more"),
        ({}, {"gone.py": row("gone.py", b"")}, "lists 'gone.py', which the wheel does not contain"),
        ({MODULE: b"x"}, {MODULE: row(MODULE, b"y")}, f"'{MODULE}' has the sha256 2d711642b726"),
        ({}, {MODULE: row(MODULE, b"x")}, f"'{MODULE}' has 20 bytes, but its RECORD says 1"),
        ({}, {MODULE: f"{MODULE},,"}, f"states no hash of '{MODULE}'"),
        ({}, {MODULE: row(MODULE, b"x", "md5")}, "that is not sha256 or better"),
        ({}, {MODULE: f"{MODULE},sha256=?,1"}, "a malformed hash of"),
        ({}, {MODULE: f"{MODULE},sha256=YQ,1"}, "a malformed hash of"),
        ({}, {MODULE: f"{row(MODULE, b'x')}x"}, "a malformed size of"),
        ({}, {MODULE: MODULE}, "a row of 1 columns, not 3"),
        ({}, {"again": row(MODULE, b"x")}, f"lists '{MODULE}' twice"),
        ({RECORD: b"\xff,,"}, {}, "its RECORD is not UTF-8"),
        ({f"{INFO}/WHEEL": b"Tag: py3-none-any\n"}, {}, "states no Wheel-Version"),
        ({f"{INFO}/WHEEL": b"Wheel-Version: 2.0\n"}, {}, "it has Wheel-Version 2.0"),
        ({f"{INFO}/WHEEL": b"Wheel-Version: one\n"}, {}, '"one", which is not a version'),
        ({f"{INFO}/WHEEL": bytes(1 << 21)}, {}, "and the limit is 1048576"),
        ({f"{INFO}/entry_points.txt": b"[x]\nname\n"}, {}, "its entry_points.txt cannot be read"),
    ],
)
def test_a_wheel_that_installers_would_refuse_is_refused(
    tmp_path: Path,
    members: Mapping[str, bytes | None],
    rows: Mapping[str, str | None],
    cause: str,
) -> None:
    assert cause in refusal(tmp_path, changed(members, rows)).cause


def test_a_member_with_a_damaged_content_is_refused(tmp_path: Path) -> None:
    content = bytes(range(256))
    data = bytearray(changed({"data.bin": content}))
    data[data.index(content[:100]) + 50] ^= 1
    assert "it is not a well-formed wheel" in refusal(tmp_path, bytes(data)).cause


def test_metadata_over_the_limit_is_refused_with_its_size(tmp_path: Path) -> None:
    large = metadata() + b"x" * MAX_METADATA
    error = refusal(tmp_path, changed({f"{INFO}/METADATA": large}))
    assert f"METADATA has {len(large)} bytes, and the limit is {MAX_METADATA}" in error.cause
    assert error.remedy.startswith("Shorten the description")


@pytest.mark.parametrize(
    ("lines", "version", "cause"),
    [
        (("Requires-Dist: a b",), "2.2", 'its Requires-Dist "a b" is not a requirement (PEP 508)'),
        (("Requires-Dist: a (>dev)",), "2.2", 'its Requires-Dist "a (>dev)"'),
        (("Requires-Python: 3.x or so",), "2.2", 'its Requires-Python "3.x or so"'),
        ((), "3.0", 'its Metadata-Version "3.0" is not 1.x or 2.x'),
        ((), "", 'its Metadata-Version "" is not 1.x or 2.x'),
    ],
)
def test_a_field_that_installers_would_refuse_is_refused(
    tmp_path: Path, lines: tuple[str, ...], version: str, cause: str
) -> None:
    content = metadata(*lines, version=version)
    assert cause in refusal(tmp_path, changed({f"{INFO}/METADATA": content})).cause
    source = sdist("acme-lib", "1.0", metadata=content)
    with pytest.raises(UploadRefusedError) as caught:
        checked(tmp_path, source.data, source)
    assert (caught.value.filename, cause in caught.value.cause) == (source.filename, True)


@pytest.mark.parametrize("version", ["1.0", "1.2", "2.0", "2.1", "2.4", "2.9"])
def test_a_version_of_metadata_that_installers_read_is_taken(tmp_path: Path, version: str) -> None:
    lines = ("Requires-Python: >=3.8,\n  <4", "Requires-Dist: a[b] >=1 ;\n  extra == 'c'")
    content = metadata(*lines, version=version)
    assert checked(tmp_path, changed({f"{INFO}/METADATA": content})).warnings == ()


def test_a_licence_file_that_is_missing_is_a_warning(tmp_path: Path) -> None:
    lines = ("License-File: LICENSE", "License-File: doc/NOTICE")
    content = metadata(*lines, version="2.4")
    data = changed({f"{INFO}/METADATA": content, f"{INFO}/licenses/LICENSE": b"MIT"})
    (warning,) = checked(tmp_path, data).warnings
    assert warning.startswith(f"it lacks {INFO}/licenses/doc/NOTICE, which its License-File names")
    source = sdist("acme-lib", "1.0", metadata=content)
    assert "it lacks acme_lib-1.0/LICENSE" in checked(tmp_path, source.data, source).warnings[0]
    older = metadata(*lines, version="2.1")  # whose paths are not those in the wheel
    assert checked(tmp_path, changed({f"{INFO}/METADATA": older})).warnings == ()


def test_a_requirement_with_an_address_is_a_warning(tmp_path: Path) -> None:
    content = metadata("Requires-Dist: other @ https://example.com/other-1.0.tar.gz")
    (warning,) = checked(tmp_path, changed({f"{INFO}/METADATA": content})).warnings
    assert warning.startswith("it requires other @ https://example.com/other-1.0.tar.gz: uv")


@pytest.mark.parametrize("tags", [b"", b"Tag: py2.py3-none-any\n", b"Tag: none\n"])
def test_tags_that_differ_from_the_name_are_a_warning(tmp_path: Path, tags: bytes) -> None:
    data = changed({f"{INFO}/WHEEL": b"Wheel-Version: 1.0\n" + tags})
    (warning,) = checked(tmp_path, data).warnings
    assert "but its name says py3-none-any" in warning


@pytest.mark.parametrize(
    "content",
    [
        "",
        "# nothing\n",
        "[console_scripts]\nacme = acme.cli:main\nAcme=acme : Cli.main [fast]\n",
        "[acme-plugins]\na b = acme\n\n[other]\na b = acme.b:c\n",
        "[x]\na = b:c\n\n  d = e:f\n",
    ],
)
def test_entry_points_that_installers_read_are_right(content: str) -> None:
    check_entry_points(content.encode())


@pytest.mark.parametrize(
    ("content", "cause"),
    [
        (b"acme = acme:main\n", "cannot be read"),
        (b"[x]\na = b\na = c\n", "cannot be read"),
        (b"[x]\n[x]\n", "cannot be read"),
        (b"[x]\na = b c\n", '"a = b c" in [x]: the value is not an object reference'),
        (b"[x]\na =\n", "not an object reference"),
        (b"[x]\na = 1b:c\n", "not an object reference"),
        (b"[x]\na = b:c\n  d\n", "not an object reference"),
        (b"[console_scripts]\na = b\n", "a script needs an attribute to call"),
        (b"[gui_scripts]\n../a = b:c\n", "has no space and no path"),
        (b"[x]\na = \xff\n", "is not UTF-8"),
    ],
)
def test_entry_points_that_installers_cannot_use_are_refused(content: bytes, cause: str) -> None:
    with pytest.raises(ArchiveError) as caught:
        check_entry_points(content)
    assert cause in str(caught.value)
    assert caught.value.remedy.startswith("Correct the entry points")


@given(st.text(string.printable))
def test_any_entry_points_are_right_or_refused(text: str) -> None:
    try:
        check_entry_points(text.encode())
    except ArchiveError as error:
        assert "entry_points.txt" in str(error)  # noqa: PT017 - either is right


@given(st.lists(st.text()))
def test_any_record_is_read_or_refused(lines: list[str]) -> None:
    try:
        read_record(lines, INFO)
    except ArchiveError as error:
        assert "its RECORD" in str(error)  # noqa: PT017 - either is right
