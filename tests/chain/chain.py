"""Chains of fake indexes, and what a walk down them came to, in one line each."""

import time
from collections.abc import Callable
from typing import Any

from indexfallback.config import Index
from indexfallback.errors import ProjectError
from indexfallback.shim import Shim
from tests.fakes import FakeIndex, Rule

ROOT = "/simple/"
APP = "/simple/acme-app/"
LIB = "/simple/acme-lib/"


def private(fake: FakeIndex, **values: Any) -> Index:
    return Index(**{"name": "private", "url": fake.url, **values})


def mirror(fake: FakeIndex, **values: Any) -> Index:
    made = {"name": "mirror", "url": fake.url, "role": "mirror", "mirror_of": "pypi"}
    return Index(**{**made, **values})


def pypi(fake: FakeIndex, **values: Any) -> Index:
    return Index(**{"name": "pypi", "url": fake.url, "role": "public", **values})


def ask(shim: Shim, project: str = "acme-app", index: str | None = None) -> str | int:
    """Return who owns a project, or the status of the error."""
    try:
        return shim.fallback.page(project, index).owner.name
    except ProjectError as error:
        return error.status


def how(shim: Shim, project: str = "acme-app") -> str:
    """Return how the page was come by: fresh, asked or stale."""
    return shim.fallback.page(project).how


def refusal(shim: Shim, project: str = "acme-app") -> ProjectError:
    """Return the error that a project ends in."""
    try:
        owner = shim.fallback.page(project).owner.name
    except ProjectError as error:
        return error
    raise AssertionError(f"{project} was served from {owner}")


def versions(shim: Shim, project: str = "acme-app") -> list[str]:
    """Return the file names' versions on a project's page."""
    return [file.filename.split("-")[1] for file in shim.fallback.page(project).page.files]


def learn_names(shim: Shim, index: Index) -> None:
    """Let the shim fetch a private index's list of names, as its first request does."""
    ask(shim, "unknown-to-everybody")
    until(lambda: shim.store.ledger.name_list(index.key) is not None)
    shim.store.ledger.flush()  # for other shims: this one knows the list before it is written


def only_root(rule: Rule) -> Rule:
    """Restrict a fault to the root page: a path alone is the start of all others."""
    rule._path, rule._exact = ROOT, True
    return rule


def until(is_so: Callable[[], bool], seconds: float = 30.0) -> None:
    """Wait until something is so."""
    end = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < end, "it did not come about in time"
        time.sleep(0.005)
