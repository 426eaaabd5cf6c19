"""A database of advisories on loopback with OSV's API, which records what it is asked."""

import json
from threading import Lock
from types import TracebackType
from typing import Any, NamedTuple, final

from tests.fakes.listener import Listener
from tests.fakes.wire import Reply, Request

#: When every record was changed last.
_MODIFIED = "2026-01-01T00:00:00Z"


class Query(NamedTuple):
    """A release that was asked about."""

    ecosystem: str
    project: str
    version: str


@final
class FakeOsv:
    """A context manager, listening on a free port inside the block."""

    def __init__(self) -> None:
        #: The status that every request gets in place of an answer; None for the answer.
        self.status: int | None = None
        #: The body that every request gets; None for the right one.
        self.body: bytes | None = None
        self._records: dict[str, dict[str, Any]] = {}
        self._releases: dict[tuple[str, str], list[str]] = {}
        self._recorded: list[Request] = []
        self._lock = Lock()
        self._listener = Listener(self._handle)

    def __enter__(self) -> "FakeOsv":
        self._listener.open()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._listener.close()
        self._listener.join()

    @property
    def url(self) -> str:
        """The address, without a slash at the end."""
        return f"http://127.0.0.1:{self._listener.port}"

    def add(
        self, advisory: str, project: str, *versions: str, fixed: str | None = None, **fields: Any
    ) -> None:
        """Have a record of a vulnerability of some versions; ``fields`` replace its own."""
        events = [{"introduced": "0"}, *([{"fixed": fixed}] if fixed else [])]
        self._records[advisory] = {
            "id": advisory,
            "modified": _MODIFIED,
            "summary": f"{project} is broken",
            "affected": [
                {
                    "package": {"name": project, "ecosystem": "PyPI"},
                    "ranges": [{"type": "ECOSYSTEM", "events": events}],
                }
            ],
            **fields,
        }
        for version in versions:
            self._releases.setdefault((project, version), []).append(advisory)

    @property
    def requests(self) -> list[Request]:
        """All requests, in order."""
        with self._lock:
            return self._recorded.copy()

    @property
    def queries(self) -> list[Query]:
        """All releases that were asked about, in order."""
        return [
            Query(each["package"]["ecosystem"], each["package"]["name"], each["version"])
            for request in self.requests
            if request.method == "POST"
            for each in json.loads(request.body)["queries"]
        ]

    def _handle(self, request: Request) -> Reply:
        with self._lock:
            self._recorded.append(request)
        if self.status is not None:
            return Reply(self.status)
        answer = self._answer(request)
        if answer is None:
            return Reply(404)
        body = self.body if self.body is not None else json.dumps(answer).encode()
        return Reply(200, {"Content-Type": "application/json"}, body)

    def _answer(self, request: Request) -> dict[str, Any] | None:
        match request.method, request.path.split("/"):
            case "POST", ["", "v1", "querybatch"]:
                queries = json.loads(request.body)["queries"]
                return {"results": [self._result(query) for query in queries]}
            case "GET", ["", "v1", "vulns", advisory]:
                return self._records.get(advisory)
        return None

    def _result(self, query: dict[str, Any]) -> dict[str, Any]:
        found = self._releases.get((query["package"]["name"], query["version"]), [])
        matches = [{"id": each, "modified": self._records[each]["modified"]} for each in found]
        return {"vulns": matches} if matches else {}
