"""Health, status and why."""

import time
from functools import partial

import pytest

from indexfallback import __version__
from tests.conftest import Serve
from tests.fakes import FakeIndex, wheel
from tests.server.conftest import DEMO, World
from tests.serving import index_table, wait_until


def test_health_names_the_program_and_its_process(world: World) -> None:
    answer = world.shim.get("/-/health")
    assert answer.headers["Cache-Control"] == "no-store"
    health = world.shim.json("/-/health")
    assert (health["status"], health["name"], health["version"]) == (
        "ok",
        "indexfallback",
        __version__,
    )
    assert health["pid"] == world.shim.process.pid
    assert len(health["configuration"]) == 16
    assert 0 < time.time() - health["started"] < 600


@pytest.mark.parametrize(
    "path", ["/", "/-/health", "/-/status", "/-/why/demo", "/-/refresh/demo", "/-/metrics"]
)
def test_head_is_answered_everywhere(world: World, path: str) -> None:
    head = world.shim.get(path, method="HEAD")
    assert (head.status, head.body) == (200, b"")


def test_status_shows_indexes_cache_and_activity(world: World) -> None:
    world.shim.get("/simple/demo/", {"User-Agent": "pip/26.3 {}"})
    assert world.shim.get(world.path_of(DEMO)).status == 200
    status = partial(world.shim.json, "/-/status")
    wait_until(lambda: status()["cache"]["files"], 10, "the file that was answered is not kept")
    report = status()
    assert [index["name"] for index in report["indexes"]] == ["private", "pypi"]
    assert {index["state"] for index in report["indexes"]} == {"closed"}
    assert report["cache"]["pages"] >= 1
    assert not report["cache"]["temporary"]
    assert report["activity"]["projects"]["demo"]["owner"] == "pypi"
    assert "pip/26.3" in report["activity"]["clients"]
    assert report["activity"]["bytes"]["fetched"] + report["activity"]["bytes"]["cached"] > 0


def test_status_since_a_time_leaves_out_what_was_before(world: World) -> None:
    world.shim.get("/simple/demo/")
    world.shim.get("/simple/no-such-thing/")
    later = world.shim.json(f"/-/status?since={time.time() + 60}")["activity"]
    assert (later["projects"], later["failures"]) == ({}, [])
    earlier = world.shim.json("/-/status?since=0")["activity"]
    assert "no-such-thing" in [failure["what"] for failure in earlier["failures"]]


def test_status_since_something_else_than_a_time_is_a_400(world: World) -> None:
    assert world.shim.get("/-/status?since=yesterday").problem["status"] == 400


def test_why_tells_who_owns_a_project_and_who_was_asked(world: World) -> None:
    report = world.shim.json("/-/why/Demo")
    assert (report["project"], report["owner"], report["status"]) == ("demo", "pypi", 200)
    assert [(index["name"], index["what"]) for index in report["indexes"]] == [
        ("private", "absent"),
        ("pypi", "found"),
    ]


def test_why_says_that_no_index_has_a_project(world: World) -> None:
    report = world.shim.json("/-/why/no-such-thing")
    assert report["status"] == 404
    assert report["cause"] == "no index has it"


def test_the_start_page_tells_how_to_use_it(world: World) -> None:
    answer = world.shim.get("/")
    body = answer.body.decode()
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert f"--index-url http://127.0.0.1:{world.shim.port}/simple/" in body
    assert "indexfallback run --" in body
    assert world.pypi.url in body


@pytest.mark.fault(46)
def test_credentials_appear_nowhere(served: Serve) -> None:
    with FakeIndex([wheel("acme-core")], username="ci", password="hunter2") as index:
        shim = served(index_table("private", index.login_url, role="private"))
        answers = [
            shim.get(path)
            for path in (
                "/", "/-/health", "/-/status", "/-/why/acme-core", "/simple/acme-core/",
                "/projects/", "/projects/acme-core/",
            )
        ]  # fmt: skip
        assert [answer.status for answer in answers] == [200] * 7
        index.fail(401)
        answers += [shim.get("/-/why/acme-core"), shim.get("/simple/acme-other/")]
        index.stop_listening()
        answers += [shim.get("/-/why/acme-core"), shim.get("/-/status")]
        assert all(b"hunter2" not in answer.body for answer in answers)
        assert all("hunter2" not in str(answer.headers) for answer in answers)
        shim.stop()
        assert "hunter2" not in shim.log
