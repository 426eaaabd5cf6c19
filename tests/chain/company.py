"""A company's indexes in front of a public one with namesakes, whatever they say of them."""

import time
from collections.abc import Collection
from contextlib import ExitStack

import pytest

from indexfallback.config import Index
from tests.chain.chain import ROOT, mirror, only_root, private, pypi
from tests.chain.knowledge import PATTERN, Setup
from tests.fakes import Dist, FakeIndex, wheel

NAMES = ("acme-app", "acme-lib", "idna")
#: What the public index has of each name, and the private one as a copy.
PUBLIC = {name: wheel(name, "9.0") for name in NAMES}
#: What the private index has of its own: another version, or other bytes under the same file name.
OWN = {name: wheel(name, "1.0") for name in NAMES}
NAMESAKE = {name: wheel(name, "9.0", requires=["six"]) for name in NAMES}
KINDS = {"own": OWN, "namesake": NAMESAKE, "copy": PUBLIC}

#: What an index may say in place of a page or a list.
ANSWERS = (401, 403, 404, 410, 429, 500, 503, "reset", "empty", "forward", "login")

_HTML = {"Content-Type": "text/html"}
_JSON = {"Content-Type": "application/vnd.pypi.simple.v1+json"}
_EMPTY = b"<!DOCTYPE html><html><body><h1>Links</h1></body></html>"
_LOGIN = b"<html><form action=/login></form></html>"


class Clock:
    """The clocks of this machine, as far ahead as the history says; seconds."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.set, self.passed = 0.0, 0.0
        wall, steady = time.time, time.monotonic
        patch.setattr(time, "time", lambda: wall() + self.set + self.passed)
        patch.setattr(time, "monotonic", lambda: steady() + self.passed)


class Company:
    """The three indexes, and what is on them."""

    def __init__(self, stack: ExitStack) -> None:
        self.own = stack.enter_context(FakeIndex([OWN["acme-app"], OWN["acme-lib"]]))
        self.near = stack.enter_context(FakeIndex(PUBLIC.values()))
        self.far = stack.enter_context(FakeIndex(PUBLIC.values()))
        #: The private index's files, by the name of their project.
        self.files: dict[str, set[str]] = {name: {OWN[name].sha256} for name in NAMES[:2]}
        #: The names that it lists whatever it has; None for those that it has.
        self._listed: set[str] | None = None
        #: Names of which it has had nothing but copies at some time, and all files it has had.
        self.copies: set[str] = set()
        self.offered = {dist.sha256 for dist in (OWN["acme-app"], OWN["acme-lib"])}

    def indexes(self, setup: Setup) -> tuple[Index, ...]:
        """Return a chain of these indexes."""
        claims = {setup.claim: (PATTERN,)} if setup.claim else {}
        own = private(
            self.own,
            on_outage=setup.on_outage,
            defer_copies=setup.defer_copies,
            probe="probe",
            **claims,
        )
        near = (mirror(self.near, probe="probe"),) if setup.mirror else ()
        return (own, *near, pypi(self.far, probe="probe"))

    @property
    def listed(self) -> set[str]:
        """The names that the private index lists; none if it gives no list."""
        return set(self.files) if self._listed is None else self._listed

    def list_all_but(self, names: Collection[str]) -> None:
        """Have the private index leave names out of its list, as it is now."""
        self._listed = set(self.files) - set(names)
        listed = ", ".join(f'{{"name": "{name}"}}' for name in sorted(self._listed))
        body = f'{{"meta": {{"api-version": "1.0"}}, "projects": [{listed}]}}'
        only_root(self.own.answer(200, _JSON, body.encode()))

    def publish(self, dist: Dist) -> None:
        """Put a file onto the private index."""
        self.own.add(dist)
        self.files.setdefault(dist.project, set()).add(dist.sha256)
        if dist is NAMESAKE[dist.project]:
            self.files[dist.project].discard(PUBLIC[dist.project].sha256)
        if dist is PUBLIC[dist.project]:
            self.files[dist.project].discard(NAMESAKE[dist.project].sha256)
        self.offered.add(dist.sha256)
        self._note_copy(dist.project)

    def withdraw(self, dist: Dist) -> None:
        """Take a file off the private index; its project stays."""
        if dist.sha256 in self.files.get(dist.project, ()):
            self.own.remove(dist.filename)
            self.files[dist.project].discard(dist.sha256)
            self._note_copy(dist.project)

    def withdraw_project(self, name: str) -> None:
        """Take a project off the private index."""
        if self.files.pop(name, None) is not None:
            self.own.remove_project(name)

    def _note_copy(self, name: str) -> None:
        if self.files[name] == {PUBLIC[name].sha256}:
            self.copies.add(name)

    def answer(self, what: int | str, path: str, times: int | None = None) -> None:
        """Have the private index give the same answer to all that starts with ``path``."""
        if path in ("/", ROOT):
            self._listed = set()
        if what == "reset":
            rule = self.own.drop(reset=True, path=path, times=times)
        elif what == "forward":
            rule = self.own.redirect(f"{self.far.base}{{path}}", path=path, times=times)
        elif what == "empty":
            rule = self.own.answer(200, _HTML, _EMPTY, path=path, times=times)
        elif what == "login":
            rule = self.own.answer(200, _HTML, _LOGIN, path=path, times=times)
        else:
            rule = self.own.fail(int(what), path=path, times=times)
        if path == ROOT:
            only_root(rule)

    def come_back(self) -> None:
        """Have the private index answer as it should again."""
        self.own.start_again()
        self.own.lift()
        self._listed = None

    def clear(self) -> None:
        """Forget what the indexes were asked for."""
        for index in (self.own, self.near, self.far):
            index.clear()

    def heard(self, name: str) -> bool:
        """Tell whether the public index or its mirror was asked for a project."""
        page, files = f"{ROOT}{name}/", f"/files/{name.replace('-', '_')}-"
        return any(
            request.path.startswith((page, files))
            for index in (self.near, self.far)
            for request in index.requests
        )

    @property
    def asked(self) -> set[str]:
        """The names that the private index was asked for."""
        paths = [request.path for request in self.own.requests]
        return {path.split("/")[2] for path in paths if path.startswith(ROOT) and path != ROOT}
