"""The rule for what an archive may add without a question, and what it would change. Pure.

What is unknown here is added freely. These are changes of what is here:

- **Owner**: the project would come from other indexes than it does by what is known here. The
  roles and the order of the indexes are those of the configuration here. A name of an index that
  is not in the chain counts as owned by it, as it will be once the index is added as a private one.
- **Pin**: a file that has no pin here would get a sha256 that a page here contradicts.
- **Page**: a newer page lacks files of the page here, or has another content under the name of a
  file that a page or a pin here knows.

A page that adds files, yanks files or gives them more hashes is no change: that is what indexes do
to pages all the time, and what an archive of one's own grown cache contains. Removed files are a
change, although indexes remove files, too: the page of an older or a forged index looks the same.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Literal, NamedTuple

from indexfallback.chain.offer import refuses
from indexfallback.chain.question import candidates, claiming_groups
from indexfallback.config import Index
from indexfallback.names import METADATA_ENDING
from indexfallback.page import File, ProjectPage
from indexfallback.store.evidence import Evidence
from indexfallback.store.ownership import Ownership
from indexfallback.store.pins import Pin


class OwnerChange(NamedTuple):
    """A project would come from other indexes: names, or addresses if not in the chain."""

    project: str
    here: tuple[str, ...]
    archive: tuple[str, ...]
    kind: Literal["owner"] = "owner"


class PinChange(NamedTuple):
    """A file would be pinned to another sha256 than a page here lists."""

    project: str
    filename: str
    here: str
    archive: str
    kind: Literal["pin"] = "pin"


class PageChange(NamedTuple):
    """A page would lose files, or list other contents for files that are known here."""

    project: str
    #: The name of its index, or the address if that is not in the chain.
    index_name: str
    removed: tuple[str, ...]
    altered: tuple[str, ...]
    kind: Literal["page"] = "page"


#: A file name, and for metadata the sha256 of their distribution: each of two distributions of one
#: name has its own.
Subject = tuple[str, str]
#: All sha256 that are known of each.
Sha256s = Mapping[Subject, Sequence[str]]

Change = OwnerChange | PinChange | PageChange
#: Returns those of the changes that the user agrees to.
Consent = Callable[[Sequence[Change]], Collection[Change]]


def all_changes(changes: Sequence[Change]) -> Collection[Change]:
    """Agree to all changes."""
    return changes


def no_changes(_changes: Sequence[Change]) -> Collection[Change]:
    """Agree to no change."""
    return ()


def answering(chain: Sequence[Index], project: str, known: Evidence) -> frozenset[str]:
    """Return the groups that a project comes from, by what is known: the rules of `chain.policy`.

    Its owners, or the first index of the chain that has something of it. The address of an owner
    that is not in the chain is returned besides.
    """
    claiming = claiming_groups(chain, project)
    if claiming:
        return claiming
    indexes = {index.key: index for index in chain}
    unknown = frozenset(
        source
        for source, ownership in known.ownerships.items()
        if source not in indexes and ownership.is_owner(defers_copies=True)
    )
    owners = frozenset(
        index.group
        for source, ownership in known.ownerships.items()
        if (index := indexes.get(source)) is not None
        and index.is_private
        and ownership.is_owner(index.defer_copies)
    )
    if owners:
        return owners | unknown
    first = next((i.group for i in candidates(chain, project) if i.key in known.sources), None)
    return unknown if first is None else unknown | {first}


def owner_change(
    chain: Sequence[Index],
    project: str,
    known: Evidence,
    source: str,
    ownership: Ownership | None,
) -> OwnerChange | None:
    """Return the change if the index at ``source`` gets a page of ``project``, or ``ownership``."""
    if ownership is None:
        added = known._replace(sources=known.sources | {source})
    else:
        merged = ownership.merged(known.ownerships.get(source, Ownership()))
        added = known._replace(ownerships={**known.ownerships, source: merged})
    if added == known:
        return None
    before, after = answering(chain, project, known), answering(chain, project, added)
    if not before or before == after:
        return None
    return OwnerChange(project, tuple(sorted(before)), tuple(sorted(after)))


def sha256s(pages: Iterable[ProjectPage]) -> Sha256s:
    """Return the sha256 that pages of one group list for files and their metadata.

    A later page counts more: that of the public index is the last one.
    """
    found: dict[Subject, list[str]] = {}
    for page in pages:
        of_page: dict[Subject, list[str]] = {}
        for file in page.files:
            for subject, sha256 in _listed(file):
                of_page.setdefault(subject, []).append(sha256)
        found |= of_page
    return found


def subject(pin: Pin) -> Subject:
    """Return what a pin is about."""
    return pin.filename, pin.key if pin.filename.endswith(METADATA_ENDING) else ""


def _listed(file: File) -> Iterator[tuple[Subject, str]]:
    if file.sha256 is not None:
        yield (file.filename, ""), file.sha256
    metadata = file.core_metadata
    if isinstance(metadata, dict) and "sha256" in metadata:
        yield (file.filename + METADATA_ENDING, file.sha256 or ""), metadata["sha256"]


def agrees(pin: Pin, known: Sequence[Pin], listed: Iterable[Sha256s]) -> bool:
    """Tell whether a new pin may stand beside those ``known`` here of the same subject.

    ``listed`` is what pages here list: as on a page, one file of a name proves another beside it.
    """
    if not known or any(pin.sha256 == each.sha256 for each in known):
        return True
    of_pages = (hashes.get(subject(pin), ()) for hashes in listed)
    return any(pin.sha256 in stated and not refuses(known, stated) for stated in of_pages)


def pin_change(pin: Pin, listed: Iterable[Sha256s]) -> PinChange | None:
    """Return the change if a new pin contradicts what one of the groups lists (`sha256s`)."""
    for hashes in listed:
        here = hashes.get(subject(pin), (pin.sha256,))
        if pin.sha256 not in here:
            return PinChange(pin.project, pin.filename, here[0], pin.sha256)
    return None


def page_change(
    index_name: str, before: ProjectPage | None, after: ProjectPage, known: Sha256s
) -> PageChange | None:
    """Return the change if a page ``before`` of an index, None if it has none, becomes ``after``.

    ``known`` are the sha256 of files by the pins and the other pages of the index's group.
    """
    old, new = _by_name(before.files if before is not None else ()), _by_name(after.files)
    # A name may be there several times, and each of its entries counts.
    altered = {
        file.filename: None
        for file in after.files
        if (
            all(_differs(each, file) for each in old[file.filename])
            if file.filename in old
            else _contradicts(file, known)
        )
    }
    removed = {
        name
        for name, files in old.items()
        if name not in altered and not all(_is_among(file, new.get(name, ())) for file in files)
    }
    if not removed and not altered:
        return None
    return PageChange(after.name, index_name, tuple(sorted(removed)), tuple(altered))


def _by_name(files: Iterable[File]) -> dict[str, list[File]]:
    found: dict[str, list[File]] = {}
    for file in files:
        found.setdefault(file.filename, []).append(file)
    return found


def _is_among(file: File, files: Iterable[File]) -> bool:
    return any(not _differs(file, each) for each in files)


def _differs(before: File, after: File) -> bool:
    """Tell whether a file, or its metadata, need no longer have the content that it had.

    Every hash must stay. A file without hashes must stay at its address.
    """
    metadata = before.core_metadata, after.core_metadata
    if isinstance(metadata[0], dict) and metadata[1] is not False:
        stated = metadata[1] if isinstance(metadata[1], dict) else {}
        if not metadata[0].items() <= stated.items():
            return True
    if not before.hashes:
        return after.url != before.url
    return not before.hashes.items() <= after.hashes.items()


def _contradicts(file: File, known: Sha256s) -> bool:
    return any(sha256 not in known.get(about, (sha256,)) for about, sha256 in _listed(file))
