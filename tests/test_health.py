"""The circuit of an index: when it opens, for how long, and when it closes."""

from dataclasses import replace

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from indexfallback.health import (
    DENIED_HOLD,
    FAILURES_TO_OPEN,
    FIRST_WAIT,
    INSECURE_WAIT,
    JITTER,
    LIMITED_HOLD,
    LONGEST_HOLD,
    LONGEST_WAIT,
    REFUSALS_TO_HOLD,
    SUCCESSES_TO_CLOSE,
    TALLY_SECONDS,
    UNREACHABLE_TO_OPEN,
    WINDOW,
    Health,
    State,
    begin_trial,
    last_resort,
    updated,
    updated_by_file,
)
from indexfallback.outcome import LOGIN_KINDS, TLS_KINDS, UNREACHABLE_KINDS, Kind, Outcome

WELL = tuple(kind for kind in Kind if Outcome(kind, "").is_answer)
FAILURES = (Kind.NOT_AN_INDEX, Kind.FAILED, Kind.CONNECT_TIMEOUT, *UNREACHABLE_KINDS, *TLS_KINDS)
REFUSALS = [f"demo-{number}" for number in range(REFUSALS_TO_HOLD)]


def after(*kinds: Kind, health: Health | None = None, now: float = 0.0) -> Health:
    """Return the health after these outcomes, all at one moment."""
    health = health or Health()
    for kind in kinds:
        health = updated(health, Outcome(kind, kind.value), now)
    return health


def times_to_open(kind: Kind) -> int:
    """Return how many failures of a kind in a row open the circuit."""
    return next(n for n in range(1, 9) if after(*[kind] * n).state is State.OPEN)


def test_five_hundred_answers_a_second_are_counted_in_a_few_numbers() -> None:
    health = Health()
    for number in range(int(2 * WINDOW) * 500):
        health = updated(health, Outcome(Kind.FOUND, ""), number / 500)
    assert len(health.recent) <= WINDOW / TALLY_SECONDS + 1
    assert sum(tally.total for tally in health.recent) >= (WINDOW - TALLY_SECONDS) * 500


@pytest.mark.parametrize(
    ("kind", "times"),
    [
        (Kind.FAILED, 3),
        (Kind.NOT_AN_INDEX, 3),
        *((kind, 2) for kind in sorted(UNREACHABLE_KINDS, key=str)),
        (Kind.CONNECT_TIMEOUT, 1),
        *((kind, 1) for kind in sorted(TLS_KINDS, key=str)),
    ],
)
def test_so_many_failures_in_a_row_open_the_circuit(kind: Kind, times: int) -> None:
    assert times_to_open(kind) == times


@pytest.mark.parametrize("kind", WELL)
def test_an_answer_interrupts_a_row_of_failures(kind: Kind) -> None:
    health = after(Kind.FAILED, Kind.FAILED, kind)
    assert after(Kind.FAILED, Kind.FAILED, health=health, now=WINDOW + 1).state is State.CLOSED


def test_an_index_that_fails_more_often_than_not_opens_too() -> None:
    # Never three in a row, three of five.
    one_by_one = [Kind.FAILED, Kind.FOUND, Kind.FAILED, Kind.FOUND, Kind.FAILED]
    assert after(*one_by_one[:4]).state is State.CLOSED
    assert after(*one_by_one).state is State.OPEN


def test_failures_outside_the_window_do_not_count_as_more_often_than_not() -> None:
    health = after(Kind.FAILED, Kind.FOUND, Kind.FAILED, Kind.FOUND)
    assert after(Kind.FAILED, health=health, now=WINDOW).state is State.OPEN
    assert after(Kind.FAILED, health=health, now=WINDOW + 1).state is State.CLOSED


def test_an_open_circuit_is_asked_again_after_the_first_wait() -> None:
    health = after(Kind.CONNECT_TIMEOUT)
    assert not health.may_try(FIRST_WAIT - 0.1)
    assert health.may_try(FIRST_WAIT)
    assert not health.may_ask(FIRST_WAIT)


def test_a_trial_lets_no_second_one_through() -> None:
    trial = begin_trial(after(Kind.CONNECT_TIMEOUT), FIRST_WAIT, seconds=3)
    assert trial is not None
    assert trial.state is State.HALF_OPEN
    assert not trial.may_try(FIRST_WAIT + 2.9)
    assert begin_trial(trial, FIRST_WAIT + 2.9, seconds=3) is None
    assert begin_trial(trial, FIRST_WAIT + 3, seconds=3) is not None


def test_a_trial_before_the_wait_is_over_does_not_lengthen_it() -> None:
    early = begin_trial(after(Kind.CONNECT_TIMEOUT), 1, seconds=3)
    assert early is not None
    failed = after(Kind.CONNECT_TIMEOUT, health=early, now=2)
    assert (failed.state, failed.until, failed.trial) == (State.OPEN, FIRST_WAIT, 0)


def test_an_index_that_works_needs_no_trial() -> None:
    assert begin_trial(Health(), 0, seconds=3) is None


def test_the_wait_doubles_up_to_the_longest() -> None:
    health, now, waits = Health(), 0.0, []
    for _ in range(9):
        health = after(Kind.CONNECT_TIMEOUT, health=health, now=now)
        waits.append(health.until - now)
        now = health.until
    assert waits == [5, 10, 20, 40, 80, 160, 300, 300, 300]


def test_failures_of_requests_that_were_under_way_do_not_lengthen_the_wait() -> None:
    assert after(*[Kind.UNREACHABLE] * 50).until == FIRST_WAIT
    assert after(Kind.CONNECT_TIMEOUT, *[Kind.FAILED] * 50).until == FIRST_WAIT


def test_an_index_that_stays_away_for_months_is_still_no_arithmetic_problem() -> None:
    health, now = Health(), 0.0
    for _ in range(3000):
        health = after(Kind.UNREACHABLE, health=health, now=now)
        now = health.until
    assert health.until - health.since > 2000 * LONGEST_WAIT


@pytest.mark.parametrize("spread", [-1.0, -0.5, 1.0])
def test_the_wait_is_spread(spread: float) -> None:
    health = updated(Health(), Outcome(Kind.CONNECT_TIMEOUT, ""), 0.0, spread)
    assert health.until == pytest.approx(FIRST_WAIT * (1 + JITTER * spread))


def test_retry_after_replaces_the_wait() -> None:
    health = after(Kind.FAILED, Kind.FAILED)
    assert updated(health, Outcome(Kind.FAILED, "503", retry_after=42), 0.0).until == 42
    forever = updated(health, Outcome(Kind.FAILED, "503", retry_after=float("inf")), 0.0)
    assert forever.until == LONGEST_HOLD


@pytest.mark.parametrize("kind", sorted(TLS_KINDS, key=str))
def test_a_wrong_certificate_is_left_alone_for_five_minutes(kind: Kind) -> None:
    assert after(kind).until == INSECURE_WAIT == 300


def test_two_successes_close_a_circuit() -> None:
    health = after(Kind.CONNECT_TIMEOUT)
    once = after(Kind.FOUND, health=health, now=10)
    assert once.state is State.HALF_OPEN
    assert once.may_try(10)
    twice = after(Kind.FOUND, health=once, now=11)
    assert (twice.state, twice.since, twice.may_ask(11)) == (State.CLOSED, 11, True)


def test_a_failure_between_the_two_successes_opens_it_again_for_longer() -> None:
    once = after(Kind.FOUND, health=after(Kind.CONNECT_TIMEOUT), now=10)
    again = after(Kind.FAILED, health=once, now=11)
    assert again.until == 11 + 2 * FIRST_WAIT
    assert after(Kind.FOUND, health=again, now=30).state is State.HALF_OPEN


def test_after_closing_the_waits_begin_anew() -> None:
    closed = after(Kind.FOUND, Kind.FOUND, health=after(Kind.CONNECT_TIMEOUT), now=10)
    assert after(Kind.CONNECT_TIMEOUT, health=closed, now=20).until == 20 + FIRST_WAIT


@pytest.mark.parametrize("kind", sorted(LOGIN_KINDS, key=str))
def test_denied_is_held_for_a_minute_and_is_no_failure(kind: Kind) -> None:
    health = after(*[kind] * 9)
    assert (health.state, health.failures) == (State.CLOSED, 0)
    assert health.until == DENIED_HOLD == 60
    assert health.reason == kind.value


def refused(*names: str, health: Health | None = None, now: float = 0.0) -> Health:
    """Return the health after these names were refused; empty text is the root page."""
    health = health or Health()
    for name in names:
        health = updated(health, Outcome(Kind.REFUSED, "403 Forbidden"), now, name=name)
    return health


def test_one_name_that_is_refused_again_and_again_holds_nothing() -> None:
    health = refused(*["secret"] * 50)
    assert health.may_ask(0)
    assert (health.failures, health.recent) == (0, ())


def test_different_names_that_are_refused_in_a_row_hold_the_index_for_a_minute() -> None:
    almost = refused(*REFUSALS[:-1])
    assert almost.may_ask(0)
    held = refused(REFUSALS[-1], health=almost, now=7)
    assert (held.state, held.until, held.trouble) == (State.CLOSED, 67, Kind.REFUSED)
    assert held.reason == "403 Forbidden for 5 names in a row"
    assert refused("more", health=held, now=67).may_ask(67), "a second hold for one name"


@pytest.mark.parametrize("kind", WELL)
def test_an_answer_interrupts_a_row_of_refusals_and_ends_their_hold(kind: Kind) -> None:
    assert refused(REFUSALS[-1], health=after(kind, health=refused(*REFUSALS[:-1]))).may_ask(0)
    assert after(kind, health=refused(*REFUSALS), now=1).may_ask(1)


def test_names_that_are_not_its_own_are_in_no_row_of_refusals() -> None:
    health = refused(*REFUSALS[:-1])
    again = updated(health, Outcome(Kind.REFUSED, "403 Forbidden"), 0.0, name=None)
    assert again == health


def test_a_refused_root_page_holds_no_index_by_itself() -> None:
    assert refused(*[""] * 50).may_ask(0)


def test_a_refused_root_page_holds_an_index_beside_a_name_if_no_name_was_answered_yet() -> None:
    assert not refused("secret", "").may_ask(0)
    held = refused("", "secret")
    assert (held.may_ask(0), held.until) == (False, DENIED_HOLD)
    assert held.reason == "403 Forbidden for its root page and 1 name in a row"


@pytest.mark.parametrize("kind", WELL)
def test_the_root_page_of_an_index_that_answers_names_is_one_refused_name_among_five(
    kind: Kind,
) -> None:
    answered = updated(Health(), Outcome(kind, ""), 0.0, name="demo")
    for before in (answered, after(Kind.CONNECT_TIMEOUT, Kind.FOUND, Kind.FOUND, health=answered)):
        almost = refused("", *REFUSALS[:-2], health=before)
        assert almost.may_ask(0)
        assert not refused(REFUSALS[-1], health=almost).may_ask(0)
    assert not refused("", "secret", health=after(kind)).may_ask(0), "the root page is no name"


def test_a_refused_name_shows_that_an_index_is_up_again() -> None:
    once = refused("secret", health=after(Kind.CONNECT_TIMEOUT), now=FIRST_WAIT)
    assert (once.state, once.may_try(FIRST_WAIT)) == (State.HALF_OPEN, True)
    assert refused("secret", health=once, now=FIRST_WAIT).state is State.CLOSED


def test_a_limited_index_is_held_as_long_as_it_asks() -> None:
    for asked, wait in ((None, LIMITED_HOLD), (90.0, 90.0), (1e9, LONGEST_HOLD)):
        health = updated(Health(), Outcome(Kind.LIMITED, "429", retry_after=asked), 7.0)
        assert (health.state, health.until) == (State.CLOSED, 7 + wait)


def test_an_answer_that_was_under_way_does_not_end_a_hold() -> None:
    held = updated(Health(), Outcome(Kind.LIMITED, "429", retry_after=30), 0.0)
    answered = after(Kind.FOUND, health=held, now=1)
    assert not answered.may_ask(29)
    assert answered.reason == "429"
    assert after(Kind.FOUND, health=held, now=30).reason == ""


def test_a_local_fault_does_not_affect_the_health() -> None:
    for health in (Health(), after(Kind.FAILED), after(Kind.CONNECT_TIMEOUT)):
        for kind in (Kind.LOCAL, Kind.PAUSED, Kind.OFFLINE, Kind.FORBIDDEN):
            assert after(*[kind] * 9, health=health) == health


@pytest.mark.parametrize("kind", Kind)
def test_every_outcome_ends_a_trial(kind: Kind) -> None:
    trial = begin_trial(after(Kind.CONNECT_TIMEOUT), FIRST_WAIT, seconds=3)
    assert not after(kind, health=trial, now=FIRST_WAIT).is_being_tried(FIRST_WAIT)
    by_file = updated_by_file(trial or Health(), Outcome(kind, ""), FIRST_WAIT)
    assert not by_file.is_being_tried(FIRST_WAIT)


@pytest.mark.parametrize("kind", Kind)
def test_the_outcome_of_a_request_from_before_a_trial_does_not_end_it(kind: Kind) -> None:
    trial = begin_trial(after(Kind.CONNECT_TIMEOUT), FIRST_WAIT, seconds=3) or Health()
    earlier, now = Outcome(kind, "", elapsed=1.1), FIRST_WAIT + 1
    assert updated_by_file(trial, earlier, now).is_being_tried(now)
    for kept in (updated(trial, earlier, now), updated(updated(trial, earlier, now), earlier, now)):
        assert kept.state is State.CLOSED or kept.is_being_tried(now)
        assert kept.state is not State.OPEN


@pytest.mark.parametrize("kind", sorted(FAILURES, key=str))
def test_requests_from_before_the_circuit_closed_do_not_open_it(kind: Kind) -> None:
    closed = after(Kind.FOUND, Kind.FOUND, health=after(Kind.CONNECT_TIMEOUT), now=FIRST_WAIT)
    assert closed.state is State.CLOSED
    for _ in range(50):
        assert updated(closed, Outcome(kind, "", elapsed=2.0), FIRST_WAIT + 1) == closed
    assert updated(closed, Outcome(kind, "", elapsed=0.9), FIRST_WAIT + 1) != closed


@pytest.mark.parametrize("kind", [*WELL, Kind.REFUSED, *sorted(LOGIN_KINDS, key=str)])
def test_an_answer_for_a_file_lets_the_next_trial_begin_and_closes_nothing(kind: Kind) -> None:
    answered = after(Kind.CONNECT_TIMEOUT)
    for _ in range(9):
        answered = updated_by_file(answered, Outcome(kind, ""), 1.0)
    assert (answered.state, answered.successes) == (State.HALF_OPEN, 0)
    assert answered.may_try(1.0)
    assert updated_by_file(Health(), Outcome(kind, ""), 1.0) == Health()


def test_a_file_that_fails_does_not_show_that_the_index_is_back() -> None:
    opened = after(Kind.CONNECT_TIMEOUT)
    assert updated_by_file(opened, Outcome(Kind.FAILED, "500"), 1.0) == opened


def test_of_the_skipped_indexes_one_that_is_due_or_being_tried_is_the_last_resort() -> None:
    first = after(Kind.CONNECT_TIMEOUT)
    later = after(Kind.FOUND, Kind.FAILED, health=first, now=FIRST_WAIT)
    tried = begin_trial(first, 0, seconds=3) or Health()
    limited = updated(Health(), Outcome(Kind.LIMITED, "429"), 0.0)
    assert last_resort({3: later, 5: first}, FIRST_WAIT, nothing_asked=False) == 5
    assert last_resort({3: first, 5: tried}, 0, nothing_asked=False) == 5
    assert last_resort({3: first, 5: first}, 0, nothing_asked=False) is None
    assert last_resort({3: later, 5: first}, 0, nothing_asked=True) == 5
    assert last_resort({3: limited}, 0, nothing_asked=True) is None
    assert last_resort({}, 0, nothing_asked=True) is None


class Circuit(RuleBasedStateMachine):
    """Any outcomes at any times, with the invariants that hold between them."""

    def __init__(self) -> None:
        super().__init__()
        self.health = Health()
        self.before = Health()
        self.now = 0.0
        #: Outcomes in a row since the circuit opened, closed or the other kind came.
        self.successes = 0
        self.failures = 0
        #: Held or open at the latest until then by what it is known to have said.
        self.longest = 0.0

    def hear(
        self,
        kind: Kind,
        spread: float = 0.0,
        retry_after: float | None = None,
        name: str = "demo",
    ) -> None:
        self.before = self.health
        outcome = Outcome(kind, kind.value, retry_after=retry_after)
        self.health = updated(self.health, outcome, self.now, spread, name)
        self.longest = max(self.longest, self.now + LONGEST_HOLD)

    @rule(seconds=st.floats(0, 400))
    def wait(self, seconds: float) -> None:
        self.now += seconds

    @rule(early=st.booleans(), seconds=st.floats(0.1, 20))
    def try_it(self, early: bool, seconds: float) -> None:
        self.before = self.health
        if not early and not self.health.may_try(self.now):
            return
        trial = begin_trial(self.health, self.now, seconds)
        if self.health.state is State.CLOSED or self.now < self.health.trial:
            assert trial is None, "a second request got through"
            return
        assert trial is not None
        self.health = trial
        assert begin_trial(trial, self.now, seconds) is None
        assert not trial.may_ask(self.now)

    @rule()
    @precondition(lambda self: not self.health.may_ask(self.now))
    def wait_until_it_may_be_asked(self) -> None:
        self.now = max(self.now, self.health.until)

    @rule(kind=st.sampled_from(WELL), name=st.sampled_from(["", "demo"]))
    def answer(self, kind: Kind, name: str) -> None:
        self.hear(kind, name=name)
        self.successes, self.failures = self.successes + 1, 0
        if self.before.state is not State.CLOSED:
            closed = self.health.state is State.CLOSED
            assert closed == (self.health.since == self.now and self.health.openings == 0)
            if self.successes >= SUCCESSES_TO_CLOSE:
                assert closed, "open after two good answers"
        else:
            assert self.health.state is State.CLOSED, "an answer opened it"

    @rule(
        kind=st.sampled_from(FAILURES),
        spread=st.floats(-1, 1),
        retry_after=st.none() | st.floats(0, 1e6),
    )
    def fail(self, kind: Kind, spread: float, retry_after: float | None) -> None:
        self.hear(kind, spread, retry_after)
        self.failures += 1
        was_open = self.before.state is not State.CLOSED
        if self.before.state is State.OPEN and self.now < self.before.until:
            expected = replace(self.before, trial=0.0)
            assert self.health == expected, "a failure that was under way counted"
            return
        self.successes = 0
        limit = UNREACHABLE_TO_OPEN if kind in UNREACHABLE_KINDS else FAILURES_TO_OPEN
        if was_open or kind in (Kind.CONNECT_TIMEOUT, *TLS_KINDS) or self.failures >= limit:
            assert self.health.state is State.OPEN
        if self.health.state is State.OPEN:
            self.check_wait(kind, spread, retry_after)

    def check_wait(self, kind: Kind, spread: float, retry_after: float | None) -> None:
        wait = self.health.until - self.now
        if kind in TLS_KINDS:
            assert wait == pytest.approx(INSECURE_WAIT)
        elif retry_after is not None:
            assert wait == pytest.approx(min(retry_after, LONGEST_HOLD))
        else:
            assert wait >= FIRST_WAIT * (1 - JITTER) - 1e-6, "back-off faster than its base"
            assert wait <= LONGEST_WAIT * (1 + JITTER) + 1e-6
            doubled = min(FIRST_WAIT * 2 ** min(self.before.openings, 9), LONGEST_WAIT)
            assert wait == pytest.approx(doubled * (1 + JITTER * spread), abs=1e-6)

    @rule(
        kind=st.sampled_from([*LOGIN_KINDS, Kind.LIMITED]),
        retry_after=st.none() | st.floats(1, 1e6),
    )
    def hold(self, kind: Kind, retry_after: float | None) -> None:
        self.hear(kind, retry_after=retry_after)
        hold = retry_after or (LIMITED_HOLD if kind is Kind.LIMITED else DENIED_HOLD)
        assert self.health.until >= self.now + min(hold, LONGEST_HOLD)
        assert self.health.until >= self.before.until, "a hold made an index be asked earlier"
        assert self.health.state is self.before.state
        assert self.health.failures == self.before.failures

    @rule(name=st.sampled_from(["", *REFUSALS]))
    def refuse(self, name: str) -> None:
        self.hear(Kind.REFUSED, name=name)
        assert len(self.health.refused) <= REFUSALS_TO_HOLD
        if self.before.state is not State.CLOSED:
            self.successes, self.failures = self.successes + 1, 0
            return
        assert self.health.state is State.CLOSED
        assert self.health.failures == self.before.failures
        if self.health.until > self.before.until:
            row = {*self.before.refused, name}
            assert len(row) > 1, "held for one name"
            assert len(row) == REFUSALS_TO_HOLD or not self.before.answers_names

    @rule(kind=st.sampled_from([Kind.LOCAL, Kind.PAUSED, Kind.OFFLINE, Kind.FORBIDDEN]))
    def fault_of_this_machine(self, kind: Kind) -> None:
        self.hear(kind)
        assert self.health == replace(self.before, trial=0.0)

    @rule(kind=st.sampled_from([*WELL, Kind.REFUSED, Kind.FAILED]))
    def answer_for_a_file(self, kind: Kind) -> None:
        self.before = self.health
        self.health = updated_by_file(self.health, Outcome(kind, ""), self.now)
        was_closed, is_closed = (h.state is State.CLOSED for h in (self.before, self.health))
        assert was_closed is is_closed
        assert self.health.successes == self.before.successes

    @invariant()
    def it_is_looked_at_again_within_an_hour(self) -> None:
        assert self.health.until <= self.longest

    @invariant()
    def only_a_closed_circuit_lets_clients_through(self) -> None:
        assert self.health.state is State.CLOSED or not self.health.may_ask(self.now)

    @invariant()
    def what_is_not_asked_says_why(self) -> None:
        assert self.health.may_ask(self.now) or (self.health.reason and self.health.trouble)

    @invariant()
    def only_opening_and_closing_move_its_beginning(self) -> None:
        closed = (self.health.state is State.CLOSED, self.before.state is State.CLOSED)
        assert closed[0] is not closed[1] or self.health.since == self.before.since

    @invariant()
    def what_is_remembered_is_of_the_last_moments(self) -> None:
        latest = self.health.recent[-1].since if self.health.recent else 0.0
        assert all(latest - tally.since <= WINDOW for tally in self.health.recent)


Circuit.TestCase.settings = settings(max_examples=50, stateful_step_count=25)
TestCircuit = Circuit.TestCase
