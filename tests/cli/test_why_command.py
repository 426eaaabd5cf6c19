"""The command ``why``."""

import re

import pytest

from tests.cli.support import COLUMNS, CommandLine
from tests.conftest import Serve
from tests.fakes import FakeIndex, wheel
from tests.serving import index_table, wait_until


@pytest.mark.usefixtures("chain")
def test_it_says_who_serves_a_project_and_what_every_index_said(cli: CommandLine) -> None:
    done = cli.to_terminal("why", "idna").expect()
    first, absent, *_ = done.out.splitlines()
    assert first.startswith("idna is served by pypi (page of ")
    assert first.endswith(", fresh for 10 min)")
    assert "page: confirmed now; asked again after 10 min" in done.words
    assert absent.startswith("  1  private  absent  404 Not Found in ")
    assert "2 pypi found 2 files in " in done.words
    assert "newest 3.10" in done.words
    assert "files: 2 (0 cached, 0 withheld) yanked: 0 pins: 0" in done.words
    assert done.widest <= COLUMNS
    assert done.err == ""


@pytest.mark.usefixtures("chain")
def test_it_says_how_old_the_page_was_and_when_its_index_is_asked_again(cli: CommandLine) -> None:
    assert "page: confirmed now; asked again after 15 s" in cli("why", "acme-app").expect().words
    again = cli("why", "acme-app").expect()
    assert re.search(r"confirmed now \(\d+ s old before\); asked again after 15 s", again.words)
    cli("fetch", "acme-app").expect()
    offline = cli("--offline", "why", "acme-app").expect()
    assert re.search(r"page: \d+ s old; not renewed while offline", offline.words)


@pytest.mark.usefixtures("chain")
def test_a_name_is_taken_in_any_spelling(cli: CommandLine) -> None:
    assert cli("why", "ACME_App").expect().out.startswith("acme-app is served by private ")


@pytest.mark.usefixtures("chain")
def test_it_says_what_was_skipped_for_whom(cli: CommandLine, public: FakeIndex) -> None:
    done = cli("why", "acme-app").expect()
    assert "2 pypi skipped acme-app belongs to private" in done.words
    assert public.requests == []


def test_it_lists_the_indexes_that_a_claim_leaves_out(
    cli: CommandLine, private: FakeIndex, public: FakeIndex
) -> None:
    cli.configure(
        index_table("other", public.url, role="private"),
        index_table("private", private.url, role="private", projects=["acme-*"]),
    )
    done = cli("why", "acme-app").expect()
    assert "1 other skipped acme-app is claimed by private (projects)" in done.words
    assert "owner: claimed by projects" in done.words


@pytest.mark.usefixtures("chain")
def test_an_unknown_project_ends_with_1_and_a_remedy(cli: CommandLine) -> None:
    done = cli("why", "nope").expect(1)
    assert done.out.startswith("nope was not found (404)\n")
    assert "Why: no index has it." in done.words
    assert "What you can do: Check the name, or add the index that has it." in done.words


@pytest.mark.usefixtures("chain")
def test_a_private_project_that_cannot_be_asked_for_is_explained(
    cli: CommandLine, private: FakeIndex, public: FakeIndex
) -> None:
    cli.configure(
        index_table("private", private.url, role="private", projects=["acme-*"]),
        index_table("pypi", public.url),
    )
    private.stop_listening()
    done = cli.to_terminal("why", "acme-app").expect(1)
    assert done.out.startswith("acme-app is not available now (503)\n")
    assert "1 private unavailable connection refused (127.0.0.1:" in done.words
    assert "What you can do: Start private, or correct the port" in done.words
    assert done.widest <= COLUMNS
    assert "WARNING" not in done.err
    assert public.requests == []


@pytest.mark.usefixtures("chain")
def test_a_stale_page_is_said_to_be_one(cli: CommandLine, private: FakeIndex) -> None:
    cli("why", "acme-app").expect()
    private.stop_listening()
    done = cli("why", "acme-app").expect()
    assert done.out.startswith("acme-app is served by private (stale page of ")
    assert "newest known 1.4" in done.words


@pytest.mark.usefixtures("chain")
def test_offline_it_says_so(cli: CommandLine, public: FakeIndex) -> None:
    cli("why", "idna").expect()
    public.clear()
    done = cli("why", "idna", "--offline").expect(1)
    assert done.out.startswith("idna was not found (404)\n")
    assert "1 private not asked offline" in done.words
    assert "--offline is on, and none of its 2 files is in the cache" in done.words
    never = cli("--offline", "why", "nope").expect(1)
    assert "it was never seen here" in never.words
    assert public.requests == []


@pytest.mark.usefixtures("chain")
def test_as_json_it_gives_the_same_facts(cli: CommandLine) -> None:
    report = cli("why", "acme-app", "--json").expect().json
    assert (report["status"], report["owner"], report["how"]) == (200, "private", "asked")
    assert report["belongs_to"]["index"] == "private"
    positions = [(index["position"], index["name"]) for index in report["indexes"]]
    assert positions == [(1, "private"), (2, "pypi")]
    assert cli("why", "nope", "--json").expect(1).json["status"] == 404


#: A page that lists one file for each reason to leave it out, and one that is offered.
LEFT_OUT = (
    b'<a href="/files/a/acme-app-1.0.zip#sha256=deadbeef">x</a>'
    b'<a href="/files/acme-app-2.0.zip#md5=00">x</a><a href="/files/acme-app-3.0.zip">x</a>'
)


@pytest.mark.usefixtures("chain")
def test_files_that_are_left_out_are_counted_with_the_reason(
    cli: CommandLine, private: FakeIndex
) -> None:
    private.answer(200, {"Content-Type": "text/html"}, LEFT_OUT, path="/simple/acme-app/")
    said = "2 left out (1: a malformed md5; 1: a malformed sha256)"
    assert said in cli("why", "acme-app").expect().words
    report = cli("why", "acme-app", "--json").expect().json
    dropped = {"a malformed md5": 1, "a malformed sha256": 1}
    assert (report["files"], report["dropped"]) == (1, dropped)
    assert [index["dropped"] for index in report["indexes"]] == [dropped, {}]


def test_a_quarantined_project_is_said_to_be_one(cli: CommandLine, public: FakeIndex) -> None:
    public.project("idna").status = "quarantined"
    public.project("idna").status_reason = "looks like malware"
    cli.configure(index_table("pypi", public.url))
    done = cli("why", "idna").expect()
    assert "project status: quarantined (looks like malware): its files are not off" in done.words


def test_a_running_shim_with_this_configuration_answers(
    cli: CommandLine, served: Serve, public: FakeIndex
) -> None:
    text = cli.configure(index_table("pypi", public.url))
    shim = served(text, directory=cli.directory)
    cli.use(shim)
    cli("why", "idna").expect()
    assert shim.json("/-/status")["activity"]["projects"]["idna"]["owner"] == "pypi"


def test_a_running_shim_with_another_configuration_is_not_asked(
    cli: CommandLine, served: Serve, public: FakeIndex, private: FakeIndex
) -> None:
    shim = served(index_table("pypi", private.url), directory=cli.directory)
    cli.configure(index_table("pypi", public.url))
    cli.use(shim)
    cli("why", "idna").expect()
    assert shim.json("/-/status")["activity"]["projects"] == {}


def test_a_file_that_changed_is_named(cli: CommandLine, served: Serve, public: FakeIndex) -> None:
    text = cli.configure(index_table("pypi", public.url), cache={"fresh": "0 s"})
    shim = served(text, directory=cli.directory)
    cli.use(shim)
    old = wheel("idna", "3.9")
    assert shim.get(f"/files/pypi/idna.{old.sha256}/{old.filename}").status == 200
    wait_until(lambda: shim.json("/-/status")["cache"]["files"], 5, "the file is not kept")
    public.add(wheel("idna", "3.9", size=10))
    done = cli("why", "idna").expect()
    assert f"withheld: {old.filename} has changed since it was first seen" in done.words
    assert "pins: 1, 1 not as first seen" in done.words


@pytest.mark.parametrize("name", ["..", "a/b", "-x-", "naïve", ""])
def test_what_cannot_be_a_name_is_a_usage_error(cli: CommandLine, name: str) -> None:
    done = cli("why", "--", name).expect(2)
    assert f'"{name}" is not a project name' in done.words
