"""Health, status and why."""

import json
import time
from functools import partial
from pathlib import Path
from urllib.parse import urljoin

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
    assert len(health["configuration"]) == 64
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
    private, pypi = report["indexes"]
    assert (private["state"], pypi["state"]) in {("up", "up"), ("not asked yet", "up")}
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


@pytest.mark.fault(46)
def test_credentials_in_links_appear_nowhere(served: Serve, tmp_path: Path) -> None:
    core = wheel("acme-core")
    with (
        FakeIndex([core], username="ci", password="hunter2") as host,
        FakeIndex(files_url=f"http://ci:hunter2@localhost:{host.port}/files/") as index,
    ):
        index.add(core)
        shim = served(index_table("private", index.url, role="private"), arguments=("-vv",))
        kinds = ("text/html", "application/vnd.pypi.simple.v1+json")
        paths = [f"{start}/simple/acme-core/" for start in ("", "/direct", "/index/private")]
        answers = [shim.get(path, {"Accept": kind}) for path in paths for kind in kinds]
        file = urljoin(paths[0], json.loads(answers[1].body)["files"][0]["url"])
        more = (file, f"{file}.metadata", "/projects/acme-core/", "/-/why/acme-core")
        answers += map(shim.get, more)
        assert {answer.status for answer in answers} == {200}
        assert core.data in [answer.body for answer in answers]
        newer = wheel("acme-core", "2.0")
        index.add(newer)
        host.demand("ci", "another")
        refreshed = shim.get(paths[0], {"Accept": kinds[1], "Cache-Control": "no-cache"})
        file = urljoin(paths[0], json.loads(refreshed.body)["files"][1]["url"])
        refused = shim.get(file)
        assert "401 Unauthorized by localhost" in refused.problem["detail"]
        answers += [refreshed, refused, *map(shim.get, ("/-/why/acme-core", "/-/status", "/"))]
        told = [str(answer) for answer in answers]
        shim.stop()
        kept = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
        for secret in ("hunter2", "aHVudGVyM", "h1bnRlcj", "odW50ZXIy"):  # also in base64
            assert not any(secret in text for text in (*told, shim.log))
            assert not any(secret.encode() in data for data in kept)
