"""Pages of a directory: carried with their files, and never with those that lie elsewhere."""

from pathlib import Path

import pytest

from indexfallback.carry.export import export
from indexfallback.carry.manifest import known
from indexfallback.carry.page_check import is_possible
from indexfallback.config import Index
from indexfallback.page import File, ProjectPage
from indexfallback.store import Store
from tests.carry.support import file_of, keep_file, keep_page, read
from tests.conftest import MakeShim
from tests.fakes import wheel

APP = wheel("acme-app", "1.4")
SOURCE = "file:///srv/wheels/"


def page(url: str) -> ProjectPage:
    return ProjectPage(name="acme-app", files=(File(filename=APP.filename, url=url),))


@pytest.mark.parametrize("url", [f"{SOURCE}acme%20app.whl", "https://files.example.com/x.whl"])
def test_a_page_may_name_what_lies_in_its_directory_or_on_the_web(url: str) -> None:
    assert is_possible(page(url), SOURCE, public=False)


@pytest.mark.parametrize(
    "url",
    ["file:///etc/passwd", "file:///srv/wheels/../../etc/passwd", "file:///srv/wheels2/x.whl",
     "file:///srv/wheels/%2e%2e/%2E%2E/etc/passwd", "file:///srv/wheels/..%2f../etc/passwd",
     "file://other/srv/wheels/x.whl"],
)  # fmt: skip
def test_it_may_not_name_what_lies_elsewhere(url: str) -> None:
    assert not is_possible(page(url), SOURCE, public=False)


def test_such_a_page_is_left_out_with_a_warning(
    empty: Store, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    index = Index(name="private", url=SOURCE)
    keep_page(empty, index, "acme-app", file_of(APP, "ftp://elsewhere"))
    manifest = export(empty, [index], {"acme-app"}, tmp_path / "x.tar", known=known(None))
    assert manifest.pages == ()
    assert "the page of acme-app" in caplog.text


def test_files_of_a_static_tree_lie_beside_its_pages_and_are_served_over_there(
    shim: MakeShim, empty: Store, tmp_path: Path
) -> None:
    index = Index(name="private", url=SOURCE)
    keep_page(empty, index, "acme-app", file_of(APP, "file:///srv/files"))
    keep_file(empty, index, APP)
    archive = tmp_path / "x.tar"
    export(empty, [index], {"acme-app"}, archive, known=known(None))
    made = shim(index, offline=True)
    assert read(made.store, archive).pages == 1
    answer = made.fallback.page("acme-app")
    assert [file.filename for file in made.offer(answer).files] == [APP.filename]


@pytest.mark.parametrize("key", ["https://packages.example.com/simple/", "file:///srv/other/"])
def test_what_a_directory_had_is_served_as_another_index_s_over_there(
    shim: MakeShim, empty: Store, tmp_path: Path, key: str
) -> None:
    index = Index(name="private", url=SOURCE)
    keep_page(empty, index, "acme-app", file_of(APP, SOURCE.rstrip("/")))
    keep_file(empty, index, APP)
    archive = tmp_path / "x.tar"
    export(empty, [index], {"acme-app"}, archive, known=known(None))
    made = shim(Index(name="private", url=key), offline=True)
    store = made.store
    read(store, archive, {SOURCE: key})
    stored = store.pages.load(key, "acme-app")
    assert stored is not None
    assert [file.url for file in stored.files] == [f"{key}{APP.filename}"]
    answer = made.fallback.page("acme-app")
    assert [file.filename for file in made.offer(answer).files] == [APP.filename]
