"""``cache accept`` and ``cache disown``: what they show and ask; a running shim sees it."""

import sys
import time

import pytest

from tests.cli.support import COLUMNS, CommandLine
from tests.conftest import Serve
from tests.fakes import FakeIndex, wheel
from tests.serving import Served, index_table, wait_until

OLD, NEW = wheel("idna", "3.9"), wheel("idna", "3.9", size=10)
NAME = OLD.filename
PAGE = "/simple/idna/"
#: A running shim repeats an answer for a second; a busy machine needs longer.
SOON = 3.0


def path_of(sha256: str) -> str:
    return f"/files/pypi/idna.{sha256}/{NAME}"


@pytest.fixture
def shim(cli: CommandLine, served: Serve, private: FakeIndex, public: FakeIndex) -> Served:
    """A shim that knows both indexes' projects and names, and asks for each page again."""
    text = cli.configure(
        index_table("private", private.url, role="private"),
        index_table("pypi", public.url),
        cache={"fresh": "0 s"},
    )
    running = served(text, directory=cli.directory)
    cli.use(running)
    assert running.get("/simple/acme-app/").status == 200
    wait_until(lambda: private.count("/simple/"), SOON, "the list of names is not asked for")
    return running


@pytest.fixture
def changed(shim: Served, public: FakeIndex) -> Served:
    """A shim that has served a file which has changed at its index since."""
    assert shim.get(path_of(OLD.sha256)).status == 200
    assert shim.get(path_of(OLD.sha256) + ".metadata").status == 200
    wait_until(lambda: shim.json("/-/status")["cache"]["files"] == 2, SOON, "it was not kept")
    public.add(NEW)
    wait_until(lambda: NAME.encode() not in shim.get(PAGE).body, SOON, "it is still offered")
    return shim


def test_a_changed_file_is_logged_once_with_index_hashes_and_remedy(changed: Served) -> None:
    for _ in range(3):
        changed.get(PAGE)
        assert changed.get(path_of(NEW.sha256)).status == 409
    (line,) = [line for line in changed.log.splitlines() if "has changed" in line]
    assert f" WARNING pypi: {NAME} has changed: sha256 {NEW.sha256} is offered" in line
    assert f"{OLD.sha256} was first seen" in line
    assert f"`indexfallback cache accept idna {NAME}` takes what is offered now" in line


def test_status_and_why_name_a_changed_file(cli: CommandLine, changed: Served) -> None:
    status = cli.to_terminal("status").expect()
    assert f"pins 1 refused: {NAME} changed at pypi (see `indexfallback why idna`)" in status.words
    assert status.widest <= COLUMNS
    why = cli("why", "idna").expect()
    assert f"withheld: {NAME} has changed since it was first seen" in why.words
    assert f"first seen: {OLD.sha256} pypi has: {NEW.sha256}" in why.words
    assert f"`indexfallback cache accept idna {NAME}`" in why.words
    (withheld,) = cli("why", "idna", "--json").expect().json["withheld"]
    assert (withheld["first"], withheld["offered"]) == (OLD.sha256, NEW.sha256)


def test_accept_shows_both_hashes_and_their_indexes_and_asks_for_yes(
    cli: CommandLine, changed: Served
) -> None:
    done = cli.to_terminal("cache", "accept", "idna", NAME).expect(2)
    assert f"{NAME} was first seen" in done.words
    assert f"from pypi sha256 {OLD.sha256} and is offered by pypi" in done.words
    assert f"sha256 {NEW.sha256}" in done.words
    assert "--yes" in done.err
    assert done.widest <= COLUMNS
    assert changed.get(path_of(NEW.sha256)).status == 409


def test_an_accepted_file_is_served_at_once_with_its_own_metadata(
    cli: CommandLine, changed: Served
) -> None:
    done = cli("cache", "accept", "Idna", NAME, "--yes").expect()
    assert f"Removed the pin of {NAME}" in done.words
    assert NAME.encode() in changed.get(PAGE).body
    assert changed.get(path_of(NEW.sha256)).body == NEW.data
    assert changed.get(path_of(NEW.sha256) + ".metadata").body == NEW.metadata
    assert changed.json("/-/status")["refused"] == []
    wait_until(lambda: cli_pin(cli) == NEW.sha256, SOON, "what was accepted is not pinned")
    assert changed.get(path_of(OLD.sha256)).status == 409


def cli_pin(cli: CommandLine) -> str:
    files = cli("cache", "list", "idna", "--json").expect().json["files"]
    return str(next((file["sha256"] for file in files if file["filename"] == NAME), ""))


def test_accept_as_json_gives_both_hashes(cli: CommandLine, changed: Served) -> None:
    assert cli("cache", "accept", "idna", NAME, "--json").expect(2).out == ""
    report = cli("cache", "accept", "idna", NAME, "--json", "--yes").expect().json
    assert report["first"]["sha256"] == OLD.sha256
    assert [offer["sha256"] for offer in report["offered"]] == [NEW.sha256]
    (event,) = cli("log", "idna", "--json").expect().json["events"]
    assert (event["action"], event["subject"]) == ("accepted", NAME)
    assert event["detail"] == f"instead of sha256 {OLD.sha256}"


def test_accepting_forgets_both_files_of_a_name(
    cli: CommandLine, shim: Served, public: FakeIndex
) -> None:
    second = wheel("idna", "3.9", size=20)
    public.add(second, folder="other/")
    for dist in (OLD, second):
        wait_until(lambda: NAME.encode() in shim.get(PAGE).body, SOON, "it is not offered")
        assert shim.get(path_of(dist.sha256)).body == dist.data
    wait_until(lambda: shim.json("/-/status")["cache"]["files"] == 2, SOON, "they were not kept")
    public.remove(f"other/{NAME}")
    public.add(NEW)
    wait_until(lambda: NAME.encode() not in shim.get(PAGE).body, SOON, "it is still offered")
    done = cli("cache", "accept", "idna", NAME, "--yes").expect()
    for dist in (OLD, second):
        assert f"{NAME} was first seen" in done.words
        assert f"sha256 {dist.sha256}" in done.words
    assert shim.get(path_of(NEW.sha256)).body == NEW.data


def test_accepting_what_was_never_served_ends_with_1(cli: CommandLine, shim: Served) -> None:
    done = cli("cache", "accept", "idna", "idna-9.9-py3-none-any.whl", "--yes").expect(1)
    assert "was never served from here" in done.words


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
@pytest.mark.parametrize(("answer", "code", "status"), [("y\n", 0, 200), ("n\n", 1, 409)])
def test_accept_asks_on_a_terminal(
    cli: CommandLine, changed: Served, answer: str, code: int, status: int
) -> None:
    done = cli.on_terminal("cache", "accept", "idna", NAME, typed=answer).expect(code)
    assert "Accept the new file?" in done.out
    assert changed.get(path_of(NEW.sha256)).status == status


def owner(shim: Served) -> str:
    answer = shim.get("/simple/acme-app/")
    return "nobody" if answer.status != 200 else "pypi" if b"9.9" in answer.body else "private"


def test_disown_says_what_it_means_and_asks_for_yes(cli: CommandLine, shim: Served) -> None:
    done = cli.to_terminal("cache", "disown", "acme-app").expect(2)
    assert "acme-app belongs to private: it " in done.words
    assert "Without this record, a public index may serve the project" in done.words
    assert "--yes" in done.err
    assert done.widest <= COLUMNS


def test_a_disowned_name_goes_to_another_index_while_its_owner_is_away(
    cli: CommandLine, shim: Served, private: FakeIndex, public: FakeIndex
) -> None:
    public.add(wheel("acme-app", "9.9"))
    wait_until(lambda: listed(cli), SOON, "the list of names is not known")
    private.stop_listening()
    assert owner(shim) == "private"
    done = cli("cache", "disown", "acme-app", "--yes").expect()
    assert "Removed of acme-app: 1 owner, 1 page" in done.words
    wait_until(lambda: owner(shim) == "pypi", SOON, "it is not taken from the other index")
    (event,) = cli("log", "acme-app", "--json").expect().json["events"]
    assert (event["action"], event["detail"]) == ("disowned", "owned by private")


def test_a_removed_owner_is_recorded(cli: CommandLine, shim: Served) -> None:
    assert owner(shim) == "private"
    for _ in range(2):
        cli("cache", "remove", "acme-app", "--yes")
    (event,) = cli("log", "acme-app", "--json").expect().json["events"]
    assert (event["action"], event["detail"]) == ("disowned", "owned by private")


def listed(cli: CommandLine) -> bool:
    report = cli("why", "acme-app", "--json").json
    return report["indexes"][0]["names"] is not None


def test_a_disowned_name_is_its_owners_again_when_that_answers(
    cli: CommandLine, shim: Served, public: FakeIndex
) -> None:
    public.add(wheel("acme-app", "9.9"))
    cli("cache", "disown", "acme-app", "--yes").expect()
    assert owner(shim) == "private"
    wait_until(lambda: belongs(cli) == "private", SOON, "the owner is not known again")


def belongs(cli: CommandLine) -> str:
    report = cli("why", "acme-app", "--json").expect().json["belongs_to"]
    return "" if report is None else str(report["index"])


def test_disowning_a_name_without_an_owner_ends_with_1(cli: CommandLine, shim: Served) -> None:
    assert "no private index is known to own idna" in cli("cache", "disown", "idna").expect(1).words


@pytest.mark.parametrize("setting", ["projects", "only"])
def test_disowning_a_claimed_name_says_that_the_claim_still_holds(
    cli: CommandLine, private: FakeIndex, setting: str
) -> None:
    cli.configure(index_table("private", private.url, role="private", **{setting: ["acme-*"]}))
    cli("why", "acme-app").expect()
    done = cli("cache", "disown", "acme-app", "--yes").expect()
    assert f"private still claims acme-app: remove it from {setting} of" in done.words


def test_disown_all_shows_how_much_it_is_and_since_when_and_asks_for_yes(
    cli: CommandLine, shim: Served, private: FakeIndex
) -> None:
    names = [f"acme-{letter}" for letter in "abcdefghijk"]
    for name in names:
        private.add(wheel(name))
    for name in names:
        assert shim.get(f"/simple/{name}/").status == 200
    done = cli.to_terminal("cache", "disown", "--all", "private").expect(2)
    assert f"private owns 12 names (known since {time.strftime('%H:')}" in done.words
    assert "acme-a, acme-app, acme-b, acme-c" in done.words
    assert "acme-i and 2 more." in done.words
    assert "a public index may serve projects of these names" in done.words
    assert "private owns 12 names; use --yes" in done.words
    assert done.widest <= COLUMNS
    assert belongs(cli) == "private"


def test_disown_all_lets_other_indexes_own_every_name_and_removes_list_and_pages(
    cli: CommandLine, shim: Served, private: FakeIndex, public: FakeIndex
) -> None:
    public.add(wheel("acme-app", "9.9"))
    wait_until(lambda: listed(cli), SOON, "the list of names is not known")
    assert shim.get("/simple/acme-app/").status == 200
    private.fail(404)
    wait_until(lambda: owner(shim) == "nobody", SOON, "the index still has it")
    done = cli("cache", "disown", "--all", "private", "--yes").expect()
    assert "Removed of private: 1 name, 1 page" in done.words
    wait_until(lambda: owner(shim) == "pypi", SOON, "it is not taken from the other index")
    assert not listed(cli)


def test_disown_all_leaves_the_names_and_pages_of_other_indexes(
    cli: CommandLine, shim: Served, public: FakeIndex
) -> None:
    assert shim.get(PAGE).status == 200
    with FakeIndex([wheel("idna", "1.0")]) as other:
        cli("cache", "disown", "--all", other.url).expect(1)
        cli("cache", "disown", "--all", public.url).expect()
    assert belongs(cli) == "private"


def test_an_index_that_is_not_configured_any_more_is_disowned_by_its_address(
    cli: CommandLine, private: FakeIndex, public: FakeIndex
) -> None:
    cli.configure(index_table("private", private.url, role="private"))
    cli("why", "acme-app").expect()
    cli.configure(index_table("pypi", public.url))
    assert "no index is named" in cli("cache", "disown", "--all", "private").expect(2).words
    address = private.url.replace("://", "://ci:hunter2@")
    done = cli("cache", "disown", "--all", address, "--yes").expect()
    assert f"Removed of {private.url}: 1 name, 1 page" in done.words
    assert "hunter2" not in done.words


def test_disown_all_as_json(cli: CommandLine, shim: Served, private: FakeIndex) -> None:
    assert shim.get("/simple/acme-app/").status == 200
    assert cli("cache", "disown", "--all", "private", "--json").expect(2).out == ""
    report = cli("cache", "disown", "--all", "private", "--json", "--yes").expect().json
    assert report.pop("since") == pytest.approx(time.time(), abs=60)
    expected = {"index": "private", "address": private.url, "first": ["acme-app"]}
    assert report == {**expected, "schema": 1, "names": 1, "pages": 1}


def test_disowning_an_index_that_owns_nothing_ends_with_1(cli: CommandLine, shim: Served) -> None:
    cli("cache", "disown", "--all", "private", "--yes").expect()
    done = cli("cache", "disown", "--all", "private").expect(1)
    assert "private is known to own nothing" in done.words


@pytest.mark.parametrize("arguments", [(), ("acme-app", "--all", "private")])
@pytest.mark.usefixtures("chain")
def test_disown_takes_either_a_project_or_an_index(
    cli: CommandLine, arguments: tuple[str, ...]
) -> None:
    done = cli("cache", "disown", *arguments).expect(2)
    assert "name a project, or give --all INDEX" in done.words
