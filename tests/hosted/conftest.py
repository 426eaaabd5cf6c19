"""A shim with an index of its own in front of a public one, and a client that uploads to it."""

import hashlib
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.conftest import Serve
from tests.fakes import Dist, FakeIndex, wheel
from tests.serving import Served, clean_environment, index_table

SECONDS = 60.0


class Hosted:
    """A running shim, its directory, and the commands for it."""

    def __init__(self, directory: Path, packages: Path, start: Callable[[], Served]) -> None:
        self.directory = directory
        self.packages = packages
        self._start = start
        self.start()
        self.token = self.command("token", "create").stdout.strip()

    def start(self) -> None:
        """Start the shim, also after it was stopped."""
        self.served = self._start()
        self.base = self.served.url.removesuffix("/simple/")

    def command(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run a command of ours with the same configuration."""
        config = str(self.directory / "config.toml")
        return subprocess.run(
            [sys.executable, "-m", "indexfallback", "--config", config, *arguments],
            env=clean_environment(self.directory), capture_output=True, text=True, check=False,
            timeout=SECONDS, cwd=Path(__file__).parents[2], stdin=subprocess.DEVNULL,
        )  # fmt: skip

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
    start = partial(
        served,
        index_table("local", packages.as_uri(), role="private", upload=True),
        index_table("claiming", claiming.url, role="private",
                    projects=["other-*"], on_outage="next"),
        index_table("pypi", public.url),
        directory=directory,
    )  # fmt: skip
    return Hosted(directory, packages, start)
