"""A shim with two hosted indexes, prod before staging, whose readers need tokens."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import requests

from tests.fakes import Dist
from tests.hosted.conftest import SECONDS, Hosted

JSON = {"Accept": "application/vnd.pypi.simple.v1+json"}


class Team:
    """The shim, as those see it who have tokens for it."""

    def __init__(self, hosted: Hosted, directories: Mapping[str, Path]) -> None:
        self.hosted = hosted
        self.directories = directories
        #: Reads everything, and uploads everywhere.
        self.token = hosted.token

    def make_token(self, *arguments: str) -> str:
        """Return a new token."""
        done = self.hosted.command("token", "create", *arguments)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def get(self, path: str, token: str = "", **headers: str) -> requests.Response:
        """Ask for a path, with a token that reads everything unless another is given."""
        return self._send("GET", path, token, JSON | headers)

    def post(self, path: str, token: str = "", **headers: str) -> requests.Response:
        """Change something."""
        return self._send("POST", path, token, headers)

    def _send(
        self, method: str, path: str, token: str, headers: Mapping[str, str]
    ) -> requests.Response:
        auth = ("__token__", token or self.token)
        url = self.hosted.base + path
        return requests.request(method, url, headers=dict(headers), auth=auth, timeout=SECONDS)

    def upload(self, dist: Dist, index: str, token: str = "") -> requests.Response:
        """Upload a distribution to one of the indexes."""
        return self.hosted.upload(dist, token=token or self.token, path=f"/upload/{index}/")

    def put(self, index: str, *dists: Dist) -> None:
        """Upload distributions."""
        for dist in dists:
            answer = self.upload(dist, index)
            assert answer.ok, answer.text

    def files(self, index: str, project: str) -> list[dict[str, Any]]:
        """Return the files of a project at the address of one index."""
        answer = self.get(f"/index/{index}/simple/{project}/")
        files: list[dict[str, Any]] = answer.json()["files"] if answer.ok else []
        return files

    def log(self, *arguments: str) -> list[dict[str, Any]]:
        """Return what `log` prints, newest first."""
        done = self.hosted.command("log", "--json", *arguments)
        assert done.returncode == 0, done.stderr
        events: list[dict[str, Any]] = json.loads(done.stdout)["events"]
        return events
