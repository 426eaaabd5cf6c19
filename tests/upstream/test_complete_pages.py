"""The pages of a directory have sizes, upload times and versions (PEP 700), and provenance."""

import json
import os
from dataclasses import replace
from pathlib import Path

import msgspec

from indexfallback.formats import Media, render_page
from indexfallback.formats.fields import time_text, upload_time
from indexfallback.page import File, ProjectPage
from tests.fakes import flat_directory, sdist, wheel
from tests.upstream.directories import SDIST, WHEEL, Open, page

#: Nanoseconds since the epoch, and the same in the form of PEP 700.
OLD, TEXT = 1_600_000_000_123_456_789, "2020-09-13T12:26:40.123456Z"


def touched(path: Path) -> None:
    os.utime(path, ns=(OLD, OLD))


def version_of(found: ProjectPage) -> str:
    """Return the version of the API that the page states as JSON."""
    body = render_page(found, Media.JSON_V1, lambda file: file.filename)
    return str(json.loads(body)["meta"]["api-version"])


def test_the_page_of_a_wheelhouse_states_all_that_its_version_requires(
    directory: Open, wheels: Path
) -> None:
    touched(wheels / WHEEL.filename)
    found = page(directory(wheels))
    file = found.file(WHEEL.filename)
    assert file is not None
    assert (file.size, file.upload_time) == (len(WHEEL.data), TEXT)
    assert found.versions == (WHEEL.version,)
    assert version_of(found) == "1.4"


def test_the_time_of_a_file_follows_the_file(directory: Open, wheels: Path) -> None:
    index = directory(wheels)
    before = page(index).file(WHEEL.filename)
    touched(wheels / WHEEL.filename)
    after = page(index).file(WHEEL.filename)
    assert before is not None
    assert after is not None
    assert before.upload_time != after.upload_time == TEXT


def test_versions_are_those_of_all_files_each_once(directory: Open, tmp_path: Path) -> None:
    legacy = replace(sdist("acme-app", "1.0.post2"), filename="acme-app-1.0-2.tar.gz")
    dists = [wheel("acme-app", "1.0"), sdist("acme-app", "1.0"), wheel("acme-app", "2.0"), legacy]
    found = page(directory(flat_directory(tmp_path / "w", dists)))
    assert sorted(found.versions or ()) == ["1.0", "1.0.post2", "2.0"]


def written(tmp_path: Path, *links: str, name: str = "acme-app") -> Path:
    """Write a static tree of one page, with the wheel among its files."""
    folder = tmp_path / "tree" / "simple" / name
    folder.mkdir(parents=True)
    (tmp_path / "tree" / "files").mkdir()
    path = tmp_path / "tree" / "files" / WHEEL.filename
    path.write_bytes(WHEEL.data)
    touched(path)
    body = "".join(f"<a {link}</a>" for link in links)
    (folder / "index.html").write_text(
        f"<!DOCTYPE html><title>Links for {name}</title>{body}", "utf-8"
    )
    return tmp_path / "tree"


LINK = f'href="../../files/{WHEEL.filename}"'


def test_the_page_of_a_static_tree_gets_what_html_cannot_state(
    directory: Open, tmp_path: Path
) -> None:
    found = page(directory(written(tmp_path, f"{LINK}>")))
    (file,) = found.files
    assert (file.size, file.upload_time) == (len(WHEEL.data), TEXT)
    assert (found.versions, version_of(found)) == ((WHEEL.version,), "1.4")


def test_a_stated_upload_time_is_kept(directory: Open, tmp_path: Path) -> None:
    stated = "2019-01-01T00:00:00Z"
    (file,) = page(directory(written(tmp_path, f'{LINK} data-upload-time="{stated}">'))).files
    assert file.upload_time == stated


def test_a_page_with_a_file_of_unknown_size_states_the_first_version(
    directory: Open, tmp_path: Path
) -> None:
    other = 'href="https://example.com/acme_app-9.0.tar.gz">'
    found = page(directory(written(tmp_path, f"{LINK}>", other)))
    assert {file.size for file in found.files} == {len(WHEEL.data), None}
    assert version_of(found) == "1.0"


def test_a_page_with_a_file_without_version_in_its_name_states_none(
    directory: Open, tmp_path: Path
) -> None:
    found = page(directory(written(tmp_path, f"{LINK}>", 'href="../../files/acme_app.exe">')))
    assert (len(found.files), found.versions, version_of(found)) == (2, None, "1.0")


def test_provenance_beside_a_file_is_listed_as_long_as_it_is_there(
    directory: Open, wheels: Path
) -> None:
    index = directory(wheels)
    assert [file.provenance for file in page(index).files] == [None, None]
    path = wheels / f"{WHEEL.filename}.provenance"
    path.write_bytes(b"{}")
    (wheels / "other-1.0.tar.gz.provenance").mkdir()
    found = {file.filename: file.provenance for file in page(index).files}
    assert found == {WHEEL.filename: path.as_uri(), SDIST.filename: None}
    path.unlink()
    assert [file.provenance for file in page(index).files] == [None, None]


def test_provenance_outside_of_the_directory_is_not_listed(
    directory: Open, wheels: Path, tmp_path: Path
) -> None:
    (tmp_path / "secret").write_bytes(b"{}")
    (wheels / f"{WHEEL.filename}.provenance").symlink_to(tmp_path / "secret")
    assert [file.provenance for file in page(directory(wheels)).files] == [None, None]


def test_a_time_is_written_in_the_form_that_is_read() -> None:
    assert time_text(OLD) == upload_time(time_text(OLD)) == TEXT
    assert time_text(0) == "1970-01-01T00:00:00.000000Z"
    assert time_text(10**21) is None


def test_a_page_of_no_files_has_no_versions() -> None:
    empty = ProjectPage(name="acme-app", versions=())
    assert version_of(empty) == "1.4"
    unknown = msgspec.structs.replace(empty, files=(File(filename="a", url="b"),))
    assert version_of(unknown) == "1.0"
