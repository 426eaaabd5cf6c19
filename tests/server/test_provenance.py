"""Provenance objects over a real socket, and where pages say that they are."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from pypi_simple import ACCEPT_HTML_ONLY, ACCEPT_JSON_ONLY, PyPISimple

from tests.fakes import FakeIndex, wheel
from tests.fakes.provenance import provenance_of
from tests.server.intercepting import JSON, files, via
from tests.serving import Served, config_text, index_table, serving

DEMO, PLAIN = wheel("demo"), wheel("demo", "2.0")
OBJECT = provenance_of(DEMO)
HERE = f"/files/pypi/demo.{DEMO.sha256}/{DEMO.filename}.provenance"
MEDIA_TYPE = "application/vnd.pypi.integrity.v1+json"


@pytest.fixture(scope="module")
def pypi() -> Iterator[FakeIndex]:
    with FakeIndex([PLAIN]) as index:
        index.attest(DEMO, OBJECT)
        yield index


@pytest.fixture(scope="module")
def shim(pypi: FakeIndex, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    directory = tmp_path_factory.mktemp("provenance")
    with serving(directory, config_text(index_table("pypi", pypi.url))) as served:
        yield served


def stated(shim: Served, page: str) -> dict[str, str | None]:
    """Return the address of each file's provenance, as a page's JSON has it."""
    host = {"Host": f"127.0.0.1:{shim.port}"}
    listed = json.loads(shim.get(page, {**JSON, **host}).body)["files"]
    return {file["filename"]: file.get("provenance") for file in listed}


@pytest.mark.parametrize("page", ["/simple/demo/", "/index/pypi/simple/demo/"])
def test_a_page_states_an_absolute_address_beside_the_file(shim: Served, page: str) -> None:
    address = f"http://127.0.0.1:{shim.port}{HERE}"
    assert stated(shim, page) == {DEMO.filename: address, PLAIN.filename: None}


def test_a_page_in_html_states_the_same_address(shim: Served) -> None:
    body = shim.get("/simple/demo/", {"Host": "localhost"}).body.decode()
    assert body.count("data-provenance") == 1
    assert f'data-provenance="http://localhost{HERE}"' in body


@pytest.mark.parametrize("accept", [ACCEPT_JSON_ONLY, ACCEPT_HTML_ONLY])
def test_pypi_simple_finds_the_address_in_both_forms(shim: Served, accept: str) -> None:
    with PyPISimple(shim.url) as client:
        page = client.get_project_page("demo", accept=accept)
    (found,) = (p.provenance_url for p in page.packages if p.filename == DEMO.filename)
    assert found == f"http://127.0.0.1:{shim.port}{HERE}"


def test_the_object_is_served_as_it_came_with_its_own_type(shim: Served) -> None:
    answer = shim.get(HERE)
    assert answer.body == OBJECT
    assert answer.headers["Content-Type"] == MEDIA_TYPE
    # It may get more attestations.
    assert answer.headers["Cache-Control"] == "no-cache"
    assert shim.get(HERE, {"If-None-Match": answer.headers["ETag"]}).status == 304
    head = shim.get(HERE, method="HEAD")
    assert (head.status, head.body) == (200, b"")


def test_a_file_without_one_is_a_404_that_says_so(shim: Served) -> None:
    answer = shim.get(f"/files/pypi/demo.{PLAIN.sha256}/{PLAIN.filename}.provenance")
    assert answer.problem["status"] == 404
    assert "no page of pypi states a provenance" in answer.problem["detail"]


def test_direct_pages_keep_the_index_s_own_address(shim: Served, pypi: FakeIndex) -> None:
    own = f"{pypi.base}/integrity/demo/1.0/{DEMO.filename}/provenance"
    assert stated(shim, "/direct/simple/demo/")[DEMO.filename] == own
    assert files(shim, f"{pypi.url}demo/")[DEMO.filename]["provenance"] == own


def test_at_the_index_s_own_address_it_comes_from_the_cache_when_the_index_is_away(
    shim: Served, pypi: FakeIndex
) -> None:
    own = files(shim, f"{pypi.url}demo/")[DEMO.filename]["provenance"]
    assert via(shim, own).body == OBJECT
    pypi.stop_listening()
    try:
        answer = via(shim, own)
    finally:
        pypi.start_again()
    assert (answer.status, answer.body) == (200, OBJECT)
    assert answer.headers["Content-Type"] == MEDIA_TYPE


@pytest.mark.parametrize(
    "path",
    [
        f"/integrity/demo/2.0/{PLAIN.filename}/provenance",
        f"/integrity/other/1.0/{DEMO.filename}/provenance",
        f"/files/{DEMO.filename}.provenance",
        "/provenance",
        "/integrity/demo/1.0/README/provenance",
    ],
)
def test_an_address_that_no_page_states_is_left_to_its_host(
    shim: Served, pypi: FakeIndex, path: str
) -> None:
    files(shim, f"{pypi.url}demo/")
    assert via(shim, f"{pypi.base}{path}").status == 421


def test_that_of_a_directory_is_beside_its_file_at_the_address_of_the_chain(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "tree" / "demo"
    folder.mkdir(parents=True)
    (folder / DEMO.filename).write_bytes(DEMO.data)
    (folder / f"{DEMO.filename}.provenance").write_bytes(OBJECT)
    (folder / "index.html").write_text(
        f'<!DOCTYPE html><a href="{DEMO.filename}" data-provenance="{DEMO.filename}.provenance">'
        f"{DEMO.filename}</a>"
    )
    with FakeIndex() as empty:
        tables = index_table("own", str(folder.parent)), index_table("pypi", empty.url)
        with serving(tmp_path / "shim", config_text(*tables)) as shim:
            own = files(shim, f"{empty.url}demo/")[DEMO.filename]["provenance"]
            assert own == f"{empty.url}demo/{DEMO.filename}.provenance"
            assert via(shim, own).body == OBJECT
