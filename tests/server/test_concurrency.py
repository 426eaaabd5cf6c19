"""A limit of requests at once: health is answered, whatever other requests wait for."""

import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import falcon.testing
import pytest

from indexfallback.server.app import make_app
from indexfallback.server.concurrency import ALWAYS, ConcurrencyLimit
from indexfallback.server.proof import Place
from indexfallback.store.secret import user_secret
from tests.conftest import MakeShim
from tests.fakes import FakeIndex, wheel

DEMO = wheel("demo", size=400_000)
FILE = f"/files/pypi/demo.{DEMO.sha256}/{DEMO.filename}"
MOST = 3


class Answer:
    """An answer whose body is not read yet."""

    def __init__(self, application: Callable[..., Iterable[bytes]], path: str, **more: Any) -> None:
        self.status = ""
        self.headers: dict[str, str] = {}

        def start(status: str, headers: list[tuple[str, str]], *_: object) -> None:
            self.status, self.headers = status, dict(headers)

        environ = falcon.testing.create_environ(path, host="127.0.0.1", **more)
        self.body: Any = application(environ, start)

    def close(self) -> None:
        """End it, as a server does when the client leaves."""
        self.body.close()


def _streaming(environ: dict[str, Any], start: Callable[..., Any]) -> Iterator[bytes]:
    start("200 OK", [])
    return iter((b"one", b"two"))


@pytest.fixture
def full() -> tuple[ConcurrencyLimit, list[Answer]]:
    """An application at its limit, and the requests under way."""
    limited = ConcurrencyLimit(_streaming, MOST)
    return limited, [Answer(limited, "/files/a") for _ in range(MOST)]


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
def test_a_request_beyond_the_limit_is_refused_as_this_machines(
    full: tuple[ConcurrencyLimit, list[Answer]], method: str
) -> None:
    refused = Answer(full[0], "/files/a", method=method)
    assert refused.status == "503 Service Unavailable"
    assert refused.headers["Retry-After"] == "2"
    body = b"".join(refused.body)
    assert bool(body) is (method != "HEAD")
    if body:
        assert refused.headers["Content-Type"] == "application/problem+json"
        assert refused.headers["Content-Length"] == str(len(body))
        assert json.loads(body)["detail"].startswith("this machine: 3 requests are being answered")


def test_refused_requests_are_logged_once_a_minute(
    full: tuple[ConcurrencyLimit, list[Answer]], caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(5):
        Answer(full[0], "/files/a")
    assert [record.levelname for record in caplog.records] == ["WARNING"]


@pytest.mark.parametrize("path", sorted(ALWAYS))
def test_the_state_is_answered_beyond_the_limit(
    full: tuple[ConcurrencyLimit, list[Answer]], path: str
) -> None:
    for _ in range(2 * MOST):
        assert Answer(full[0], path).status == "200 OK"


def test_the_end_of_a_body_makes_room_for_one_request(
    full: tuple[ConcurrencyLimit, list[Answer]],
) -> None:
    limited, under_way = full
    assert b"".join(under_way[0].body) == b"onetwo"
    under_way[0].close()
    assert Answer(limited, "/files/a").status == "200 OK"
    assert Answer(limited, "/files/a").status == "503 Service Unavailable"


def test_answers_without_a_stream_and_failures_leave_the_limit_as_it_is() -> None:
    def application(environ: dict[str, Any], start: Callable[..., Any]) -> list[bytes]:
        start("200 OK", [])
        if environ["PATH_INFO"] == "/broken":
            raise ValueError("a defect")
        return [b"page"]

    limited = ConcurrencyLimit(application, 1)
    for _ in range(3):
        with pytest.raises(ValueError, match="a defect"):
            Answer(limited, "/broken")
        assert Answer(limited, "/simple/a/").body == [b"page"]


def test_health_is_answered_while_all_other_requests_follow_a_slow_file(
    shim: MakeShim, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("indexfallback.files.download.WHOLE_SECONDS", 0.0)
    monkeypatch.setattr(ConcurrencyLimit.__init__, "__defaults__", (MOST,))
    with FakeIndex([DEMO]) as index:
        slow = index.drip(200_000, path="/files/")
        app = make_app(shim(index), user_secret(), Place("127.0.0.1", 5503))
        assert Answer(app, "/simple/demo/").status == "200 OK"
        readers = [Answer(app, FILE) for _ in range(MOST)]
        assert [reader.status for reader in readers] == ["200 OK"] * MOST
        assert Answer(app, FILE).status == "503 Service Unavailable"
        assert Answer(app, "/-/health").status == "200 OK"
        assert Answer(app, "/simple/demo/").status == "200 OK", "a cached page"
        slow.lift()
        for reader in readers:
            assert b"".join(reader.body) == DEMO.data
            reader.close()
        again = Answer(app, FILE)
        assert again.status == "200 OK"
        again.close()
