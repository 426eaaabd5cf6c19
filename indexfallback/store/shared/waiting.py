"""Writes the records that wait for the bucket, and follows the pins that it has meanwhile."""

import logging
from collections.abc import Callable

from indexfallback.store import Store
from indexfallback.store.acceptances import Acceptance
from indexfallback.store.pins import Pin
from indexfallback.store.shared.accepted import SharedAcceptances
from indexfallback.store.shared.answers import Outcome
from indexfallback.store.shared.breaker import MOST_FAILURES
from indexfallback.store.shared.figures import Figures
from indexfallback.store.shared.owners import SharedOwners
from indexfallback.store.shared.pins import SharedPins
from indexfallback.store.shared.unshared import Owner, Unshared, conflict_of

log = logging.getLogger("indexfallback.store")


class WaitingRecords:
    """The records of a store that the bucket does not have yet."""

    def __init__(
        self,
        store: Store,
        unshared: Unshared,
        *,
        pins: SharedPins,
        owners: SharedOwners,
        accepted: SharedAcceptances,
        figures: Figures,
    ) -> None:
        self._store = store
        self._unshared = unshared
        self._pins = pins
        self._owners = owners
        self._accepted = accepted
        self._figures = figures

    def write(self, is_closing: Callable[[], bool]) -> bool:
        """Write what waits; where the bucket has another pin, give up the one of this shim.

        Returns whether something was written, and the bucket takes more.
        """
        written = failed = 0
        for record in self._unshared.all():
            # One may fail for a reason of its own, as a damaged object.
            if is_closing() or failed >= MOST_FAILURES:
                return False
            is_done = self._write(record)
            failed = 0 if is_done else failed + 1
            if is_done:
                self._unshared.remove(record)
                written += 1
        return written > 0

    def _write(self, record: Pin | Owner | Acceptance) -> bool:
        if isinstance(record, Owner):
            return self._owners.mark(record) is not Outcome.UNREACHABLE
        if isinstance(record, Acceptance):
            return self._accepted.share(record).outcome in (Outcome.FOUND, Outcome.EXISTS)
        return self._reconcile(record)

    def _reconcile(self, pin: Pin) -> bool:
        held = self._pins.reconcile(pin)
        if held is not None and held.sha256 != pin.sha256:
            self._give_up(pin, held)
        return held is not None

    def _give_up(self, pin: Pin, held: Pin) -> None:
        """Quarantine the file of a pin that another shim's contradicts, and follow that one."""
        self._unshared.note(conflict_of(pin, held))
        self._figures.count("conflicts")
        self._store.pins.follow(pin, held)
        self._store.blobs.quarantine(pin.sha256)
        log.error(
            "%s of %s was served here as sha256 %s while the shared bucket could not be asked; "
            "another shim had pinned %s before: the file is in quarantine, and clients that have "
            "installed it are to install it again (see `indexfallback why %s`)",
            pin.filename, pin.project, pin.sha256, held.sha256, pin.project,
        )  # fmt: skip
