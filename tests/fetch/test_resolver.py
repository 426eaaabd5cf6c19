"""Resolving: who does it, and that no setting of the user's own installs decides."""

import sys
from pathlib import Path

import pytest

from indexfallback.errors import ResolveError
from indexfallback.fetch.resolver import Resolver
from indexfallback.fetch.target import Target
from indexfallback.wanted import Demand, Local, Origin, Wanted
from tests.conftest import Serve
from tests.fakes import FakeIndex, sdist, wheel
from tests.serving import index_table

HERE = Origin("the command line")
FOREIGN = Target("3.12", "win_amd64")
#: What would keep both from asking the index, or turn the answer.
SETTINGS = {
    "PIP_NO_INDEX": "1", "PIP_ONLY_BINARY": ":all:", "PIP_REQUIRE_HASHES": "1",
    "UV_NO_INDEX": "1", "UV_OFFLINE": "1", "UV_INDEX_URL": "http://127.0.0.1:1/",
}  # fmt: skip


def demands(*texts: str) -> list[Demand]:
    return [Demand(text, HERE) for text in texts]


@pytest.mark.parametrize("target", [Target(), FOREIGN], ids=["pip", "uv"])
def test_settings_of_the_users_own_installs_do_not_decide(target: Target, served: Serve) -> None:
    with FakeIndex([wheel("app", requires=["lib"]), sdist("lib", "2.0")]) as index:
        shim = served(index_table("pypi", index.url))
        resolver = Resolver(shim.url, SETTINGS)
        pins = resolver.resolve(demands("app"), target, Wanted())
    assert sorted((pin.project, pin.version) for pin in pins) == [("app", "1.0"), ("lib", "2.0")]
    assert all(pin.hashes for pin in pins)
    tool = "pip" if target.is_here else "uv"
    assert {str(pin.origin) for pin in pins} == {f"{tool}'s resolver"}


@pytest.mark.parametrize("target", [Target(), FOREIGN], ids=["pip", "uv"])
def test_options_of_what_is_wanted_are_followed(target: Target, served: Serve) -> None:
    dists = [wheel("app", "1.0"), sdist("app", "2.0"), wheel("lib", "1.0"), wheel("lib", "2.0a1")]
    with FakeIndex(dists) as index:
        shim = served(index_table("pypi", index.url))
        wanted = Wanted(pre=True, only_binary=frozenset(["app"]))
        pins = Resolver(shim.url, {}).resolve(demands("app", "lib"), target, wanted)
    assert sorted((pin.project, pin.version) for pin in pins) == [("app", "1.0"), ("lib", "2.0a1")]


@pytest.mark.parametrize("target", [Target(), FOREIGN], ids=["pip", "uv"])
def test_a_project_in_a_directory_is_looked_for_in_no_index(target: Target, served: Serve) -> None:
    app = wheel("app", requires=["own[test]>=1", "older>=1", "lib"])
    with FakeIndex([app, wheel("lib"), wheel("own", "2.0")]) as index:
        shim = served(index_table("pypi", index.url))
        local = (Local("own", "1.1.dev0", ("test",)), Local("older", "attr: x", ()))
        pins = Resolver(shim.url, {}).resolve(demands("app"), target, Wanted(local=local))
    assert sorted(pin.project for pin in pins) == ["app", "lib"]


def test_without_uv_another_target_is_refused_with_the_remedy(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ResolveError, match=r"Python 3\.12 on win_amd64: .*; install uv"):
        Resolver("http://127.0.0.1:1/simple/", {}).resolve(demands("app"), FOREIGN, Wanted())
