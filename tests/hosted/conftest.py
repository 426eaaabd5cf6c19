"""A shim with a hosted index before a public one, and a client that uploads to it."""

import hashlib
import socket
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from http.client import HTTPConnection
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.cli.conftest import cli  # noqa: F401 - a fixture
from tests.conftest import Serve
from tests.fakes import Dist, FakeIndex, wheel
from tests.in_process import indexfallback
from tests.serving import Served, clean_environment, config_text, index_table, serving

SECONDS = 60.0


class Hosted:
    """A running shim, its directory, and the commands for it."""

    def __init__(
        self, directory: Path, packages: Path, start: Callable[[], Served], **environ: str
    ) -> None:
        """Start the shim; its commands have more variables."""
        self.directory = directory
        self.packages = packages
        self._start = start
        self._environ = environ
        self.start()
        self.token = self.command("token", "create").stdout.strip()

    def start(self) -> None:
        """Start the shim, also after it was stopped."""
        self.served = self._start()
        self.base = self.served.url.removesuffix("/simple/")

    def command(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run a command of ours with the same configuration."""
        config = str(self.directory / "config.toml")
        environ = clean_environment(self.directory, **self._environ)
        return indexfallback("--config", config, *arguments, environ=environ)

    def upload(
        self,
        dist: Dist,
        *,
        token: str | None = None,
        data: bytes | None = None,
        path: str = "/upload/",
        headers: dict[str, str] | None = None,
        fields: Mapping[str, str] | None = None,
    ) -> requests.Response:
        """Upload as a client does, with some fields or the content changed."""
        content = dist.data if data is None else data
        form = {
            ":action": "file_upload",
            "protocol_version": "1",
            "metadata_version": "2.1",
            "name": dist.name,
            "version": dist.version,
            "filetype": "bdist_wheel" if dist.is_wheel else "sdist",
            "sha256_digest": hashlib.sha256(content).hexdigest(),
            **(fields or {}),
        }
        filename = form.pop("filename", dist.filename)
        return requests.post(
            self.base + path, data=form, files={"content": (filename, content)}, headers=headers,
            auth=("__token__", self.token if token is None else token), timeout=SECONDS,
        )  # fmt: skip

    @contextmanager
    def uploading(self, dist: Dist, share: float) -> Iterator[None]:
        """Be in the middle of an upload, of which a share is sent and nothing more comes."""
        headers, body = self._request(dist.filename, dist.data, dist.name)
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        head = f"POST /upload/ HTTP/1.1\r\nHost: 127.0.0.1\r\n{lines}\r\n".encode()
        with socket.create_connection(("127.0.0.1", self.served.port)) as sock:
            sock.sendall(head + body[: int(len(body) * share)])
            yield

    def upload_file(self, path: Path, name: str) -> int:
        """Upload a wheel of any size, version 1.0, piece by piece; return the status."""
        headers, body = self._request(path.name, b"-content-", name)
        head, tail = body.split(b"-content-")
        size = len(head) + path.stat().st_size + len(tail)
        with path.open("rb") as file:
            pieces = chain([head], iter(partial(file.read, 1 << 20), b""), [tail])
            connection = HTTPConnection("127.0.0.1", self.served.port, timeout=4 * SECONDS)
            headers = {**headers, "Content-Length": str(size)}
            connection.request("POST", "/upload/", body=pieces, headers=headers)
            status = connection.getresponse().status
            connection.close()
        return status

    def _request(self, filename: str, content: bytes, name: str) -> tuple[dict[str, str], bytes]:
        """Return headers and body of an upload of a wheel."""
        form = {
            ":action": "file_upload", "name": name, "version": "1.0", "filetype": "bdist_wheel"
        }  # fmt: skip
        prepared = requests.Request(
            "POST", self.base, auth=("__token__", self.token), data=form,
            files={"content": (filename, content)},
        ).prepare()  # fmt: skip
        assert isinstance(prepared.body, bytes)
        return dict(prepared.headers), prepared.body

    def page(self, project: str) -> Any:
        """Return a project's page as JSON."""
        accept = {"Accept": "application/vnd.pypi.simple.v1+json"}
        answer = requests.get(f"{self.served.url}{project}/", headers=accept, timeout=SECONDS)
        return answer.json() if answer.ok else None

    def listed(self, project: str) -> list[str]:
        """Return the names of a project's files."""
        page = self.page(project)
        return [file["filename"] for file in page["files"]] if page else []

    def lying(self) -> list[str]:
        """Return what lies in the directory, hidden files too."""
        return sorted(path.name for path in self.packages.iterdir())


@pytest.fixture
def public() -> Iterator[FakeIndex]:
    """A public index where others have published what is ours, with a higher version."""
    with FakeIndex([wheel("acme-lib", "99.0")]) as index:
        yield index


@pytest.fixture
def claiming() -> Iterator[FakeIndex]:
    """Another private index, without any project yet."""
    with FakeIndex() as index:
        yield index


@pytest.fixture
def hosted(served: Serve, tmp_path: Path, public: FakeIndex, claiming: FakeIndex) -> Hosted:
    packages, directory = tmp_path / "packages", tmp_path / "served"
    packages.mkdir()
    start = partial(served, *_tables(packages, public, claiming), directory=directory)
    return Hosted(directory, packages, start)


@pytest.fixture(scope="module")
def refusing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hosted]:
    """One for all tests of a module whose uploads leave nothing behind."""
    directory, packages = (tmp_path_factory.mktemp(name) for name in ("served", "packages"))
    with (
        FakeIndex([wheel("acme-lib", "99.0")]) as public,
        FakeIndex() as claiming,
        ExitStack() as stack,
    ):
        text = config_text(*_tables(packages, public, claiming))
        yield Hosted(directory, packages, lambda: stack.enter_context(serving(directory, text)))


def _tables(packages: Path, public: FakeIndex, claiming: FakeIndex) -> tuple[str, ...]:
    """Return the chain: ours, another private index, and a public one."""
    return (
        index_table("local", packages.as_uri(), role="private", upload=True),
        index_table("claiming", claiming.url, role="private",
                    projects=["other-*"], on_outage="next"),
        index_table("pypi", public.url),
    )  # fmt: skip
