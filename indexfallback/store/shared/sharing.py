"""One shim's share in a bucket: what `store.seam.Shared` asks for, put together.

One thread tests the bucket, writes what waits for it, and reads the lists of names; the queue has
threads for what is stored. The start of a shim waits for none of them: until the self-test has
passed, pins hold here and wait.

Locks: ``Sharing._wake`` wakes the thread; each part has its own locks.
"""

import logging
import threading
import time
from collections.abc import Sequence
from typing import Any

from indexfallback.names import METADATA_ENDING
from indexfallback.store import Store
from indexfallback.store.acceptances import Acceptance
from indexfallback.store.best_effort import best_effort
from indexfallback.store.first_seen import Seen
from indexfallback.store.page_rows import PageFacts
from indexfallback.store.pins import Pin
from indexfallback.store.seam import SharedFile
from indexfallback.store.shared.accepted import SharedAcceptances
from indexfallback.store.shared.answers import Outcome
from indexfallback.store.shared.disowned import SharedDisowned
from indexfallback.store.shared.figures import Figures
from indexfallback.store.shared.files import SharedFiles
from indexfallback.store.shared.link import Link
from indexfallback.store.shared.owners import SharedOwners
from indexfallback.store.shared.pages import SharedPages
from indexfallback.store.shared.pins import SharedPins
from indexfallback.store.shared.queue import Job, WriteQueue
from indexfallback.store.shared.seen import SharedSeen
from indexfallback.store.shared.terms import Terms
from indexfallback.store.shared.unshared import Owner, Unshared
from indexfallback.store.shared.waiting import WaitingRecords

log = logging.getLogger("indexfallback.store")

#: What waits for the bucket is tried again this often, seconds, as a breaker lets one request pass.
_RETRY_SECONDS = 10.0
#: The lists of names are read this often, seconds: a request that has not changed them is cheap.
_POLL_SECONDS = 60.0
#: At the end, the thread is waited for so long, seconds: a server that does not end is killed.
_END_SECONDS = 0.5


class Sharing:
    """What one shim shares with others; it ends with the store that it belongs to."""

    def __init__(self, terms: Terms, store: Store) -> None:
        """Share what ``store`` has; nothing is asked before `start`."""
        self.figures = Figures()
        self.link = Link(terms.bucket(self.figures), is_for_writing=terms.is_for_writing)
        self.unshared = Unshared(store.database)
        self.files = SharedFiles(self.link, store.blobs, self.figures)
        self.pins = SharedPins(self.link, self.unshared, self.figures)
        self.pages = SharedPages(self.link, store.pages, self.figures)
        self.times = SharedSeen(self.link, store.first_seen)
        self.owners = SharedOwners(
            self.link, store.ledger, self.unshared, SharedDisowned(self.link, store, terms.private)
        )
        self.accepted = SharedAcceptances(self.link, store.acceptances, self.unshared)
        self.waiting = WaitingRecords(
            store, self.unshared,
            pins=self.pins, owners=self.owners, accepted=self.accepted, figures=self.figures,
        )  # fmt: skip
        self.queue = WriteQueue(self._write, takes_writes=lambda: self.link.takes_writes)
        self._terms = terms
        self._store = store
        self._closing = False
        self._wake = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="shared-bucket", daemon=True)
        self._polled = float("-inf")

    @property
    def is_strict(self) -> bool:
        """Whether a file is served only once its pin is in the bucket (``strict_pins``)."""
        return self._terms.is_strict

    def start(self) -> None:
        """Begin to test the bucket, to write what waits, and to read the lists of names."""
        self._thread.start()

    # Files.

    def open(self, sha256: str, start: int) -> SharedFile | None:
        """Return a file from ``start`` on, or None if the bucket does not have it now."""
        return self.files.open(sha256, start)

    def has(self, sha256: str) -> bool:
        """Tell whether the bucket has a file now."""
        return self.files.has(sha256)

    def received(self, sha256: str, *, is_right: bool) -> None:
        """Note a file that came whole from the bucket; a wrong one is replaced."""
        self.files.received(sha256, is_right=is_right)

    def stored(self, sha256: str) -> None:
        """Let a file that was stored here be written to the bucket."""
        if self._terms.is_for_writing and not self.files.has_received(sha256):
            self.queue.add("file", sha256)

    # Pins.

    def pin(self, project: str, filename: str, key: str) -> Pin | None:
        """Return the pin of the bucket, or None if it has none or cannot be asked."""
        return self.pins.read(project, filename, key)

    def claim(self, pin: Pin, gives_way: frozenset[str]) -> Pin:
        """Return the pin that holds: this one, or another one of the bucket."""
        return self.pins.claim(pin, gives_way)

    def waits(self, project: str, filename: str) -> bool:
        """Tell whether a pin of this file name is not in the bucket yet."""
        if not self.link.has_conditions or self.unshared.has_pin(project, filename):
            return True
        is_dist = not filename.endswith(METADATA_ENDING)
        return is_dist and not self.link.is_for_writing and not self.pin(project, filename, "")

    def forget_pins(self, project: str, filename: str | None) -> None:
        """Remove the pins of a file name, or of a project; raises `BucketUnavailableError`."""
        self.pins.forget(project, filename)
        self.unshared.forget(project, filename)

    # Pages.

    def page(self, source: str, project: str, known: PageFacts | None) -> PageFacts | None:
        """Store the bucket's page if it is later than the ``known`` one, and return its facts."""
        return self.pages.fetch(source, project, known)

    def page_changed(self, source: str, project: str) -> None:
        """Let the page that is stored here, or its absence, be written to the bucket."""
        self.pages.changed(source, project)
        if self._terms.is_for_writing and _is_shared(source):
            self.queue.add("page", source, project)

    # First-seen times.

    def first_seen(self, source: str, project: str, *, again: bool) -> Seen | None:
        """Return what other shims have seen of a project, if they were not asked before."""
        return self.times.fetch(source, project, again=again) if _is_shared(source) else None

    def seen(self, source: str, project: str) -> None:
        """Tell the others that there is something new to them in the record of a project."""
        if self._terms.is_for_writing and _is_shared(source):
            self.queue.add("seen", source, project)

    # Owners.

    def has_served(self, source: str, project: str) -> float | None:
        """Return since when an index has owned a project, as other shims know it, or None."""
        return self.owners.has_served(source, project) if source in self._terms.private else None

    def served(self, source: str, project: str, since: float) -> None:
        """Tell the others that an index has served a project of its own."""
        self.owners.served(Owner(source, project, since))

    def listed(self, source: str) -> None:
        """Tell the others that the list of names of an index is here anew."""
        if self._terms.is_for_writing:
            self.queue.add("names", source)

    def forget_owners(self, project: str, sources: list[str]) -> None:
        """Remove what the bucket has of owners of a project; raises `BucketUnavailableError`."""
        self.owners.forget(project, sources, self._terms.private)

    def forget_index(self, source: str) -> None:
        """Remove names and pages of an index; raises `BucketUnavailableError`."""
        self.owners.forget_all(source)

    # Accepted releases.

    def accept(self, release: Acceptance) -> tuple[Acceptance, str]:
        """Accept a release on all shims; return its record, and why the bucket has it not yet."""
        return self.accepted.accept(release)

    def withdraw(self, project: str, version: str) -> bool:
        """Withdraw an accepted release; raises `BucketUnavailableError`."""
        return self.accepted.undo(project, version)

    def releases(self, project: str | None) -> tuple[list[tuple[Acceptance, bool]], str]:
        """Return the accepted releases, as `store.seam.Shared.releases` says."""
        return self.accepted.all(project)

    # The background.

    def _write(self, job: Job) -> bool:
        """Do a job of the queue; return False if the bucket cannot be asked now."""
        if not self.link.may_write:
            abilities = self.link.abilities
            return abilities is not None and abilities.reads and not abilities.may_pass
        kind, *rest = job
        if kind == "file":
            answer = self.files.share(*rest)
        elif kind == "page":
            answer = self.pages.share(*rest)
        elif kind == "seen":
            answer = self.times.share(*rest)
        else:
            answer = self.owners.share(*rest)
        return answer.outcome is not Outcome.UNREACHABLE

    def _run(self) -> None:
        while True:
            has_more = False
            try:
                with best_effort("share what waits for the bucket"):
                    has_more = self._once()
            except Exception:  # a defect with one record is not to end the sharing of all others
                log.exception("cannot share what waits for the bucket")
            with self._wake:
                if self._wake.wait_for(lambda: self._closing, 0 if has_more else _RETRY_SECONDS):
                    return

    def _once(self) -> bool:
        """Do what is due; return whether more may be done at once."""
        now = time.monotonic()
        is_due = now - self._polled > _POLL_SECONDS
        before = self.link.abilities
        if is_due or before is None or not before.reads or before.may_pass:
            self.link.examine()
        if self.link.may_write:
            self.queue.resume()
        if is_due and self.link.abilities is not None and self.link.abilities.reads:
            # First: what waits may have been disowned meanwhile. It is written in any case.
            with best_effort("learn what other shims know"):
                self.learn()
                self._polled = now
        return self.link.may_create and self.waiting.write(lambda: self._closing)

    def learn(self) -> None:
        """Learn which names others have disowned and listed, and which releases are accepted."""
        self.owners.poll_all(self._terms.private)
        self.accepted.poll()

    # Reports.

    def status(self) -> dict[str, Any]:
        """Return state and figures, as JSON."""
        bucket = self.link.bucket
        return {
            "url": str(self._terms.url),
            "endpoint": bucket.endpoint,
            "mode": "read-write" if self._terms.is_for_writing else "read",
            "strict_pins": self.is_strict,
            "state": self.link.state,
            "cause": self.link.cause,
            "breakers": {
                "reading": self.link.reading.state,
                "writing": self.link.writing.state,
            },
            "queue": len(self.queue),
            "dropped": self.queue.dropped,
            "waiting": self.unshared.count(),
            **self.figures.report(),
            "in_conflict": [conflict._asdict() for conflict in self.unshared.conflicts()],
        }

    def of_project(
        self, project: str, sources: Sequence[str], sha256s: Sequence[str]
    ) -> dict[str, Any]:
        """Return what came from the bucket of a project, its pages and files, as JSON."""
        times = [self.pages.received(source, project) for source in sources]
        return {
            "page": max((when for when in times if when is not None), default=None),
            "files": sum(map(self.files.has_received, sha256s)),
            "conflicts": [conflict._asdict() for conflict in self.unshared.conflicts(project)],
        }

    def close(self) -> None:
        """Write what can be written in a moment, and end."""
        with self._wake:
            self._closing = True
            self._wake.notify_all()
        self.queue.close()
        if self._thread.is_alive():
            self._thread.join(_END_SECONDS)


def _is_shared(source: str) -> bool:
    """Tell whether pages of an index are shared: what is at no HTTP address is read each time."""
    return source.startswith("http")
