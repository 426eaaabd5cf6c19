"""The command ``refresh``."""

import pytest

from tests.cli.support import COLUMNS, CommandLine
from tests.conftest import Serve
from tests.fakes import FakeIndex, wheel
from tests.serving import index_table


@pytest.mark.usefixtures("chain")
def test_it_lists_the_versions_that_are_new(cli: CommandLine, public: FakeIndex) -> None:
    done = cli("refresh", "Idna").expect()
    assert done.out == "idna: not known here before, newest 3.10 (pypi)\n"
    assert cli("refresh", "idna").expect().out == "idna: nothing new, newest 3.10 (pypi)\n"
    public.add(wheel("idna", "3.11"))
    public.remove(wheel("idna", "3.9").filename)
    done = cli("refresh", "idna").expect()
    assert done.out == "idna: new 3.11; no longer listed 3.9 (pypi)\n"
    assert done.err == ""


def test_it_tells_what_a_cooldown_withholds(cli: CommandLine, public: FakeIndex) -> None:
    cli.configure(index_table("pypi", public.url, cooldown="7 days"))
    cli("refresh", "idna").expect()
    public.add(wheel("idna", "3.11"), upload_time="2999-01-01T00:00:00Z")
    assert (
        cli("refresh", "idna").expect().out == "idna: new 3.11 (pypi); a cooldown withholds 3.11\n"
    )
    again = "idna: nothing new, newest 3.11 (pypi); a cooldown withholds 3.11\n"
    assert cli("refresh", "idna").expect().out == again


@pytest.mark.usefixtures("chain")
def test_without_a_project_it_asks_for_all_whose_page_is_in_the_cache(
    cli: CommandLine, public: FakeIndex, private: FakeIndex
) -> None:
    cli("refresh", "idna", "acme-app").expect()
    public.add(wheel("never-asked-for"))
    private.add(wheel("acme-app", "1.5"))
    done = cli("refresh").expect()
    assert done.out.splitlines() == [
        "acme-app: new 1.5 (private)",
        "2 projects, 1 changed, 0 not refreshed",
    ]
    assert public.count("/simple/never-asked-for/") == 0


@pytest.mark.usefixtures("chain")
def test_an_empty_cache_has_nothing_to_refresh(cli: CommandLine) -> None:
    assert cli("refresh").expect().out == "0 projects, 0 changed, 0 not refreshed\n"


def test_a_running_shim_asks_and_serves_what_is_new_at_once(
    cli: CommandLine, served: Serve, public: FakeIndex
) -> None:
    shim = served(cli.configure(index_table("pypi", public.url)), directory=cli.directory)
    cli.use(shim)
    assert shim.get("/simple/idna/").status == 200
    assert shim.get("/simple/late/").status == 404
    public.add(wheel("idna", "3.11"))
    public.add(wheel("late"))
    done = cli("refresh", "idna", "late").expect()
    assert done.out.splitlines() == [
        "idna: new 3.11 (pypi)",
        "late: not known here before, newest 1.0 (pypi)",
    ]
    for project in ("idna-3.11", "late-1.0"):
        assert project.encode() in shim.get(f"/simple/{project.partition('-')[0]}/").body
    assert shim.json("/-/status")["activity"]["projects"]["late"]["owner"] == "pypi"


@pytest.mark.usefixtures("chain")
def test_as_json_it_has_the_same(cli: CommandLine, public: FakeIndex) -> None:
    cli("refresh", "idna").expect()
    public.add(wheel("idna", "3.11"))
    report = cli("refresh", "idna", "nope", "--json").expect(1).json
    idna, nope = report["projects"]
    assert (idna["new"], idna["gone"], idna["owner"], idna["refreshed"]) == (
        ["3.11"], [], "pypi", True,
    )  # fmt: skip
    assert (nope["status"], nope["refreshed"], nope["cause"]) == (404, False, "no index has it")


@pytest.mark.usefixtures("chain")
def test_a_project_that_cannot_be_asked_for_ends_with_1(
    cli: CommandLine, public: FakeIndex
) -> None:
    cli("refresh", "idna").expect()
    public.stop_listening()
    done = cli.to_terminal("refresh", "idna", "acme-app").expect(1)
    assert "acme-app: not known here before, newest 1.4 (private)" in done.out
    assert "idna: not refreshed: pypi could not be asked (connection refused " in done.words
    assert "and its older page is served" in done.words
    assert done.widest <= COLUMNS


@pytest.mark.usefixtures("chain")
def test_offline_no_project_is_refreshed(cli: CommandLine, public: FakeIndex) -> None:
    cli("refresh", "idna").expect()
    public.clear()
    done = cli("--offline", "refresh").expect(1)
    assert "idna: not refreshed, because there is no network" in done.words
    assert "1 project, 0 changed, 1 not refreshed" in done.out
    assert public.requests == []


@pytest.mark.usefixtures("chain")
def test_what_is_no_project_name_ends_with_2(cli: CommandLine) -> None:
    cli("refresh", "not/a/name").expect(2)
