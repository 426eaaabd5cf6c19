"""Asks the database of advisories, if one is configured, for ``config check`` and ``doctor``."""

from contextlib import closing
from urllib.parse import urlsplit

from indexfallback.chain.network import Network
from indexfallback.chain.remedies import remedy_for
from indexfallback.config import Index, Settings
from indexfallback.doctor.machine import IndexCheck
from indexfallback.outcome import Kind

#: The name of the database in lists of indexes.
_NAME = "advisories"


def check_advisories(settings: Settings) -> IndexCheck | None:
    """Ask the database about a project that everybody installs; None without a database.

    A failure is a warning: installations go on without it.
    """
    url = settings.advisories
    if url is None:
        return None
    host = urlsplit(url).netloc
    if Network(settings).is_offline:
        return IndexCheck(_NAME, "skip", "not asked: offline", host=host)
    from indexfallback.upstream.osv import Osv  # noqa: PLC0415 - most users have none

    with closing(Osv(url, settings)) as database:
        outcome = database.check(settings.deadline)
    if outcome.kind is Kind.FOUND:
        return IndexCheck(_NAME, "ok", str(outcome), outcome.elapsed, host=host)
    remedy = "Correct advisories in [policy]: it is the address of a database with OSV's API."
    if outcome.kind not in (Kind.NOT_AN_INDEX, Kind.ABSENT, Kind.REFUSED):
        remedy = remedy_for(outcome.kind, Index(name=_NAME, url=url))
    what = f"{outcome}; installations go on without it"
    return IndexCheck(_NAME, "warn", what, outcome.elapsed, remedy, kind=outcome.kind, host=host)
