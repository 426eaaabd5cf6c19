"""When a transfer that still moves counts as stalled."""

from indexfallback.files.pace import LEAST_BYTES, WINDOW, Pace


def test_a_trickle_is_stalled_after_its_window() -> None:
    pace = Pace(100.0)
    verdicts = [pace.is_stalled(100, 100.0 + second) for second in range(1, 31)]
    assert verdicts == [False] * 29 + [True]


def test_what_comes_quickly_enough_is_never_stalled() -> None:
    pace = Pace(0.0)
    assert not any(pace.is_stalled(int(LEAST_BYTES) + 1, float(second)) for second in range(1, 99))


def test_each_window_is_judged_by_itself() -> None:
    pace = Pace(0.0)
    assert not pace.is_stalled(10**9, WINDOW)
    assert pace.is_stalled(0, 2 * WINDOW)
