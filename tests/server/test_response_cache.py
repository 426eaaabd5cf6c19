"""Which responses are cached, and for how long."""

import time
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from indexfallback.memory.bounds import TABLES
from indexfallback.server.response_cache import MAX_AGE, ResponseCache

LIMIT = TABLES["server.response_cache.ResponseCache._responses"]
BASE = {"REQUEST_METHOD": "GET", "PATH_INFO": "/simple/idna/", "HTTP_HOST": "127.0.0.1"}


class Counting:
    """An application that counts how often it was asked."""

    def __init__(self, seconds: float = 60.0, body: Iterable[bytes] = (b"page",)) -> None:
        self.seconds, self.body, self.asked = seconds, body, 0

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        self.asked += 1
        environ[MAX_AGE] = self.seconds
        start("200 OK", [("ETag", '"1"')])
        return list(self.body)


def _unchanging() -> int:
    return 0


def get(application: ResponseCache, **changes: str) -> tuple[str, list[tuple[str, str]], bytes]:
    started: list[Any] = []
    body = application({**BASE, **changes}, lambda *answer, **_: started.extend(answer[:2]))
    return started[0], started[1], b"".join(body)


def test_the_application_is_asked_for_a_page_once() -> None:
    counting = Counting()
    application = ResponseCache(counting, _unchanging)
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
        {"HTTP_INDEXFALLBACK_AUTHORIZATION": "Basic c2VjcmV0"},
    ],
)
def test_another_request_is_passed_to_the_application(changes: dict[str, str]) -> None:
    counting = Counting()
    application = ResponseCache(counting, _unchanging)
    get(application)
    get(application, **changes)
    assert counting.asked == 2


def test_nothing_is_cached_without_a_maximum_age() -> None:
    counting = Counting(seconds=0.0)
    application = ResponseCache(counting, _unchanging)
    assert [get(application)[2] for _ in range(2)] == [b"page"] * 2
    assert counting.asked == 2


def test_a_page_is_cached_no_longer_than_its_maximum_age(monkeypatch: pytest.MonkeyPatch) -> None:
    counting = Counting(seconds=1.0)
    application = ResponseCache(counting, _unchanging)
    now = 100.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    get(application)
    now = 101.0
    get(application)
    assert counting.asked == 2


def test_a_page_larger_than_the_limit_is_not_cached() -> None:
    counting = Counting(body=[b"x" * (LIMIT + 1)])
    application = ResponseCache(counting, _unchanging)
    get(application)
    get(application)
    assert counting.asked == 2


def test_the_cached_pages_stay_below_the_limit() -> None:
    application = ResponseCache(Counting(body=[b"x" * (LIMIT // 4)]), _unchanging)
    for number in range(18):
        get(application, PATH_INFO=f"/simple/p{number}/")
    cached = sum(len(b"".join(r.body)) for _, r in application._responses.items())
    assert 0 < cached <= LIMIT


def test_headers_of_clients_count() -> None:
    many = 400
    application = ResponseCache(Counting(), _unchanging)
    for number in range(many):
        get(application, HTTP_ACCEPT=f"text/html;q={number}" + " " * 60_000)
    kept = sum(len(str(key)) for key, _ in application._responses.items())
    assert 0 < kept < LIMIT < many * 60_000


def test_a_page_from_before_the_network_changed_is_not_used() -> None:
    counting, changes = Counting(), [0]
    application = ResponseCache(counting, lambda: changes[0])
    get(application)
    changes[0] += 1
    get(application)
    assert counting.asked == 2


@pytest.mark.parametrize("directives", ["no-cache", "max-age=0, No-Cache"])
def test_a_client_that_revalidates_is_not_answered_from_the_cache(directives: str) -> None:
    counting = Counting()
    application = ResponseCache(counting, _unchanging)
    get(application)
    counting.body = (b"new",)
    assert get(application, HTTP_CACHE_CONTROL=directives)[2] == b"new"
    # And its answer is the one that others get.
    assert get(application)[2] == b"new"
    assert counting.asked == 2


@pytest.mark.parametrize("directives", ["max-age=0", "no-store", ""])
def test_other_directives_of_a_client_mean_nothing(directives: str) -> None:
    counting = Counting()
    application = ResponseCache(counting, _unchanging)
    get(application)
    get(application, HTTP_CACHE_CONTROL=directives)
    assert counting.asked == 1
