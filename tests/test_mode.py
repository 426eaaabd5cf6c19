"""The offline state: which setting takes precedence."""

import pytest

from indexfallback.mode import Cause, Mode, offline_state


@pytest.mark.parametrize("mode", Mode)
def test_the_option_is_stronger_than_every_mode(mode: Mode) -> None:
    state = offline_state(mode, option=True, has_route=True, network_failed=False)
    assert (state.requested, state.cause, state.mode) == (Cause.OPTION, Cause.OPTION, mode)


@pytest.mark.parametrize(
    ("mode", "requested"), [(Mode.ON, Cause.COMMAND), (Mode.OFF, None), (Mode.AUTO, None)]
)
def test_only_the_mode_on_stops_requests_to_all_indexes(
    mode: Mode, requested: Cause | None
) -> None:
    assert (
        offline_state(mode, option=False, has_route=False, network_failed=True).requested
        is requested
    )


@pytest.mark.parametrize(
    ("has_route", "network_failed", "cause"),
    [
        (True, False, None),
        (True, True, None),  # the network is back
        (False, False, None),  # no attempt so far
        (False, True, Cause.NETWORK),
    ],
)
def test_auto_is_offline_without_a_route_once_an_attempt_has_failed(
    has_route: bool, network_failed: bool, cause: Cause | None
) -> None:
    state = offline_state(
        Mode.AUTO, option=False, has_route=has_route, network_failed=network_failed
    )
    assert (state.cause, state.has_no_route) == (cause, not has_route)


def test_off_ignores_the_state_of_the_network() -> None:
    state = offline_state(Mode.OFF, option=False, has_route=False, network_failed=True)
    assert (state.cause, state.presumed, state.detects_network) == (None, None, False)


@pytest.mark.parametrize("cause", Cause)
def test_each_cause_has_words_and_a_remedy(cause: Cause) -> None:
    assert cause.words
    assert cause.remedy.endswith(".")
