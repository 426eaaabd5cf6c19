"""The log messages about an index: its health has changed, or it has failed in a new way."""

import logging

from indexfallback.chain.remedies import remedy_for
from indexfallback.config import Index
from indexfallback.health import Health, State
from indexfallback.outcome import TLS_KINDS, Outcome

log = logging.getLogger("indexfallback")


def log_change(index: Index, before: Health, after: Health, outcome: Outcome, now: float) -> None:
    """Log what an outcome has changed, with the remedy; ``now`` is on the clock of the health."""
    name, wait = index.name, after.until - now
    remedy = remedy_for(outcome.kind, index)
    if outcome.kind in TLS_KINDS and after.state is State.OPEN:
        log.error(
            "%s: %s; not asked for %.0f s, never without TLS. %s", name, outcome, wait, remedy
        )
    elif after.state is State.OPEN and before.state is State.CLOSED:
        log.warning("%s: unavailable (%s); skipped for %.0f s. %s", name, outcome, wait, remedy)
    elif after.state is State.CLOSED and before.state is not State.CLOSED:
        log.info("%s: up again after %.0f s", name, now - before.since)
    elif after.until > max(before.until, now):
        log.warning("%s: %s; left alone for %.0f s. %s", name, outcome, wait, remedy)
    elif outcome.is_unavailable:
        log.warning("%s: %s. %s", name, outcome, remedy)
