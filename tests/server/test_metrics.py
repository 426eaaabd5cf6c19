"""The figures of the status in Prometheus' text format."""

import re

from tests.server.conftest import DEMO, World
from tests.serving import wait_until

PIP = {"User-Agent": "pip/26.3 {}"}
LINE = re.compile(
    r"# (HELP|TYPE) indexfallback_[a-z_]+ .+"
    r"|indexfallback_[a-z_]+(\{[a-z]+=\"[a-z0-9._-]+\"(,[a-z]+=\"[a-z0-9._ ()-]+\")*\})? [0-9.e+-]+"
)


def figures(world: World) -> dict[str, float]:
    """Return what is shown, by name and labels."""
    lines = world.shim.get("/-/metrics").body.decode().splitlines()
    return {
        name: float(value)
        for name, _, value in (line.rpartition(" ") for line in lines if not line.startswith("#"))
    }


def test_every_line_is_one_of_the_text_format(world: World) -> None:
    world.shim.get("/simple/demo/", PIP)
    answer = world.shim.get("/-/metrics")
    assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    text = answer.body.decode()
    assert text.endswith("\n")
    assert [line for line in text.splitlines() if not LINE.fullmatch(line)] == []


def test_no_figure_is_shown_twice_and_each_is_explained(world: World) -> None:
    lines = world.shim.get("/-/metrics").body.decode().splitlines()
    samples = [line.rpartition(" ")[0] for line in lines if not line.startswith("#")]
    assert len(set(samples)) == len(samples)
    explained = {line.split()[2] for line in lines if line.startswith("# TYPE")}
    assert {name.partition("{")[0] for name in samples} <= explained


def test_they_are_those_of_the_status(world: World) -> None:
    world.shim.get("/simple/demo/", PIP)
    assert world.shim.get(world.path_of(DEMO)).status == 200
    wait_until(lambda: figures(world)["indexfallback_cache_files"], 10, "the file is not kept")
    shown, report = figures(world), world.shim.json("/-/status")
    for index in report["indexes"]:
        labels = f'{{index="{index["name"]}"}}'
        assert shown[f"indexfallback_index_requests_total{labels}"] == index["requests"]
        assert shown[f"indexfallback_index_up{labels}"] == 1
        states = f'indexfallback_index_state{{index="{index["name"]}",state="'
        assert [n for n in shown if n.startswith(states) and shown[n]] == [
            f'{states}{index["state"]}"}}'
        ]
    sent = report["activity"]["bytes"]
    assert shown['indexfallback_sent_bytes_total{source="index"}'] == sent["fetched"] > 0
    assert shown['indexfallback_sent_bytes_total{source="cache"}'] == sent["cached"]
    ahead = report["activity"]["ahead"]
    assert shown["indexfallback_ahead_fetched_bytes_total"] == ahead["bytes"]
    assert shown["indexfallback_ahead_used_bytes_total"] == ahead["used"]
    assert shown["indexfallback_offline"] == 0
