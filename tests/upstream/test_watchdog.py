"""The timers of the watchdog."""

import threading
import time

from indexfallback.upstream.watchdog import Watchdog


def test_actions_run_when_their_time_is_over_soonest_first() -> None:
    watchdog, done = Watchdog(), threading.Event()
    order: list[str] = []
    began = time.monotonic()
    watchdog.watch(1.0, lambda: order.append("late"))
    watchdog.watch(1.01, done.set)
    watchdog.watch(0.05, lambda: order.append("soon"))
    assert done.wait(60)
    assert order == ["soon", "late"]
    assert time.monotonic() - began >= 1.0


def test_a_cancelled_action_does_not_run() -> None:
    watchdog, done = Watchdog(), threading.Event()
    order: list[str] = []
    watchdog.cancel(watchdog.watch(0.5, lambda: order.append("cancelled")))
    watchdog.watch(0.51, done.set)
    assert done.wait(60)
    assert order == []


def test_a_hundred_watches_take_one_thread() -> None:
    watchdog = Watchdog()
    before = threading.active_count()
    numbers = [watchdog.watch(60, lambda: None) for _ in range(100)]
    assert threading.active_count() == before + 1
    for number in numbers:
        watchdog.cancel(number)
