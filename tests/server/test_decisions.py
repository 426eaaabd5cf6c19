"""The decisions in ``/-/status``: one for each page and file that a client got, or did not get."""

import time
from typing import Any

import pytest

from tests.server.conftest import DEMO, World
from tests.server.intercepting import via

PIP = {"User-Agent": "pip/26.3 {}"}


def since(world: World, began: float) -> list[dict[str, Any]]:
    """Return the decisions since a time, the newest first."""
    decisions: list[dict[str, Any]] = world.shim.json(f"/-/status?since={began}")["activity"][
        "decisions"
    ]
    return decisions


def test_a_page_and_a_file_are_decisions_with_their_client(world: World) -> None:
    path, began = world.path_of(DEMO), time.time()
    world.shim.get("/simple/demo/", {**PIP, "Cache-Control": "no-cache"})
    world.shim.get(path, PIP)
    file, page = since(world, began)
    for decision in (file, page):
        assert (decision["client"], decision["project"]) == ("pip/26.3", "demo")
        assert (decision["owner"], decision["status"]) == ("pypi", 200)
        assert 0 <= decision["seconds"] < 60
    assert (page["how"], page["filename"]) == ("asked", "")
    assert (file["how"], file["filename"]) in [
        (how, DEMO.filename) for how in ("cached", "fetched", "ahead")
    ]


def test_json_of_a_project_and_an_intercepted_page_are_decisions(world: World) -> None:
    began = time.time()
    assert world.shim.get("/pypi/demo/json", PIP).status == 200
    assert via(world.shim, f"{world.pypi.url}demo/", PIP).status == 200
    assert [decision["project"] for decision in since(world, began)] == ["demo", "demo"]


@pytest.mark.parametrize("path", ["/simple/no-such-thing/", "/pypi/no-such-thing/json"])
def test_a_project_that_no_index_has_is_a_failure_with_its_remedy(world: World, path: str) -> None:
    began = time.time()
    world.shim.get(path, PIP)
    (decision,) = since(world, began)
    assert (decision["how"], decision["status"]) == ("refused", 404)
    assert decision["project"] == "no-such-thing"
    assert decision["cause"] == "no index has it"
    assert decision["remedy"].startswith("Check the name")


def test_a_file_that_no_index_lists_is_a_failure_of_its_project(world: World) -> None:
    began = time.time()
    world.shim.get(f"/files/pypi/demo.{'0' * 64}/demo-9.0-py3-none-any.whl", PIP)
    (decision,) = since(world, began)
    assert (decision["how"], decision["status"]) == ("refused", 404)
    assert (decision["project"], decision["filename"]) == ("demo", "demo-9.0-py3-none-any.whl")


def test_head_parts_and_metadata_are_no_decisions(world: World) -> None:
    path, began = world.path_of(DEMO), time.time()
    world.shim.get("/simple/demo/", PIP, method="HEAD")
    world.shim.get(path, {**PIP, "Range": "bytes=0-9"})
    world.shim.get(f"{path}.metadata", PIP)
    assert since(world, began) == []


def test_what_people_look_at_is_no_decision(world: World) -> None:
    began = time.time()
    for path in ("/", "/projects/demo/", "/-/why/demo"):
        assert world.shim.get(path).status == 200
    assert since(world, began) == []
