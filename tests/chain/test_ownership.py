"""Claims and the ledger: who may answer for a project while a private index cannot be asked."""

import pytest

from tests.chain.chain import (
    APP,
    ROOT,
    ask,
    how,
    learn_names,
    only_root,
    private,
    pypi,
    refusal,
    until,
    versions,
)
from tests.conftest import MakeShim
from tests.fakes import FakeIndex, wheel

MODES = ("ledger", "next", "stop")
LIB = "/simple/acme-lib/"


# Claims.


def test_a_claimed_project_comes_from_the_claiming_index_or_from_nowhere(
    shim: MakeShim, own: FakeIndex, far: FakeIndex
) -> None:
    far.add(wheel("acme-extra"))
    made = shim(pypi(far), private(own, projects=("acme-*",)))
    assert ask(made, "acme-app") == "private"
    assert versions(made) == ["1.0"]
    error = refusal(made, "acme-extra")
    assert error.status == 404
    assert "only private may have it, by projects" in str(error)
    assert far.requests == []


@pytest.mark.fault(80)
@pytest.mark.parametrize("mode", MODES)
def test_a_claimed_project_is_an_outage_while_its_index_is_down(
    shim: MakeShim, own: FakeIndex, far: FakeIndex, mode: str
) -> None:
    own.stop_listening()
    made = shim(private(own, projects=("acme-*",), on_outage=mode), pypi(far))
    assert ask(made) == 503
    assert far.requests == []


def test_projects_count_as_the_list_of_names(
    shim: MakeShim, own: FakeIndex, far: FakeIndex
) -> None:
    own.stop_listening()
    made = shim(private(own, projects=("acme-*",)), pypi(far))
    assert ask(made, "idna") == "pypi"


# The ledger.


@pytest.mark.fault(80)
@pytest.mark.parametrize("mode", MODES)
def test_a_project_that_was_served_stays_with_its_index(
    shim: MakeShim, own: FakeIndex, far: FakeIndex, mode: str
) -> None:
    only_root(own.fail(404))  # no list of names
    made = shim(private(own, on_outage=mode), pypi(far), fresh=0.0)
    assert ask(made) == "private"
    own.wait_for(ROOT)
    own.stop_listening()
    answer = made.fallback.page("acme-app")
    assert (answer.owner.name, answer.how) == ("private", "stale")
    assert versions(made) == ["1.0"]
    assert far.requests == []


def test_a_stale_page_that_is_too_old_is_an_outage(
    shim: MakeShim, own: FakeIndex, far: FakeIndex
) -> None:
    made = shim(private(own), pypi(far), fresh=0.0, keep=0.0)
    assert ask(made) == "private"
    own.stop_listening()
    assert ask(made) == 503
    assert far.count(APP) == 0


@pytest.mark.fault(80)
@pytest.mark.parametrize("mode", MODES)
def test_a_project_on_the_list_of_names_goes_to_no_other_index(
    shim: MakeShim, own: FakeIndex, far: FakeIndex, mode: str
) -> None:
    made = shim(index := private(own, on_outage=mode), pypi(far))
    learn_names(made, index)
    own.stop_listening()
    error = refusal(made, "acme-lib")
    assert error.status == 503
    assert "belongs to private" in str(error)
    assert far.count(LIB) == 0


@pytest.mark.parametrize(("mode", "answer"), [("ledger", "pypi"), ("next", "pypi"), ("stop", 503)])
def test_other_names_go_on_where_the_list_is_known_unless_told_to_stop(
    shim: MakeShim, own: FakeIndex, far: FakeIndex, mode: str, answer: str | int
) -> None:
    made = shim(index := private(own, on_outage=mode), pypi(far))
    learn_names(made, index)
    own.stop_listening()
    assert ask(made, "idna") == answer


@pytest.mark.parametrize(("mode", "answer"), [("ledger", 503), ("next", "pypi"), ("stop", 503)])
def test_without_a_list_only_next_goes_on(
    shim: MakeShim, own: FakeIndex, far: FakeIndex, mode: str, answer: str | int
) -> None:
    own.stop_listening()
    made = shim(private(own, on_outage=mode), pypi(far))
    assert ask(made, "idna") == answer


def test_an_unknown_list_says_what_mends_it_and_one_reachable_moment_does(
    shim: MakeShim, own: FakeIndex, far: FakeIndex
) -> None:
    own.stop_listening()
    chain = (private(own), pypi(far))
    error = refusal(shim(*chain), "idna")
    assert "Setting projects for private, or one reachable moment, mends it." in error.remedy
    own.start_again()
    learn_names(shim(*chain), chain[0])
    own.stop_listening()
    assert ask(shim(*chain), "idna") == "pypi"


def test_the_list_is_fetched_in_the_background_at_the_first_request_and_kept(
    shim: MakeShim, own: FakeIndex, far: FakeIndex
) -> None:
    with only_root(own.hang()) as slow:
        made = shim(index := private(own), pypi(far))
        assert ask(made, "idna") == "pypi"  # does not wait for it
        own.wait_for(ROOT)
        slow.lift()
        until(lambda: made.store.ledger.name_list(index.key) is not None)
    own.clear()
    for again in (made, shim(index, pypi(far))):
        assert ask(again, "idna") == "pypi"
        assert again.store.ledger.ownership(index.key, "acme-lib") is not None
    assert own.count(ROOT) == 0


def test_the_list_of_an_index_that_has_none_does_not_count(
    shim: MakeShim, own: FakeIndex, far: FakeIndex
) -> None:
    only_root(own.fail(404))
    made = shim(private(own), pypi(far), fresh=0.0)
    assert ask(made, "idna") == "pypi"
    own.wait_for(ROOT)
    own.stop_listening()
    assert ask(made, "new-name") == 503


def test_a_page_completes_the_list(shim: MakeShim, own: FakeIndex, far: FakeIndex) -> None:
    made = shim(index := private(own), pypi(far))
    learn_names(made, index)
    own.add(wheel("acme-new"))
    far.add(wheel("acme-new", "9.0"))
    assert ask(made, "acme-new") == "private"
    own.stop_listening()
    assert ask(shim(index, pypi(far), fresh=0.0), "acme-new") == "private"


def test_stored_pages_and_names_belong_to_the_address_not_to_the_name(
    shim: MakeShim, own: FakeIndex, far: FakeIndex
) -> None:
    first = private(own, name="first")
    made = shim(first, pypi(far), fresh=0.0)
    learn_names(made, first)
    assert ask(made) == "first"
    own.stop_listening()
    renamed = shim(private(own, name="second", username="ci", password="x"), pypi(far), fresh=0.0)
    assert ask(renamed) == "second"
    assert how(renamed) == "stale"
    assert ask(renamed, "acme-lib") == 503
