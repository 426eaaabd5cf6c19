"""Answers for projects' pages: one walk down the chain for all that ask for the same.

Locks: ``Fallback._lock`` guards ``renewals``; nothing is read, written or asked while it is held.
Pages asked for at the same time share one walk.
"""

import logging
import threading
import time
from contextlib import suppress
from typing import NamedTuple

from indexfallback.chain.activity import Activity
from indexfallback.chain.answer import Answer, AnswerBuilder
from indexfallback.chain.asking import RESERVE, Asker
from indexfallback.chain.cooling import Cooling
from indexfallback.chain.members import Members
from indexfallback.chain.name_lists import NameLists
from indexfallback.chain.network import Network
from indexfallback.chain.probe import Prober
from indexfallback.chain.question import PageRequest
from indexfallback.chain.questions import Questions
from indexfallback.chain.refusals import Refusals
from indexfallback.chain.walk import Walker
from indexfallback.config import Settings
from indexfallback.errors import ProjectError, ProjectUnavailableError
from indexfallback.flight import SingleFlight
from indexfallback.memory.table import Table, weight
from indexfallback.store import Store
from indexfallback.upstream.answers import ClientLogin
from indexfallback.words import left_out

log = logging.getLogger("indexfallback")

#: An answer is repeated without looking at the store for this long, seconds.
REPEAT_SECONDS = 1.0
#: Bytes of a page in memory, about, and of each of its files: its name, address, hashes and times.
_PAGE, _FILE = 1000, 1300


class _Key(NamedTuple):
    """All that an answer depends on, but for time."""

    request: PageRequest
    #: Nobody has asked for it yet. Clients share what such a walk has found, but not its failure:
    #: its deadline is not theirs.
    ahead: bool
    #: Changes of the offline state: an answer from before does not hold.
    changes: int
    #: Changes of the ledger: the name may belong to a private index now.
    learnt: int
    #: Answers that were asked for again: one from before does not hold. None while asking again.
    renewals: int | None


def _cost(answer: Answer) -> int:
    """Return about how many bytes an answer takes: most of them are its pages."""
    pages = {id(page): page for page in (answer.page, answer.corrected)}
    return sum(_PAGE + _FILE * len(page.files) for page in pages.values())


class Fallback:
    """Answers for projects, from one chain and one store."""

    def __init__(
        self, settings: Settings, store: Store, members: Members, network: Network
    ) -> None:
        self.settings = settings
        self.store = store
        self.members = members
        self.network = network
        self.activity = Activity()
        self.refusals = Refusals(store)
        self.cooling = Cooling(settings, store, network)
        #: How long an answer may be repeated, seconds. What was just put into a directory or a
        #: bucket is wanted at once.
        is_read = any(index.is_read_each_time for index in settings.indexes)
        self.repeat_seconds = 0.0 if is_read else REPEAT_SECONDS
        self._flights: SingleFlight[_Key, Answer] = SingleFlight()
        self._lock = threading.Lock()
        self._answers: Table[_Key, tuple[float, Answer]] = Table(
            "chain.fallback.Fallback._answers", lambda key, kept: weight(key) + _cost(kept[1])
        )
        #: Counts the answers that were asked for again: what repeats earlier ones is out of date.
        self.renewals = 0
        self._asker = Asker(settings, store, members)
        self._prober = Prober(members, store, settings)
        name_lists = NameLists(settings, store, members)
        self._questions = Questions(
            settings,
            store,
            members=members,
            network=network,
            asker=self._asker,
            name_lists=name_lists,
        )
        self._walker = Walker(
            store,
            members,
            questions=self._questions,
            asker=self._asker,
            builder=AnswerBuilder(settings, store, self.refusals),
            before=(name_lists.refresh, self._prober.wake),
        )

    def page(
        self,
        project: str,
        index: str | None = None,
        *,
        first: str | None = None,
        login: ClientLogin | None = None,
        again: bool = False,
        reload: bool = False,
    ) -> Answer:
        """Return the answer for a normalised project, by the whole chain or by one index.

        ``first`` names an index that is asked before the others of its group, whose page is served
        only if that one cannot be asked. With a client's ``login`` the answer is for it alone.

        With ``again`` the indexes are asked whatever is fresh, by requests with validators, and
        with ``reload`` by requests without: that a page has not changed says nothing of addresses
        and logins in its links that have expired or are not known here. Both kinds of requests
        begin after this call; equal calls share them. Raises `ProjectNotFoundError` or
        `ProjectUnavailableError`, within the deadline.
        """
        key = self._key(PageRequest(project, index, first, login, again or reload, reload))
        answer = self._repeated(key)
        if answer is not None:
            return answer
        began = time.monotonic()
        ends = began + self.settings.deadline * (1 - RESERVE)
        ahead = self._found_by_others(key._replace(ahead=True), ends)
        try:
            answer = ahead or self._shared_walk(key, ends)
        except ProjectError as error:
            self.activity.failed(project, error)
            # A project that does not exist is an answer; one that cannot be asked for is a failure.
            level = logging.WARNING if isinstance(error, ProjectUnavailableError) else logging.DEBUG
            # During an outage each project's message says the same.
            same = f"not available by {error.decided_by}" if error.decided_by else ""
            log.log(level, "%s", error, extra={"repeats": same})
            raise
        waited = time.monotonic() - began
        nothing = "" if answer.page.files else left_out(answer.page.dropped)
        how = self.activity.served(project, answer.owner.name, answer.how, waited, nothing)
        log.debug("%s: from %s, %s, %.0f ms", project, answer.owner.name, how, waited * 1000)
        if ahead is None:
            self._keep(key, answer)
        return answer if answer.how == how else answer._replace(how=how)

    def page_ahead(self, request: PageRequest) -> Answer:
        """Return the answer that `page` would, before a client asks for it, and note nothing.

        It was ``asked`` for if no client has asked for it meanwhile. Raises as `page`.
        """
        of_clients = self._key(request)
        key = of_clients._replace(ahead=True)
        ends = time.monotonic() + self.settings.deadline * (1 - RESERVE)
        found = self._found_by_others(of_clients, ends)
        answer = found or self._shared_walk(key, ends)
        held = answer._replace(how="fresh") if answer.how == "asked" else answer
        self._keep(key, held)
        return held if found is not None else answer

    def _found_by_others(self, key: _Key, ends: float) -> Answer | None:
        """Return what others have found for a key, or are looking for; None without an answer."""
        try:
            return self._repeated(key) or self._flights.join(key, ends - time.monotonic())
        except (ProjectError, TimeoutError):  # a walk of one's own has a deadline of its own
            return None

    def _key(self, request: PageRequest) -> _Key:
        first = self.settings.index(request.first) if request.first is not None else None
        if first is not None and len(self.settings.group(first.group)) == 1:
            request = request._replace(first=None)  # it is the first one anyway
        return _Key(
            request,
            ahead=False,
            changes=self.network.changes,
            learnt=self.store.ledger.changes,
            renewals=None if request.again else self.renewals,
        )

    def _repeated(self, key: _Key) -> Answer | None:
        """Return an answer of the last second, if there is one."""
        kept = self._answers.get(key)
        return kept[1] if kept is not None and time.monotonic() < kept[0] else None

    def _keep(self, key: _Key, answer: Answer) -> None:
        """Keep an answer for equal requests; one that was asked for again is for all others."""
        request = key.request
        with self._lock:
            if request.again:
                self.renewals += 1
                request = request._replace(again=False, reload=False)
                key = key._replace(request=request, renewals=self.renewals)
        # A login must not outlive its request.
        if self.repeat_seconds and request.login is None:
            self._answers.put(key, (time.monotonic() + self.repeat_seconds, answer))

    def _shared_walk(self, key: _Key, ends: float) -> Answer:
        """Walk down the chain, once for all that ask for the same at the same time."""
        try:
            return self._flights.run(
                key,
                lambda: self._walk(key.request, ends),
                self.settings.deadline,
                anew=key.request.again,
            )
        except TimeoutError:
            late = "the answer did not come within the deadline"
            raise ProjectUnavailableError(key.request.project, (), late, "Run again.") from None

    def _walk(self, request: PageRequest, ends: float) -> Answer:
        """Walk down the chain, and have stored what the cooldown of the answer depends on."""
        answer = self._walker.walk(request, ends)
        authority = self.cooling.times_from(answer.owner, answer.page)
        if authority is not None and answer.offline is None:
            with suppress(ProjectError):  # then it counts when a file is first seen
                self._walker.walk(PageRequest(answer.project, authority.name), ends)
        return answer

    def forget(self, project: str) -> None:
        """Forget what is in memory of a project, after its records were removed."""
        self._answers.remove_all(lambda key: key.request.project == project)
        self._asker.forget(project)

    def close(self) -> None:
        """Stop what runs in the background."""
        self._prober.close()

    def is_foreign(self, project: str, group: str) -> bool:
        """Tell whether a project is known to belong to another group than ``group``."""
        return self._questions.is_foreign(project, group)

    def foreign(self, project: str, group: str) -> ProjectError | None:
        """Return the error if a project is known to belong to another group than ``group``."""
        if not self.is_foreign(project, group):
            return None
        try:
            self.page(project, group)
        except ProjectError as error:
            return error
        return None
