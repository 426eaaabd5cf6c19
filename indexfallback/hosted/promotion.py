"""Promotion: a release of one hosted index is published in another, the same bytes by hash.

All of its files are copied with their attestations, or none. In the new index, the release has the
time of the promotion. A yanked release is not promoted.
"""

from collections.abc import Generator
from contextlib import ExitStack, closing
from typing import NamedTuple

from packaging.version import Version

from indexfallback.errors import PromotionError
from indexfallback.formats.provenance import ProvenanceError, checked
from indexfallback.hosted.index import HostedIndex, version_of
from indexfallback.hosted.permit import Permit
from indexfallback.hosted.publication import Received
from indexfallback.hosted.receiving import Incoming, failed
from indexfallback.names import PROVENANCE_ENDING
from indexfallback.page import File
from indexfallback.store.events import Event
from indexfallback.upstream.answers import TransferError

#: Before the name of the source, in the detail of an event.
_FROM = "from "
#: Bytes of a provenance object that are read: more than shims fetch, so a longer one is not valid.
_LONGEST = 1 << 20


class Promoted(NamedTuple):
    """A file of a promoted release."""

    filename: str
    sha256: str
    #: Whether the target had it with the same content.
    was_there: bool


def promote(
    source: HostedIndex, target: HostedIndex, project: str, version: Version, permit: Permit
) -> list[Promoted]:
    """Publish a release of ``source`` in ``target``, and return its files.

    Raises:
        PromotionError: ``source`` does not have the release, or has yanked it, or is ``target``.
        UploadRefusedError: the project belongs to another index, or a file is not valid.
        UploadExistsError: ``target`` has another file of a name, or another spelling of the name.
        UploadForbiddenError: the permit is not for the project.
        UploadFailedError: ``target`` cannot be written.

    """
    files = _to_promote(source, target, project, version)
    there = {file.filename: file.sha256 for file in target.files(project)}
    known = [f for f in files if f.sha256 is not None and there.get(f.filename) == f.sha256]
    promoted = [Promoted(file.filename, file.sha256 or "", was_there=True) for file in known]
    new = [file for file in files if file not in known]
    if new:
        detail = f"{_FROM}{source.index.name}"
        number = version_of(new[0], project)  # as its files spell it
        event = target.event("promoted", project, str(number), permit.actor, detail)
        promoted += _copied(source, target, new, event, permit)
    # Else it would belong to one of the two alone, and the other could not serve or take any more.
    for index in (source, target):
        index.own(project)
    return sorted(promoted)


def source_of(event: Event) -> str:
    """Return the name of the index that a promotion was from."""
    return event.detail.removeprefix(_FROM)


def _to_promote(
    source: HostedIndex, target: HostedIndex, project: str, version: Version
) -> list[File]:
    """Return the files of a release; raises `PromotionError`."""
    release = f"{project} {version}"
    if source is target:
        raise PromotionError(release, "from and to are the same index", "Name two indexes")
    files = source.files_of(project, version)
    if not files:
        raise PromotionError(release, source.without(project, version), "Upload it there")
    if any(file.yanked for file in files):
        raise PromotionError(
            release, f"it is yanked in {source.index.name}", "Unyank it, or promote another version"
        )
    return files


def _copied(
    source: HostedIndex, target: HostedIndex, files: list[File], event: Event, permit: Permit
) -> list[Promoted]:
    """Publish files of one release in the target, all or none."""
    with ExitStack() as stack:
        received = [_received(source, target, file, stack, permit) for file in files]
        were_there = target.place(received, event)
        return [
            Promoted(each.filename, each.sha256, was_there)
            for each, was_there in zip(received, were_there, strict=True)
        ]


def _received(
    source: HostedIndex, target: HostedIndex, file: File, stack: ExitStack, permit: Permit
) -> Received:
    """Return a copy of a file, which is removed at the end of ``stack`` unless it is placed."""
    target.check_name(file.filename, permit, source.index)
    incoming = stack.enter_context(target.receive())
    copy(source, file, incoming)
    received = target.received(incoming, file.filename, None, permit, source.index)
    return received._replace(provenance=provenance_at(source, file, received.sha256))


def copy(source: HostedIndex, file: File, incoming: Incoming) -> None:
    """Write the content of a listed file to a received one, and compare it with its hash, if any.

    Raises `PromotionError` and `UploadFailedError`.
    """
    for piece in _pieces(source, file):
        try:
            incoming.write(piece)
        except OSError as error:
            raise failed(file.filename, error) from error
    if file.sha256 not in (None, incoming.digests["sha256"]):
        raise PromotionError(
            file.filename,
            f"its content is not that of its hash on the page of {source.index.name}",
            "Publish it anew",
        )


def provenance_at(source: HostedIndex, file: File, sha256: str) -> bytes | None:
    """Return the provenance object of a listed file (PEP 740), if its page states one.

    ``sha256`` is that of the file.

    Raises `PromotionError` if it cannot be read, or is of another file.
    """
    if file.provenance is None:
        return None
    name = file.filename + PROVENANCE_ENDING
    beside = File(filename=name, url=file.provenance)
    found = b""
    with closing(_pieces(source, beside)) as pieces:
        while len(found) <= _LONGEST and (piece := next(pieces, b"")):
            found += piece
    try:
        checked(found, sha256)
    except ProvenanceError as error:
        raise PromotionError(name, str(error), "Attest the file anew, or remove it") from error
    return found


def _pieces(source: HostedIndex, file: File) -> Generator[bytes, None, None]:
    """Yield the content of a file, in pieces of at most 1 MiB; raises `PromotionError`."""
    answer = source.open(file)
    if answer.body is None:
        cause = f"{source.index.name} cannot send it ({answer.outcome})"
        raise PromotionError(file.filename, cause, "Look at the index, and run it again")
    with closing(answer.body) as body:
        try:
            while piece := body.read():
                yield piece
        except TransferError as error:
            raise PromotionError(file.filename, str(error), "Run it again") from error
