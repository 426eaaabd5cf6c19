"""No public package takes a private one's name, in whatever order things fail and come back."""

from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from indexfallback.chain import fallback
from indexfallback.config import OnOutage, Settings
from indexfallback.shim import Shim
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


class Company(RuleBasedStateMachine):
    """A private index with ``acme-app``, a public one with a higher version, and bad days."""

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        patch = self.stack.enter_context(pytest.MonkeyPatch.context())
        patch.setattr(fallback, "REPEAT_SECONDS", 0.0)
        self.own = self.stack.enter_context(FakeIndex([wheel("acme-app", "1.0")]))
        self.far = self.stack.enter_context(FakeIndex([wheel("acme-app", "9.0"), wheel("idna")]))
        self.cache = Path(self.stack.enter_context(TemporaryDirectory()))
        self.mode: OnOutage = "ledger"
        self.fresh = 0.0
        self.shim: Shim | None = None

    @initialize(down=st.booleans())
    def start(self, down: bool) -> None:
        if down:
            self.own.stop_listening()
        self.restart(0.0, "ledger")

    @rule(fresh=st.sampled_from([0.0, 600.0]), mode=st.sampled_from(["ledger", "stop"]))
    def restart(self, fresh: float, mode: OnOutage) -> None:
        if self.shim is not None:
            self.shim.close()
        chain = (private(self.own, on_outage=mode), pypi(self.far))
        self.shim = Shim(
            Settings(indexes=chain, cache_dir=self.cache, fresh=fresh, keep=600.0, deadline=2.0)
        )

    @rule()
    def go_down(self) -> None:
        self.own.stop_listening()

    @rule()
    def come_back(self) -> None:
        self.own.start_again()
        self.own.lift()

    @rule(status=st.sampled_from([401, 403, 429, 500, 503]), times=st.sampled_from([1, 3, None]))
    def fail(self, status: int, times: int | None) -> None:
        self.own.fail(status, path=APP, times=times)

    @rule(path=st.sampled_from(["/", APP]))
    def break_off(self, path: str) -> None:
        self.own.drop(reset=True, path=path, times=2)

    @rule()
    def lose_the_root_page(self) -> None:
        only_root(self.own.fail(404))

    @rule()
    def show_a_login_page(self) -> None:
        page = b"<html><form action=/login></form></html>"
        self.own.answer(200, {"Content-Type": "text/html"}, page, times=2)

    @rule(index=st.sampled_from([None, "private"]))
    def ask_for_the_private_project(self, index: str | None) -> None:
        assert self.shim is not None
        assert ask(self.shim, "acme-app", index) in ("private", 503)

    @rule()
    def ask_for_a_public_project(self) -> None:
        assert self.shim is not None
        assert ask(self.shim, "idna") in ("pypi", 503)

    @invariant()
    def the_public_index_never_hears_of_the_private_project(self) -> None:
        assert self.far.count(APP) == 0

    def teardown(self) -> None:
        if self.shim is not None:
            self.shim.close()
        self.stack.close()


Company.TestCase.settings = settings(
    max_examples=15,
    stateful_step_count=25,
    suppress_health_check=list(HealthCheck),
)
TestCompany = Company.TestCase
