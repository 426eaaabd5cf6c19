"""Accepted releases in the bucket: one object for each, which `cache accept --undo` removes.

Each shim has in its own database what it has last read of them. An acceptance that could not be
written waits there, and holds on this shim alone.
"""

import time
from collections.abc import Collection
from typing import NamedTuple

import msgspec

from indexfallback.names import canonical_version, is_normalized
from indexfallback.store.acceptances import Acceptance, Acceptances
from indexfallback.store.shared import keys
from indexfallback.store.shared.answers import Answer, Outcome
from indexfallback.store.shared.link import Link
from indexfallback.store.shared.unshared import Unshared

#: Of more releases, only the first so many are read, in the order of their names: ten requests.
MOST = 10_000


class Changes(NamedTuple):
    """What a list of the bucket changes here, by the keys of the objects."""

    new: frozenset[str]
    gone: frozenset[str]


def changes(known: Collection[str], waiting: Collection[str], listed: Collection[str]) -> Changes:
    """Compare what is ``known`` here with what the bucket lists.

    What is ``waiting`` is not in the bucket yet. From a list that is not whole, nothing is missing.
    """
    is_whole = len(listed) < MOST
    gone = frozenset(known).difference(waiting, listed) if is_whole else frozenset[str]()
    return Changes(frozenset(listed).difference(known), gone)


class _Object(msgspec.Struct):
    version: str
    accepted: float
    login: str


class SharedAcceptances:
    """The accepted releases of the bucket."""

    def __init__(self, link: Link, acceptances: Acceptances, unshared: Unshared) -> None:
        self._link = link
        self._acceptances = acceptances
        self._unshared = unshared

    def accept(self, release: Acceptance) -> tuple[Acceptance, str]:
        """Accept a release on all shims; return the record, the earlier one if there is one.

        With it comes why the bucket does not have it yet; empty if it has.
        """
        answer = self.share(release)
        if answer.outcome is Outcome.EXISTS:
            release = self._read(_key(release)) or release
        elif not answer.is_found:
            self._unshared.add(release)
        is_there = answer.is_found or answer.outcome is Outcome.EXISTS
        # Last: what is in neither the bucket nor among what waits was withdrawn by another shim.
        cause = "" if is_there else answer.cause or answer.outcome.value
        return self._acceptances.add(release), cause

    def share(self, release: Acceptance) -> Answer:
        """Write a release, unless the bucket has it."""
        if not self._link.may_write:
            return Answer(Outcome.UNREACHABLE, cause=self._link.cause)
        content = _Object(release.version, release.accepted, release.by)
        return self._link.create(_key(release), msgspec.json.encode(content))

    def undo(self, project: str, version: str) -> bool:
        """Withdraw a release on all shims; return whether it was accepted.

        Raises `BucketUnavailableError` if the bucket would bring it back.
        """
        key = keys.acceptance(project, version)
        there = self._link.head(key)
        if there.outcome is not Outcome.ABSENT:
            self._link.remove([key])
        for release in self._unshared.releases():
            if _key(release) == key:
                self._unshared.remove(release)
        return self._acceptances.remove(project, version) or there.is_found

    def poll(self) -> Answer:
        """Learn which releases are accepted; return whether the bucket could be asked."""
        # First: what is accepted meanwhile is in the list, or is not compared with it.
        known = {_key(release): release for release in self._acceptances.all()}
        waiting = {_key(release) for release in self._unshared.releases()}
        answer, listed = self._link.list(keys.ACCEPTED, MOST)
        if not answer.is_found:
            return answer
        new, gone = changes(known, waiting, [entry.key for entry in listed])
        for key in sorted(new):
            release = self._read(key)
            if release is not None:
                self._acceptances.add(release)
        for key in gone:
            self._acceptances.remove(known[key].project, known[key].version)
        return answer

    def all(self, project: str | None) -> tuple[list[tuple[Acceptance, bool]], str]:
        """Return the accepted releases, as `store.seam.Shared.releases` says."""
        cause = self.poll().cause
        waiting = {_key(release) for release in self._unshared.releases()}
        known = self._acceptances.all(project)
        return [(release, _key(release) not in waiting) for release in known], cause

    def _read(self, key: str) -> Acceptance | None:
        """Return the release of an object, or None if there is none, or it cannot be read now."""
        project, _, version = key.removeprefix(f"{keys.ACCEPTED}/").partition("/")
        if not is_normalized(project) or canonical_version(version) != version:
            return None
        answer = self._link.get(key, most=4096)
        if not answer.is_found:
            return None
        try:
            found = msgspec.json.decode(answer.data, type=_Object)
        except (msgspec.DecodeError, UnicodeDecodeError):
            # The object is there, and counts whatever it says.
            return Acceptance(project, version, time.time(), "")
        return Acceptance(project, found.version, found.accepted, found.login)


def _key(release: Acceptance) -> str:
    return keys.acceptance(release.project, release.version)
