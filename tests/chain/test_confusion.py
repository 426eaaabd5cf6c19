"""No public package takes a private one's name while the private index is in trouble."""

import pytest

from tests.chain.chain import APP, ask, learn_names, only_root, private, pypi
from tests.conftest import MakeShim
from tests.fakes import FakeIndex, wheel


@pytest.mark.fault("incident: pip CVE-2018-20225")
@pytest.mark.fault(80)
def test_a_private_index_that_is_down_from_the_first_request_on(
    shim: MakeShim, own: FakeIndex, far: FakeIndex
) -> None:
    own.stop_listening()
    made = shim(private(own), pypi(far))
    assert [ask(made) for _ in range(5)] == [503] * 5
    assert far.requests == []
    own.start_again()
    assert ask(shim(private(own), pypi(far))) == "private"


@pytest.mark.fault(80)
def test_a_private_index_that_is_down_after_a_restart(
    shim: MakeShim, own: FakeIndex, far: FakeIndex
) -> None:
    chain = (private(own), pypi(far))
    learn_names(shim(*chain), chain[0])
    own.stop_listening()
    assert [ask(shim(*chain)), ask(shim(*chain), "acme-lib")] == [503, 503]
    assert far.count(APP) == 0


@pytest.mark.fault(80)
def test_a_public_page_from_before_the_private_index_had_the_project(
    shim: MakeShim, own: FakeIndex, far: FakeIndex
) -> None:
    own.remove_project("acme-app")
    chain = (private(own), pypi(far))
    assert ask(shim(*chain)) == "pypi"
    own.add(wheel("acme-app", "1.0"))
    # Somebody looks there, or the next list of names says so: from then on it is private.
    assert ask(shim(*chain), index="private") == "private"
    own.stop_listening()
    for fresh in (600.0, 0.0):
        assert ask(shim(*chain, fresh=fresh)) == "private"


@pytest.mark.fault(80)
def test_one_index_of_two_private_ones_that_is_down(
    shim: MakeShim, own: FakeIndex, far: FakeIndex
) -> None:
    with FakeIndex([wheel("acme-tool")]) as second:
        chain = (private(own), private(second, name="second"), pypi(far))
        far.add(wheel("acme-tool", "9.0"))
        made = shim(*chain)
        learn_names(made, chain[0])
        learn_names(made, chain[1])
        second.stop_listening()
        assert ask(made, "acme-tool") == 503
        assert ask(made, "acme-app") == "private"
        second.start_again()
        own.stop_listening()
        assert ask(shim(*chain), "acme-tool") == "second"
        assert ask(shim(*chain), "acme-lib") == 503


@pytest.mark.fault("incident: uv #12362")
@pytest.mark.parametrize("way", [401, 403, 404, 429, 500])
def test_a_root_page_that_is_refused_makes_nothing_public(
    shim: MakeShim, own: FakeIndex, far: FakeIndex, way: int
) -> None:
    only_root(own.fail(way))
    made = shim(private(own), pypi(far), fresh=0.0)
    ask(made, "idna")
    own.stop_listening()
    assert ask(made) == 503
    assert far.count(APP) == 0
