"""When a transfer that still moves counts as stalled."""

from itertools import count

import pytest

from indexfallback.files.pace import LEAST_BYTES, WINDOW, StallDetector, unstalled
from indexfallback.outcome import Kind
from indexfallback.upstream.answers import Body, TransferError


def test_a_trickle_is_stalled_after_its_window() -> None:
    detector = StallDetector(100.0)
    verdicts = [detector.is_stalled(100, 100.0 + second) for second in range(1, 31)]
    assert verdicts == [False] * 29 + [True]


def test_what_comes_quickly_enough_is_never_stalled() -> None:
    detector = StallDetector(0.0)
    assert not any(
        detector.is_stalled(int(LEAST_BYTES) + 1, float(second)) for second in range(1, 99)
    )


def test_each_window_is_judged_by_itself() -> None:
    detector = StallDetector(0.0)
    assert not detector.is_stalled(10**9, WINDOW)
    assert detector.is_stalled(0, 2 * WINDOW)


def test_a_body_that_stalls_fails() -> None:
    seconds = count()
    pieces = unstalled(Body(0, None, lambda: b"x", lambda: None), lambda: float(next(seconds)))
    with pytest.raises(TransferError, match="stalled: under 1 KiB/s for 30 s") as caught:
        list(pieces)
    assert caught.value.outcome.kind is Kind.UNREACHABLE
