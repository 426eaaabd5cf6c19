"""``cache accept`` of a release, and what ``why`` says before and after it."""

import getpass

import pytest

from tests.cli.support import CommandLine
from tests.fakes import FakeIndex, wheel
from tests.serving import index_table


@pytest.fixture
def young(cli: CommandLine, public: FakeIndex) -> None:
    """Configure a cooldown for an index whose release 4.0 was uploaded with a clock ahead."""
    public.add(wheel("idna", "4.0"), upload_time="2999-01-01T00:00:00Z")
    cli.configure(index_table("pypi", public.url, cooldown="7 days"))


@pytest.mark.usefixtures("young")
def test_a_release_is_withheld_until_it_is_accepted_and_again_when_that_is_undone(
    cli: CommandLine,
) -> None:
    before = cli.to_terminal("why", "idna").expect()
    assert "withheld: 4.0: it was first seen at pypi on " in before.words
    assert "`indexfallback cache accept idna 4.0` offers it" in before.words
    assert "files: 3 (0 cached, 1 withheld)" in before.words
    accepted = cli("cache", "accept", "idna", "4").expect().words
    assert accepted.strip() == "idna 4 is accepted: no cooldown withholds it"
    after = cli("why", "idna", "--json").expect().json["cooldown"]
    assert (after["releases"], after["accepted"]) == ([], ["4"])
    (listed,) = cli("cache", "accept", "--list", "--json").expect().json["releases"]
    assert (listed["project"], listed["by"]) == ("idna", getpass.getuser())
    cli("cache", "accept", "idna", "4.0", "--undo").expect()
    assert "withheld: 4.0" in cli("why", "idna").expect().words
    assert "was not accepted" in cli("cache", "accept", "idna", "4.0", "--undo").expect(1).words
    assert "no release is accepted" in cli("cache", "accept", "--list").expect().words
    events = cli("log", "idna", "--json").expect().json["events"]
    assert [event["action"] for event in events] == ["unaccepted", "accepted"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("idna",), "name a project and a version or file, or use --list"),
        (("idna", "not-a-version"), "is neither a version nor the name of a distribution"),
        (("idna", "idna-4.0-py3-none-any.whl", "--undo"), "--undo is for a version"),
    ],
)
def test_what_is_no_release_is_refused(
    cli: CommandLine, arguments: tuple[str, ...], said: str
) -> None:
    assert said in cli("cache", "accept", *arguments).expect(2).words
