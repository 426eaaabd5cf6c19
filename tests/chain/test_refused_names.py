"""A refusal of one name or file concerns that name or file, and not the health of its index."""

import time
from collections.abc import Iterator

import pytest

from indexfallback.chain import probe
from indexfallback.config import Index
from indexfallback.shim import Shim
from tests.chain.chain import (
    APP,
    LIB,
    ask,
    how,
    learn_names,
    mirror,
    only_root,
    private,
    pypi,
    refusal,
    until,
)
from tests.conftest import MakeShim
from tests.fakes import FakeIndex, wheel
from tests.faults.client import Client

#: Statuses that refuse one name: without rights, unpaid, censored, and others of the class.
REFUSING = pytest.mark.parametrize("status", [400, 402, 403, 451])
NAMES = [f"secret-{number}" for number in range(5)]


@pytest.fixture
def strict() -> Iterator[FakeIndex]:
    """A private index that wants a login."""
    with FakeIndex([wheel("acme-app")], username="ci", password="right") as index:
        yield index


def held(made: Shim, name: str = "private") -> str:
    return made.members[name].held(time.monotonic())


@REFUSING
def test_a_refused_name_of_a_mirror_comes_from_the_next_index_and_others_from_the_mirror(
    shim: MakeShim, near: FakeIndex, far: FakeIndex, status: int
) -> None:
    near.fail(status, path=APP)
    made = shim(mirror(near), pypi(far))
    assert [ask(made, name) for name in ("acme-app", "idna")] == ["pypi", "mirror"]
    assert (held(made, "mirror"), made.members["mirror"].health.failures) == ("", 0)


@REFUSING
def test_a_refused_name_of_a_private_index_is_unavailable_and_its_others_are_served(
    shim: MakeShim, own: FakeIndex, far: FakeIndex, status: int
) -> None:
    made = shim(index := private(own), pypi(far))
    learn_names(made, index)
    own.fail(status, path=APP)
    for _ in range(9):
        error = refusal(made)
        assert (error.status, f"private: unavailable ({status} " in str(error)) == (503, True)
        assert "which refuses it" in error.cause
    assert [ask(made, name) for name in ("acme-lib", "idna")] == ["private", "pypi"]
    assert far.count(APP) == 0


def test_a_name_that_was_served_before_is_stale_while_it_is_refused(
    shim: MakeShim, own: FakeIndex, far: FakeIndex
) -> None:
    made = shim(private(own), pypi(far), fresh=0.0)
    assert how(made) == "asked"
    own.fail(403, path=APP)
    assert [how(made), how(made, "acme-lib")] == ["stale", "asked"]


def test_five_different_names_without_an_answer_between_hold_the_index(
    shim: MakeShim, own: FakeIndex, far: FakeIndex
) -> None:
    for name in NAMES:
        own.fail(403, path=f"/simple/{name}/")
    made = shim(private(own, on_outage="next"), pypi(far))
    asked = [*NAMES[:4], "acme-app", *NAMES[:4]]
    assert [ask(made, name) for name in asked] == [503] * 4 + ["private"] + [503] * 4
    assert held(made) == ""
    assert ask(made, NAMES[4]) == 503
    assert "403 Forbidden for 5 names in a row" in held(made)
    own.clear()
    ask(made, "acme-lib")
    assert own.count(LIB) == 0


def test_an_index_with_projects_may_refuse_any_number_of_names_that_are_not_its_own(
    shim: MakeShim, own: FakeIndex, far: FakeIndex
) -> None:
    for name in NAMES:
        own.fail(403, path=f"/simple/{name}/")
        far.add(wheel(name))
    made = shim(private(own, projects=("acme-*",)), pypi(far))
    asked = [*NAMES, "acme-app"]
    assert [ask(made, name) for name in asked] == ["pypi"] * 5 + ["private"]


def test_a_refused_file_holds_nothing_and_says_what_to_do(shim: MakeShim) -> None:
    dists = [wheel("acme-app", f"{number}.0") for number in range(1, 8)]
    with FakeIndex(dists) as index:
        index.fail(403, path="/files/")
        client = Client(shim(index))
        for dist in dists:
            answer = client.fetch("acme-app", dist.filename)
            assert (answer.status, "pypi: 403 Forbidden" in answer.problem) == (503, True)
            assert "Ask whoever runs pypi for access." in answer.problem
        assert held(client.shim, "pypi") == ""


@pytest.mark.usefixtures("idle")
def test_a_refused_root_page_holds_no_index_that_serves_its_names(
    shim: MakeShim, own: FakeIndex, far: FakeIndex
) -> None:
    own.fail(403, path="/simple/", times=1)
    made = shim(index := private(own, on_outage="next"), pypi(far))
    made.fallback._prober.wake()
    own.wait_for("/simple/")
    until(lambda: made.members[index.name].status()["errors"] == 1)
    assert ask(made) == "private"


@pytest.mark.usefixtures("idle")
@pytest.mark.parametrize("answers", [True, False])
def test_one_name_beside_a_refused_root_page_holds_an_index_that_has_answered_for_no_name(
    shim: MakeShim, own: FakeIndex, far: FakeIndex, answers: bool
) -> None:
    made = shim(private(own, on_outage="next"), pypi(far))
    if answers:
        assert ask(made, "unknown") == 404
        own.wait_for("/simple/unknown/")
    only_root(own.fail(403))
    own.fail(403, path="/simple/secret/")
    made.fallback._prober.wake()
    until(lambda: "" in made.members["private"].health.refused)
    assert ask(made, "secret") == 503
    assert ("its root page and 1 name" in held(made)) is not answers


@pytest.fixture
def idle(monkeypatch: pytest.MonkeyPatch) -> None:
    """Probe an index that was not asked for a moment, once."""
    monkeypatch.setattr(probe, "_LOOK_SECONDS", 0.01)
    monkeypatch.setattr(probe, "IDLE_SECONDS", 0.0)


# forbidden = "absent".


def s3(fake: FakeIndex, **values: object) -> Index:
    """Return an index that answers 403 for what it does not have."""
    for path in ("/simple/idna/", "/simple/nowhere/"):
        fake.fail(403, path=path)
    return private(fake, forbidden="absent", **values)


def test_403_means_absent_where_the_index_says_so(
    shim: MakeShim, own: FakeIndex, far: FakeIndex
) -> None:
    made = shim(s3(own), pypi(far))
    assert [ask(made, name) for name in ("acme-app", "idna", "nowhere")] == ["private", "pypi", 404]
    assert made.fallback.page("idna").tried[0].what == "absent"


def test_another_refusal_than_403_is_none_the_less_no_absence(
    shim: MakeShim, own: FakeIndex, far: FakeIndex
) -> None:
    own.fail(451, path="/simple/idna/")
    assert ask(shim(private(own, forbidden="absent"), pypi(far)), "idna") == 503


def test_an_owned_name_that_is_absent_by_403_is_not_found_and_never_public(
    shim: MakeShim, own: FakeIndex, far: FakeIndex
) -> None:
    made = shim(s3(own), pypi(far), fresh=0.0)
    assert [ask(made), ask(made, "acme-lib")] == ["private"] * 2
    own.fail(403, path=APP)
    error = refusal(made)
    assert (error.status, "it belongs to private" in error.cause) == (404, True)
    assert [far.count(path) for path in (APP, LIB)] == [0, 0]


def test_a_file_that_is_absent_by_403_is_looked_for_at_the_next_index(
    shim: MakeShim, near: FakeIndex, far: FakeIndex
) -> None:
    near.fail(403, path="/files/")
    client = Client(shim(mirror(near, forbidden="absent"), pypi(far)))
    dist = wheel("idna", "3.0")
    assert client.fetch("idna", dist.filename).body == dist.data


# Logins.


def test_an_index_that_wants_a_login_says_so_and_one_that_refuses_it_too(
    shim: MakeShim, strict: FakeIndex, far: FakeIndex
) -> None:
    without = refusal(shim(private(strict, projects=("acme-*",)), pypi(far)))
    assert "Give private a login" in without.remedy
    assert "password of private" not in without.remedy
    index = private(strict, projects=("acme-*",), username="ci", password="wrong")
    assert "Check the user name and password of private." in refusal(shim(index)).remedy
