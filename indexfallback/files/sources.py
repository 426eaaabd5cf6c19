"""Where a file can be fetched: each index of the owner's group whose page lists the same file.

Metadata files are at the index if its page says so, and in parts of the wheel in any case.
"""

import logging
from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import urlsplit

import msgspec

from indexfallback.chain.fallback import Fallback
from indexfallback.chain.members import Member
from indexfallback.errors import FileUnavailableError, ProjectError, ProjectUnavailableError
from indexfallback.files.failures import Failure
from indexfallback.files.parts import open_metadata
from indexfallback.names import METADATA_ENDING, FileKey
from indexfallback.outcome import LOGIN_KINDS, Kind, Outcome
from indexfallback.page import File, ProjectPage
from indexfallback.upstream.answers import ClientLogin, FileAnswer, Upstream

log = logging.getLogger("indexfallback")

#: Failures which mean that a file is not, or no longer, at its address.
EXPIRED_KINDS = LOGIN_KINDS | {Kind.ABSENT, Kind.REFUSED}


class Source(NamedTuple):
    """One index and the file as its page lists it."""

    member: Member
    file: File
    #: For metadata that is read from parts of a wheel: that wheel. Its address is that of the file.
    wheel: File | None = None
    #: The client's login for the file's origin.
    login: ClientLogin | None = None

    @property
    def upstream(self) -> Upstream:
        """The upstream that the file is asked of."""
        upstream = self.member.upstream
        return upstream if self.login is None else upstream.with_login(self.login)

    def held(self, now: float) -> Outcome | None:
        """Return the outcome that replaces an answer while the index must not be asked; else None.

        ``now`` is on the monotonic clock.
        """
        held = self.member.held(now, has_login=self.login is not None)
        if not held:
            return None
        health = self.member.health
        wanting = health.trouble if health.wants_login else None
        return Outcome(wanting or Kind.UNREACHABLE, held)

    def learn(self, outcome: Outcome) -> None:
        """Report the outcome of a request for the file to the index's health."""
        # Another host with its files says nothing about the health of the index.
        if self.is_at_index:
            self.member.learn_of_file(outcome)

    def open(self, offset: int, etag: str | None, patience: float) -> FileAnswer:
        """Ask for the file's bytes, as `Upstream.open` does."""
        if self.wheel is not None:
            return open_metadata(self.upstream, self.wheel, patience)
        return self.upstream.open(self.file, offset, etag, patience)

    @property
    def is_at_index(self) -> bool:
        """Whether the file is on the index's own host."""
        return urlsplit(self.file.url)[:2] == urlsplit(self.member.index.url)[:2]


class _Wanted(NamedTuple):
    #: The distribution that the page lists.
    listed: str
    #: The distribution itself, or its metadata file.
    filename: str
    #: Of the distribution, if known.
    sha256: str | None

    def on(self, page: ProjectPage) -> "_Wanted":
        """Return what is wanted with the sha256 of the file that the page lists."""
        file = page.file(self.listed, self.sha256)
        return self._replace(sha256=self.sha256 or (file.sha256 if file is not None else None))


class _Troubles:
    """Why indexes could not be asked for their pages."""

    def __init__(self, failures: list[Failure]) -> None:
        self._failures = failures
        self._of_each: list[ProjectUnavailableError | None] = []

    def note(self, member: Member, error: ProjectUnavailableError | None) -> None:
        """Note the result of one index: its page is known if there is no error."""
        self._of_each.append(error)
        if error is not None:
            outcome = Outcome(Kind.UNREACHABLE, error.cause)
            self._failures.append(Failure(member.index.name, outcome))

    def of_all(self) -> ProjectUnavailableError | None:
        """Return the first error if no index could be asked."""
        return self._of_each[0] if all(self._of_each) and self._of_each else None


def find_sources(  # noqa: PLR0917 - what an address says, and where failures are noted
    fallback: Fallback,
    owner: str,
    project: str,
    filename: str,
    sha256: str | None,
    failures: list[Failure] | None = None,
) -> Iterator[Source]:
    """Yield the sources of a file, best first; each is looked up when it is needed.

    ``owner`` is the index or the group in the file's address; ``sha256`` is that of the
    distribution, or None. Without a hash only the first index that lists the file is a source:
    another one may list other bytes under the same name. Indexes that could not be asked are added
    to ``failures``.

    Raises:
        FileUnavailableError: No index could be asked whether it lists the file.

    """
    wanted = _Wanted(filename.removesuffix(METADATA_ENDING), filename, sha256)
    later: list[Source] = []
    # For each index why it could not be asked, or None if its page is known.
    troubles = _Troubles([] if failures is None else failures)
    for member, page in _pages_with(wanted, fallback, owner, project, troubles):
        found = _sources(member, page, wanted)
        if not found:  # it lists another file of the name than the sources before it
            continue
        yield found[0]
        later += found[1:]
        if not found[0].file.hashes and sha256 is None:
            break
        wanted = wanted.on(page)
    yield from later
    trouble = troubles.of_all()
    if trouble is not None:
        raise FileUnavailableError(filename, trouble.cause, trouble.remedy)


def _pages_with(
    wanted: _Wanted, fallback: Fallback, owner: str, project: str, troubles: _Troubles
) -> Iterator[tuple[Member, ProjectPage]]:
    """Yield each index whose page lists the file: first the stored pages, then those to ask for."""
    later: list[Member] = []
    for member in _ordered(fallback, owner, project):
        page = fallback.store.pages.load(member.index.key, project)
        if page is not None:
            troubles.note(member, None)
        if page is not None and page.file(wanted.listed, wanted.sha256) is not None:
            yield member, page
        elif fallback.network.is_offline:
            continue
        elif member.index.pages == "authority":
            yield from _ask(wanted, fallback, member, project, troubles)
        else:
            later.append(member)
    for member in later:
        yield from _ask(wanted, fallback, member, project, troubles)


def renewed(fallback: Fallback, source: Source, project: str, sha256: str | None) -> Source | None:
    """Ask a source's page anew, and return the file as it lists it now.

    Addresses of files may be signed and expire, which their pages do not say, and the logins in
    links are not stored. None is returned if the page cannot be asked, does not list the file any
    more, or has its link as before and without a login.
    """
    index, filename = source.member.index, source.file.filename
    before = fallback.store.pages.facts(index.key, project)
    try:
        answer = fallback.page(project, index.name, reload=True)
    except ProjectError as error:
        log.info("%s: the page that lists %s cannot be asked: %s", index.name, filename, error)
        return None
    if answer.how != "asked":
        return None
    listed = filename.removesuffix(METADATA_ENDING)
    found = _sources(source.member, answer.page, _Wanted(listed, filename, sha256))
    new = next((each for each in found if bool(each.wheel) == bool(source.wheel)), None)
    is_same_page = before is not None and before.digest == answer.digest
    if new is None:
        return None
    if is_same_page and new.file.url == source.file.url:
        # The login may be unknown since a restart, or another one since.
        return source if source.member.upstream.link_login(new.file) else None
    return new


def authority_sha256(fallback: Fallback, source: Source, key: FileKey) -> str | None:
    """Return the sha256 that the public index states for a file of its mirror; None if it cannot.

    ``key`` is that of the file's address. The page is asked for if it is not cached: a mirror's
    bytes that no hash tells of may be cut short, or another file.
    """
    group = source.member.index.group
    if source.member.index.name == group or fallback.network.is_offline:
        return None
    listed = source.file.filename.removesuffix(METADATA_ENDING)
    try:
        page = fallback.page(key.project, group).page
    except ProjectError as error:
        log.info("%s cannot be asked for the sha256 of %s: %s", group, source.file.filename, error)
        return None
    authority = fallback.members[group]
    found = _sources(authority, page, _Wanted(listed, source.file.filename, key.sha256))
    return found[0].file.sha256 if found else None


def _ordered(fallback: Fallback, owner: str, project: str) -> list[Member]:
    """Return the group: mirrors that only serve bytes first, then by the age of their page."""
    group = fallback.members.group(owner)
    if len(group) == 1:
        return group
    known = fallback.store.pages.facts_of([member.index.key for member in group], project)

    def rank(member: Member) -> tuple[bool, float]:
        facts = known.get(member.index.key)
        return member.index.pages != "authority", -facts.checked if facts is not None else 0.0

    return sorted(group, key=rank)


def _ask(
    wanted: _Wanted, fallback: Fallback, member: Member, project: str, troubles: _Troubles
) -> Iterator[tuple[Member, ProjectPage]]:
    try:
        page = fallback.page(project, member.index.name).page
    except ProjectError as error:
        troubles.note(member, error if isinstance(error, ProjectUnavailableError) else None)
        log.info("%s is no source of %s: %s", member.index.name, wanted.filename, error)
        return
    troubles.note(member, None)
    if page.file(wanted.listed, wanted.sha256) is not None:
        yield member, page


def _sources(member: Member, page: ProjectPage, wanted: _Wanted) -> list[Source]:
    """Return how an index has the wanted file if its page lists it, best first.

    A metadata file has an address of its own where the page says so, else that of its wheel.
    """
    listed = page.file(wanted.listed, wanted.sha256)
    if listed is None:
        return []
    if wanted.listed == wanted.filename:
        return [Source(member, listed)]
    stated = listed.core_metadata
    hashes = stated if isinstance(stated, dict) else {}
    found = []
    if stated is not False:
        found.append(Source(member, _metadata_file(listed, listed.metadata_url, hashes)))
    if listed.filename.endswith(".whl"):
        found.append(Source(member, _metadata_file(listed, listed.url, hashes), listed))
    return found


def _metadata_file(listed: File, url: str, hashes: dict[str, str]) -> File:
    filename = listed.filename + METADATA_ENDING
    return msgspec.structs.replace(listed, filename=filename, url=url, hashes=hashes, size=None)
