"""Packets that are really dropped, a resolver that never answers, and no network at all."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from tests.serving import clean_environment

Tell: TypeAlias = Callable[[str], list[dict[str, Any]]]

ROOT = Path(__file__).parents[2]
#: A cable whose other end nobody holds: what is sent to .2, and anywhere else, is dropped.
CABLE = """
ip link add veth0 type veth peer name veth1
ip addr add 198.51.100.1/24 dev veth0
ip link set veth0 up
ip link set veth1 up
ip neigh add 198.51.100.2 lladdr 02:00:00:00:00:02 dev veth0
ip route add default via 198.51.100.2
"""
RESOLVER = 'mount --bind "$0" /etc/resolv.conf\n'
#: A name for this machine, as others would have one.
HOSTS = 'echo "127.0.0.1 packages.example.com" > "$0.hosts"; mount --bind "$0.hosts" /etc/hosts\n'
SETUP = {
    "dropped": CABLE,
    "silent-resolver": CABLE + RESOLVER,
    "no-network": "",
    "travel": HOSTS,
}
#: Far above the limits in `inside.py`, and far below what would hold without them, seconds.
ENDS = 15.0


def _cannot() -> str:
    """Return why this test cannot run here, or nothing."""
    if sys.platform != "linux":
        return "network namespaces are Linux's"
    if os.geteuid() != 0 or not all(shutil.which(tool) for tool in ("ip", "unshare", "mount")):
        return "needs root, iproute2 and util-linux"
    allowed = subprocess.run(["unshare", "-n", "-m", "true"], capture_output=True, check=False)
    return "" if allowed.returncode == 0 else "namespaces are not permitted here"


@pytest.fixture
def tell(tmp_path: Path) -> Tell:
    """Return what runs a scenario of `inside.py` in a network of its own."""
    if cannot := _cannot():
        pytest.skip(cannot)
    resolver = tmp_path / "resolv.conf"
    resolver.write_text("nameserver 127.0.0.1\n")

    def run(scenario: str) -> list[dict[str, Any]]:
        script = f'set -e\nip link set lo up\n{SETUP[scenario]}exec "$@"\n'
        done = subprocess.run(
            ["unshare", "-n", "-m", "sh", "-c", script, str(resolver),
             sys.executable, "-m", "tests.faults.inside", scenario],
            capture_output=True, text=True, timeout=300, check=False, cwd=ROOT,
            env={**clean_environment(tmp_path), "TMPDIR": str(tmp_path)},
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        told: list[dict[str, Any]] = json.loads(done.stdout)
        return told

    return run


@pytest.mark.fault(2)
def test_blackholed_syn__dropped_packets_cost_the_connect_timeout_once(tell: Tell) -> None:
    first, *others = tell("dropped")
    assert first["who"] == 404
    assert 0.5 <= first["seconds"] < ENDS
    assert [story["who"] for story in others] == ["pypi", "pypi"]
    assert [story["tried"][0] for story in others] == ["skipped", "skipped"]


@pytest.mark.fault(4)
def test_dns_hang__a_resolver_that_never_answers_costs_its_share_twice_and_then_nothing(
    tell: Tell,
) -> None:
    *stories, threads = tell("silent-resolver")
    assert [story["who"] for story in stories] == ["pypi"] * 3
    assert max(story["seconds"] for story in stories) < ENDS
    assert stories[2]["tried"][0] == "skipped"
    assert threads == {"threads": 2}


def test_no_network__is_charged_to_nobody_and_over_as_soon_as_it_is(tell: Tell) -> None:
    before, seen, *never, health, after = tell("no-network")
    assert (before["who"], before["said"]) == ("pypi", "asked")
    assert seen["who"] == "pypi", "what was seen is served without a network"
    assert [story["who"] for story in never] == [404] * 5
    assert all("there is no network" in story["said"] for story in never)
    assert health == {"state": "closed", "failures": 0}
    assert (after["who"], after["said"]) == ("pypi", "asked")


def test_by_itself_offline__a_fresh_page_lists_what_is_here_until_the_network_is_back(
    tell: Tell,
) -> None:
    before, away, never, state, outage, again, back = tell("travel")
    assert before == {"files": ["1.0", "2.0"], "offline": False}
    assert away == {"files": ["1.0"], "offline": True}
    assert "there is no network, and none of its 2 files is in the cache" in never["said"]
    assert state == {"offline": True, "offline_by": "network", "offline_mode": "auto"}
    assert outage == {"files": ["1.0", "2.0"], "offline": False}, "by the mode off"
    assert again == {"files": ["1.0"], "offline": True}
    assert back == {"files": ["1.0", "2.0"], "offline": False}
