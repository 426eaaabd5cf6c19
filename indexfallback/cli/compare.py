"""Finds projects of the public index in private ones, for ``check``, ``doctor`` and ``init``.

The public index is asked about names of a private one only if the user has agreed to that.
"""

import random
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from functools import partial

from indexfallback.chain.network import Network
from indexfallback.cli.opening import open_store
from indexfallback.config import Index, Settings
from indexfallback.doctor.copies import Judgement, Names, Relation, judge, relation, sample
from indexfallback.errors import StoreError
from indexfallback.flight import run_within
from indexfallback.hosted.opening import open_any
from indexfallback.outcome import Kind
from indexfallback.store import Store
from indexfallback.upstream.answers import Limits, Upstream
from indexfallback.upstream.facts import Facts, Stamp

#: Requests at once to each index, as a client would make them.
_AT_ONCE = 4
#: Seconds in which ``init`` reads the lists of names, while its user waits.
_LISTS_SECONDS = 5.0

#: The names of private indexes.
Lists = Mapping[Index, frozenset[str]]


class NoFacts:
    """Records nothing about local files: a check opens no store for them."""

    def get(self, path: str, stamp: Stamp) -> Facts | None:  # noqa: ARG002 - the protocol's
        """Return None."""
        return None

    def put(self, path: str, stamp: Stamp, facts: Facts) -> None:
        """Do nothing."""


def public_index(settings: Settings) -> Index | None:
    """Return the index that private ones are compared with, or None."""
    return next((index for index in settings.indexes if index.role == "public"), None)


def lists_of(settings: Settings) -> Lists:
    """Ask the private indexes for their lists of names, concurrently; one that fails has none."""
    asked = [index for index in settings.indexes if _may_have_copies(index)]
    if not asked or Network(settings).is_offline:
        return {}
    ends = time.monotonic() + min(settings.deadline, _LISTS_SECONDS)
    with ExitStack() as stack, ThreadPoolExecutor(len(asked)) as pool:
        upstreams = [_opened(index, settings, stack) for index in asked]
        names = pool.map(partial(_list_of, limits=Limits(ends, settings.page_size)), upstreams)
        return dict(zip(asked, names, strict=True))


def _may_have_copies(index: Index) -> bool:
    return index.is_private and not index.is_directory and not index.only


def _opened(index: Index, settings: Settings, stack: ExitStack) -> Upstream:
    upstream = open_any(index, settings, NoFacts())
    stack.callback(upstream.close)
    return upstream


def _list_of(upstream: Upstream, limits: Limits) -> frozenset[str]:
    try:
        seconds = limits.ends - time.monotonic()
        answer = run_within(lambda: upstream.names(limits), seconds, "names")
    except TimeoutError:
        return frozenset()
    return frozenset(answer.names)


def judged(settings: Settings, lists: Lists, *, compare: bool) -> dict[Index, Judgement]:
    """Return a judgement on the names of each private index that needs one.

    With ``compare`` the public index is asked for some of them, which the user has agreed to.
    """
    public = public_index(settings)
    private = [index for index in settings.indexes if _may_have_copies(index)]
    if public is None or not private:
        return {}
    known = _known_here(settings, private, public, lists)
    if compare and not Network(settings).is_offline:
        known = [_compared(settings, names, public) for names in known]
    found = {names.index: judge(names) for names in known}
    return {index: judgement for index, judgement in found.items() if judgement is not None}


def _known_here(
    settings: Settings, private: Iterable[Index], public: Index, lists: Lists
) -> list[Names]:
    """Return what is known from the lists and the cache."""
    bare = [Names(index, public.name, lists.get(index, frozenset())) for index in private]
    if not settings.cache_dir.is_dir():
        return bare
    with suppress(StoreError), open_store(settings) as store:  # `doctor` reports the cache itself
        return [_with_cached(store, names, public) for names in bare]
    return bare


def _with_cached(store: Store, names: Names, public: Index) -> Names:
    """Add the cached names of an index and of the public one, and compare the projects of both."""
    key = names.index.key
    listed = names.listed | set(store.ledger.names(key))
    known_public = listed & set(store.pages.names([public.key]))
    compared = {}
    for project in sorted(known_public.intersection(store.pages.names([key]))):
        page, other = store.pages.load(key, project), store.pages.load(public.key, project)
        if page is not None and other is not None and page.files:
            compared[project] = relation(page, other)
    return Names(names.index, names.public, listed, known_public, compared)


def _compared(settings: Settings, names: Names, public: Index) -> Names:
    """Compare a sample of the names with the public index."""
    chosen = sample(names, random.Random().sample)  # noqa: S311 - no secret
    ends = time.monotonic() + settings.deadline
    limits = Limits(ends, settings.page_size)
    with ExitStack() as stack, ThreadPoolExecutor(_AT_ONCE) as pool:
        own, other = _opened(names.index, settings, stack), _opened(public, settings, stack)
        asked = pool.map(partial(_relation_within, own=own, other=other, limits=limits), chosen)
        found = {name: kind for name, kind in zip(chosen, asked, strict=True) if kind is not None}
    compared = {**names.compared, **found}
    return Names(
        names.index, names.public, names.listed, names.known_public, compared, was_asked=True
    )


def _relation_within(
    project: str, *, own: Upstream, other: Upstream, limits: Limits
) -> Relation | None:
    """Ask both indexes for a project, within the limits; None if one does not answer in time."""
    seconds = limits.ends - time.monotonic()
    if seconds <= 0:
        return None
    try:
        return run_within(lambda: _relation_of(project, own, other, limits), seconds, "compare")
    except TimeoutError:
        return None


def _relation_of(project: str, own: Upstream, other: Upstream, limits: Limits) -> Relation | None:
    page = own.page(project, limits, None, None).page
    if page is None or not page.files:
        return None
    answer = other.page(project, limits, None, None)
    if answer.page is None and answer.outcome.kind is not Kind.ABSENT:
        return None
    return relation(page, answer.page)
