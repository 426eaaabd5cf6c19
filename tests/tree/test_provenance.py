"""The provenance objects of a published tree."""

import json
from pathlib import Path

from indexfallback.config import Index
from indexfallback.tree.publish import publish
from indexfallback.tree.sources import ChainSource, DirectorySource
from tests.conftest import MakeShim
from tests.fakes import FakeIndex, wheel
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
        publish(ChainSource(made), tmp_path / "tree", list)
    again = shim(Index(name="tree", url=(tmp_path / "tree").as_uri() + "/"))
    publish(DirectorySource(again.members["tree"], 10**6), tmp_path / "copy", list)
    for tree in (tmp_path / "tree", tmp_path / "copy"):
        assert (tree / "files" / f"{APP.filename}.provenance").read_bytes() == OBJECT
        page = json.loads((tree / "simple" / "acme-app" / "index.json").read_bytes())
        stated = {file["filename"]: file.get("provenance") for file in page["files"]}
        link = f"../../files/{APP.filename}.provenance"
        assert stated == {APP.filename: link, LIB.filename: None}
