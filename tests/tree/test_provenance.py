"""The provenance objects of a published tree."""

import json
from pathlib import Path

import mousebender.simple
import pypi_simple
import pytest

from indexfallback.config import Index
from indexfallback.tree.directory import DirectoryTree
from indexfallback.tree.publish import publish
from indexfallback.tree.sources import ChainSource, DirectorySource
from tests.conftest import MakeShim
from tests.fakes import FakeIndex, flat_directory, wheel
from tests.fakes.provenance import provenance_of

APP, LIB = wheel("acme-app", "1.4"), wheel("acme-app", "1.3")
OBJECT = provenance_of(APP)


def test_an_object_lies_beside_its_file_in_a_tree_and_in_a_tree_of_that_tree(
    shim: MakeShim, tmp_path: Path
) -> None:
    with FakeIndex() as index:
        index.attest(APP, OBJECT)
        index.attest(LIB, b"rubbish")
        made = shim(index)
        made.fallback.page("acme-app")
        publish(ChainSource(made), DirectoryTree(tmp_path / "tree"), list)
    again = shim(Index(name="tree", url=(tmp_path / "tree").as_uri() + "/"))
    publish(DirectorySource(again.members["tree"], 10**6), DirectoryTree(tmp_path / "copy"), list)
    for tree in (tmp_path / "tree", tmp_path / "copy"):
        assert (tree / "files" / f"{APP.filename}.provenance").read_bytes() == OBJECT
        body = (tree / "simple" / "acme-app" / "index.html").read_text("utf-8")
        html = pypi_simple.ProjectPage.from_html("acme-app", body)
        stated = {package.filename: package.provenance_url for package in html.packages}
        link = f"../../files/{APP.filename}.provenance"
        assert stated == {APP.filename: link, LIB.filename: None}


@pytest.mark.filterwarnings("ignore::mousebender.simple.APIVersionWarning")
def test_other_programs_read_the_pages_of_a_tree_with_provenance(
    shim: MakeShim, tmp_path: Path
) -> None:
    path = flat_directory(tmp_path / "wheels", [APP])
    (path / f"{APP.filename}.provenance").write_bytes(OBJECT)
    made = shim(Index(name="wheels", url=path.as_uri() + "/"))
    publish(DirectorySource(made.members["wheels"], 10**6), DirectoryTree(tmp_path / "tree"), list)
    body = (tmp_path / "tree" / "simple" / "acme-app" / "index.json").read_text("utf-8")
    page = pypi_simple.ProjectPage.from_json_data(json.loads(body))
    (package,) = page.packages
    assert (package.size, page.versions, page.repository_version) == (
        len(APP.data), [APP.version], "1.4"
    )  # fmt: skip
    kind = "application/vnd.pypi.simple.v1+json"
    read = mousebender.simple.parse_project_details(body, kind, "acme-app")
    assert read["files"][0]["hashes"] == {"sha256": APP.sha256}
