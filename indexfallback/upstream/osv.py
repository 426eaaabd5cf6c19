"""A database of advisories with OSV's API: which known vulnerabilities releases have.

It hears the names and versions that it is asked about, and nothing else. Source: OSV's API,
``POST /v1/querybatch`` and ``GET /v1/vulns/{id}``.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from urllib.parse import quote

from indexfallback.config import Index, Settings
from indexfallback.formats.advisories import (
    MOST,
    Advisory,
    Match,
    Release,
    merged,
    of_osv,
    osv_batch,
    osv_matches,
)
from indexfallback.outcome import Kind, Outcome
from indexfallback.upstream.answers import Limits, TransferError
from indexfallback.upstream.connection import Connection
from indexfallback.upstream.journey import Journey
from indexfallback.upstream.received import bounded
from indexfallback.upstream.responses import set_read_timeout

#: Bytes of one answer, decoded: a record has some KB, and an answer to a batch 100 bytes for each
#: vulnerability.
_MOST_BYTES = 8 * 1024**2
#: Seconds to connect, and between two bytes.
_CONNECT, _READ = 3.0, 10.0
#: The shortest timeout, seconds: zero would mean "do not block".
_SHORTEST = 0.001
#: Releases in one request: OSV takes 1,000.
BATCH = 200

#: Release to its advisories that are known from earlier answers.
Known = Mapping[Release, Sequence[Advisory]]


class AdvisoriesError(Exception):
    """The database could not be asked, or what it answered cannot be read."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.detail)
        self.outcome = outcome


class Osv:
    """The database at ``policy.advisories``."""

    def __init__(self, url: str, settings: Settings) -> None:
        self._url = url
        index = Index(name="advisories", url=f"{url}/", connect_timeout=_CONNECT)
        self._connection = Connection(
            index, settings.ca_bundle, settings.allow_hosts, settings.proxy
        )

    def ask(
        self, releases: Sequence[Release], known: Known, seconds: float
    ) -> dict[Release, tuple[Advisory, ...]]:
        """Return the advisories of at most `BATCH` releases, within so many seconds.

        A record that has not changed since ``known`` is not asked for again. Raises
        `AdvisoriesError`.
        """
        ends = time.monotonic() + seconds
        body = self._answer("/v1/querybatch", ends, osv_batch(releases))
        matches = osv_matches(body, len(releases))
        if matches is None:
            raise AdvisoriesError(Outcome(Kind.NOT_AN_INDEX, "not an answer of OSV's API"))
        records: dict[tuple[Match, str], Advisory | None] = {}
        found = {}
        for release, of_release in zip(releases, matches, strict=True):
            before = {Match(each.id, each.modified): each for each in known.get(release, ())}
            advisories = []
            for match in of_release[:MOST]:
                key = match, release.project
                if key not in records:
                    records[key] = before.get(match) or self._record(match, release.project, ends)
                advisories.append(records[key])
            found[release] = merged(advisories)
        return found

    def _record(self, match: Match, project: str, ends: float) -> Advisory | None:
        body = self._answer(f"/v1/vulns/{quote(match.id, safe='')}", ends)
        return of_osv(body, project)

    def check(self, seconds: float) -> Outcome:
        """Return whether it answers for a project that everybody installs."""
        began = time.monotonic()
        try:
            body = self._answer(
                "/v1/querybatch", began + seconds, osv_batch([Release("pip", "25.0")])
            )
        except AdvisoriesError as error:
            return error.outcome
        elapsed = time.monotonic() - began
        if osv_matches(body, 1) is None:
            return Outcome(Kind.NOT_AN_INDEX, "not an answer of OSV's API", elapsed=elapsed)
        return Outcome(Kind.FOUND, "answers", elapsed=elapsed)

    def _answer(self, path: str, ends: float, body: bytes | None = None) -> bytes:
        """Return the body of an answer, which must be whole by ``ends``, on the monotonic clock."""
        left = max(ends - time.monotonic(), _SHORTEST)
        headers = {"Accept": "application/json", "Accept-Encoding": "gzip, deflate"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        journey = Journey(
            headers,
            (min(_CONNECT, left), min(_READ, left)),
            method="GET" if body is None else "POST",
            body=body,
        )
        outcome, response = self._connection.ask(f"{self._url}{path}", journey)
        if response is None:
            raise AdvisoriesError(outcome)
        try:
            set_read_timeout(response, _READ)
            if outcome.kind is not Kind.FOUND:
                raise AdvisoriesError(outcome)
            return b"".join(bounded(response, Limits(ends, _MOST_BYTES)))
        except TransferError as error:
            raise AdvisoriesError(_of_answer(error.outcome)) from error
        finally:
            response.close()

    def close(self) -> None:
        """Close all connections."""
        self._connection.close()


def _of_answer(outcome: Outcome) -> Outcome:
    """Return the outcome of a body without the words for a page of an index."""
    if outcome.kind is Kind.NOT_AN_INDEX:
        return replace(outcome, detail=f"an answer of more than {_MOST_BYTES} bytes")
    return outcome
