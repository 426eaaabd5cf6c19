"""The JSON that is made from a page and from metadata."""

import json
from typing import Any

import pytest

from indexfallback.page import File, ProjectPage
from indexfallback.server.browse.releases import current, releases
from indexfallback.server.made_json import made

METADATA = b"""\
Metadata-Version: 2.4
Name: Demo.App
Version: 1.0
Summary: A demo
Author-email: Me <me@example.com>
License-Expression: MIT
Keywords: one,two
Classifier: Private :: Do Not Upload
Requires-Python: >=3.9
Requires-Dist: six>=1; extra == "old"
Provides-Extra: old
Project-URL: Home, https://example.com/
Description-Content-Type: text/markdown

# Demo
"""


def document(
    *files: File, metadata: bytes | None = METADATA, project: bool = False
) -> dict[str, Any]:
    page = ProjectPage(name="demo-app", files=files, serial=7)
    known = releases(page)
    release = current(known)
    assert release is not None
    body = made(
        page,
        release,
        metadata,
        lambda file: f"https://example.com/{file.filename}",
        releases=known if project else None,
    )
    found: dict[str, Any] = json.loads(body)
    return found


def file(filename: str, **values: Any) -> File:
    return File(**{"filename": filename, "url": "https://packages.example.com/f", **values})


WHEEL = file("demo_app-1.0-py2.py3-none-any.whl", requires_python=">=3.8")


def test_the_metadata_is_in_info_as_pypi_has_it() -> None:
    info = document(WHEEL)["info"]
    assert {field: value for field, value in info.items() if value not in (None, False)} == {
        "name": "Demo.App",
        "version": "1.0",
        "summary": "A demo",
        "author_email": "Me <me@example.com>",
        "license_expression": "MIT",
        "keywords": "one,two",
        "classifiers": ["Private :: Do Not Upload"],
        "requires_python": ">=3.9",
        "requires_dist": ['six>=1; extra == "old"'],
        "provides_extra": ["old"],
        "project_urls": {"Home": "https://example.com/"},
        "description": "# Demo\n",
        "description_content_type": "text/markdown",
    }


@pytest.mark.parametrize("metadata", [None, b"", b"\xff\xfe garbage"])
def test_without_metadata_the_page_tells_what_it_can(metadata: bytes | None) -> None:
    info = document(WHEEL, metadata=metadata)["info"]
    assert (info["name"], info["version"], info["requires_python"]) == ("demo-app", "1.0", ">=3.8")
    assert info["requires_dist"] is None


def test_a_file_has_all_that_the_page_states() -> None:
    listed = file(
        WHEEL.filename,
        hashes={"sha256": "a" * 64, "md5": "b" * 32},
        size=5,
        upload_time="2026-01-02T03:04:05.678901Z",
        yanked="broken",
        gpg_sig=True,
        requires_python=">=3.8",
    )
    (found,) = document(listed)["urls"]
    assert found == {
        "comment_text": "",
        "digests": {"sha256": "a" * 64, "md5": "b" * 32},
        "downloads": -1,
        "filename": WHEEL.filename,
        "has_sig": True,
        "md5_digest": "b" * 32,
        "packagetype": "bdist_wheel",
        "python_version": "py2.py3",
        "requires_python": ">=3.8",
        "size": 5,
        "upload_time": "2026-01-02T03:04:05",
        "upload_time_iso_8601": "2026-01-02T03:04:05.678901Z",
        "url": f"https://example.com/{WHEEL.filename}",
        "yanked": True,
        "yanked_reason": "broken",
    }


@pytest.mark.parametrize(
    ("filename", "kind", "python"),
    [
        ("demo_app-1.0-1-cp312-cp312-linux_x86_64.whl", "bdist_wheel", "cp312"),
        ("demo_app-1.0.tar.gz", "sdist", "source"),
        ("demo_app-1.0.zip", "sdist", "source"),
        ("demo_app-1.0-py3.8.egg", "bdist_egg", "3.8"),
        ("demo_app-1.0-py3.8-linux-x86_64.egg", "bdist_egg", "3.8"),
        ("demo_app-1.0.egg", "bdist_egg", "any"),
    ],
)
def test_the_type_follows_from_the_name(filename: str, kind: str, python: str) -> None:
    (found,) = document(file(filename))["urls"]
    assert (found["packagetype"], found["python_version"]) == (kind, python)


def test_a_version_is_yanked_if_all_of_its_files_are() -> None:
    source = file("demo_app-1.0.tar.gz", yanked="broken")
    info = document(source)["info"]
    assert (info["yanked"], info["yanked_reason"]) == (True, "broken")
    info = document(source, WHEEL)["info"]
    assert (info["yanked"], info["yanked_reason"]) == (False, None)


def test_the_document_of_a_project_has_all_versions_and_that_of_one_has_not() -> None:
    files = (WHEEL, file("demo_app-0.9.tar.gz"), file("demo_app-nonsense.exe"))
    assert list(document(*files, project=True)["releases"]) == ["0.9", "1.0"]
    assert "releases" not in document(*files)
    assert document(*files)["last_serial"] == 7
