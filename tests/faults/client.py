"""What a client behind the shim sees: real pages and files, the server's sockets left out."""

import json
import re
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import urljoin

import falcon.testing

from indexfallback.server.app import make_app
from indexfallback.server.proof import Place
from indexfallback.shim import Shim
from indexfallback.store import Blob
from indexfallback.store.secret import user_secret
from tests.fakes.pages import JSON_TYPE
from tests.serving import wait_until

_HREF = re.compile(rb'<a href="([^"#]*)[^>]*>([^<]*)</a>')


class Got(NamedTuple):
    """A whole answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def problem(self) -> str:
        """The detail of an error, which is never HTML."""
        assert self.headers["content-type"] == "application/problem+json", self
        problem: dict[str, Any] = json.loads(self.body)
        assert problem["status"] == self.status
        return f"{problem['title']}: {problem['detail']}"


class Client:
    """Asks a shim by its WSGI application."""

    def __init__(self, shim: Shim) -> None:
        self.shim = shim
        # Falcon's client takes any WSGI callable, and is typed for its own applications.
        app: Any = make_app(shim, user_secret(), Place("127.0.0.1", 5503))
        self._client = falcon.testing.TestClient(app, headers={"Host": "127.0.0.1"})

    def get(
        self, path: str, headers: Mapping[str, str] | None = None, *, method: str = "GET"
    ) -> Got:
        """Ask for a path."""
        result = self._client.simulate_request(method, path, headers=dict(headers or {}))
        return Got(result.status_code, result.headers, result.content)

    def page(self, project: str) -> dict[str, Any]:
        """Return a project's JSON page."""
        answer = self.get(f"/simple/{project}/", {"Accept": JSON_TYPE})
        assert answer.status == 200, answer
        page: dict[str, Any] = json.loads(answer.body)
        return page

    def files(self, project: str) -> dict[str, dict[str, Any]]:
        """Return the files of a project's page by their names, once both forms name the same."""
        files = {file["filename"]: file for file in self.page(project)["files"]}
        html = self.get(f"/simple/{project}/").body
        assert [name.decode() for _, name in _HREF.findall(html)] == list(files)
        return files

    def fetch(self, project: str, filename: str, ending: str = "") -> Got:
        """Follow the link of a project's page to a file."""
        page = f"/simple/{project}/"
        return self.get(urljoin(page, self.files(project)[filename]["url"]) + ending)

    def kept(self, sha256: str) -> Blob:
        """Wait until a file is in the store, and return it."""
        find, running = self.shim.store.blobs.find, self.shim.downloads._running
        wait_until(lambda: not running and find(sha256) is not None, 5, "the file was not kept")
        blob = find(sha256)
        assert blob is not None
        return blob

    def assert_clean(self) -> None:
        """Check that nothing partial is left and that all that is kept is right."""
        partial = self.shim.store.directory / "partial"
        wait_until(lambda: not list(partial.iterdir()), 5, "a partial file is left behind")
        assert set(dict(self.shim.store.blobs.verify()).values()) <= {"right"}
