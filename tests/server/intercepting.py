"""A client whose requests an intercepting proxy sends to the shim."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from tests.serving import Answer, Served

JSON = {"Accept": "application/vnd.pypi.simple.v1+json"}


def via(
    shim: Served, url: str, headers: Mapping[str, str] | None = None, *, method: str = "GET"
) -> Answer:
    """Ask for an address, as the proxy would pass it on."""
    scheme, authority = urlsplit(url)[:2]
    target = url.removeprefix(f"{scheme}://{authority}") or "/"
    named = {
        {"Authorization": "Indexfallback-Authorization"}.get(name, name): value
        for name, value in (headers or {}).items()
    }
    return shim.get(f"/via/{scheme}/{authority}{target}", named, method=method)


def files(shim: Served, url: str, headers: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Return the files of a page by their names, as its JSON has them."""
    answer = via(shim, url, {**JSON, **(headers or {})})
    assert answer.status == 200, answer
    return {file["filename"]: file for file in json.loads(answer.body)["files"]}
