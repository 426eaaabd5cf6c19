"""Whether indexes may be asked: what overrules what."""

import pytest

from indexfallback.mode import Cause, Mode, judge


@pytest.mark.parametrize("mode", Mode)
def test_the_option_is_stronger_than_every_mode(mode: Mode) -> None:
    state = judge(mode, option=True, has_route=True, found_cut=False)
    assert (state.ordered, state.cause, state.mode) == (Cause.OPTION, Cause.OPTION, mode)


@pytest.mark.parametrize(
    ("mode", "ordered"), [(Mode.ON, Cause.COMMAND), (Mode.OFF, None), (Mode.AUTO, None)]
)
def test_only_on_orders_to_ask_nobody(mode: Mode, ordered: Cause | None) -> None:
    assert judge(mode, option=False, has_route=False, found_cut=True).ordered is ordered


@pytest.mark.parametrize(
    ("has_route", "found_cut", "cause"),
    [
        (True, False, None),
        (True, True, None),  # it is back since
        (False, False, None),  # nobody has tried
        (False, True, Cause.NETWORK),
    ],
)
def test_by_itself_it_is_offline_when_a_try_fails_and_there_is_no_route(
    has_route: bool, found_cut: bool, cause: Cause | None
) -> None:
    state = judge(Mode.AUTO, option=False, has_route=has_route, found_cut=found_cut)
    assert (state.cause, state.is_cut) == (cause, not has_route)


def test_off_takes_no_note_of_the_network() -> None:
    state = judge(Mode.OFF, option=False, has_route=False, found_cut=True)
    assert (state.cause, state.presumed, state.heeds_network) == (None, None, False)


@pytest.mark.parametrize("cause", Cause)
def test_each_cause_has_words_and_a_remedy(cause: Cause) -> None:
    assert cause.words
    assert cause.remedy.endswith(".")
