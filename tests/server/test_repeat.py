"""What is sent again without asking the application, and what never is."""

import time
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from indexfallback.server import repeat
from indexfallback.server.repeat import REPEATABLE, Repeat

BASE = {"REQUEST_METHOD": "GET", "PATH_INFO": "/simple/idna/", "HTTP_HOST": "127.0.0.1"}


class Counting:
    """An application that counts how often it was asked."""

    def __init__(self, seconds: float = 60.0, body: Iterable[bytes] = (b"page",)) -> None:
        self.seconds, self.body, self.asked = seconds, body, 0

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        self.asked += 1
        environ[REPEATABLE] = self.seconds
        start("200 OK", [("ETag", '"1"')])
        return list(self.body)


def _unchanging() -> int:
    return 0


def get(application: Repeat, **changes: str) -> tuple[str, list[tuple[str, str]], bytes]:
    started: list[Any] = []
    body = application({**BASE, **changes}, lambda *answer, **_: started.extend(answer[:2]))
    return started[0], started[1], b"".join(body)


def test_the_same_page_is_asked_for_once() -> None:
    counting = Counting()
    application = Repeat(counting, _unchanging)
    answers = [get(application) for _ in range(3)]
    assert answers == [("200 OK", [("ETag", '"1"')], b"page")] * 3
    assert counting.asked == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"PATH_INFO": "/simple/other/"},
        {"HTTP_ACCEPT": "application/json"},
        {"HTTP_HOST": "evil.example.com"},
        {"HTTP_IF_NONE_MATCH": '"1"'},
        {"REQUEST_METHOD": "HEAD"},
    ],
)
def test_another_request_is_asked_for_itself(changes: dict[str, str]) -> None:
    counting = Counting()
    application = Repeat(counting, _unchanging)
    get(application)
    get(application, **changes)
    assert counting.asked == 2


def test_nothing_is_repeated_that_the_application_does_not_allow() -> None:
    counting = Counting(seconds=0.0)
    application = Repeat(counting, _unchanging)
    assert [get(application)[2] for _ in range(2)] == [b"page"] * 2
    assert counting.asked == 2


def test_a_page_is_repeated_no_longer_than_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    counting = Counting(seconds=1.0)
    application = Repeat(counting, _unchanging)
    now = 100.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    get(application)
    now = 101.0
    get(application)
    assert counting.asked == 2


def test_a_page_beyond_all_bounds_is_not_kept() -> None:
    counting = Counting(body=[b"x" * (repeat._MOST + 1)])
    application = Repeat(counting, _unchanging)
    get(application)
    get(application)
    assert counting.asked == 2


def test_memory_stays_bounded() -> None:
    application = Repeat(Counting(body=[b"x" * (repeat._MOST // 4)]), _unchanging)
    for number in range(18):
        get(application, PATH_INFO=f"/simple/p{number}/")
    kept = sum(len(piece) for answer in application._answers.values() for piece in answer.body)
    assert 0 < kept <= repeat._MOST


def test_what_was_answered_before_the_network_changed_is_not_repeated() -> None:
    counting, changes = Counting(), [0]
    application = Repeat(counting, lambda: changes[0])
    get(application)
    changes[0] += 1
    get(application)
    assert counting.asked == 2
