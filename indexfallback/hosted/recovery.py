"""Recovery of hosted indexes after a kill: their logs are completed, and promotions are finished.

A promotion that was killed between two files has published a part of a release. The other files
follow if they are still those that it was to copy.
"""

import logging
from collections.abc import Mapping

from packaging.version import InvalidVersion, Version

from indexfallback.errors import PromotionError, UploadError
from indexfallback.hosted.change_log import lacks
from indexfallback.hosted.index import HostedIndex
from indexfallback.hosted.permit import Permit
from indexfallback.hosted.promotion import promote, source_of
from indexfallback.store.best_effort import StoreFault
from indexfallback.store.events import Begun

log = logging.getLogger("indexfallback")


def recover(hosted: Mapping[str, HostedIndex], before: float) -> None:
    """Complete the log of each index by its name, and finish the promotions made in part.

    Only changes that were begun ``before`` that time, in seconds since the epoch, are looked at,
    since others may be under way. What fails is logged; the next start of a server tries it again.
    """
    for target in hosted.values():
        for begun in target.complete_log(before):
            event = begun.event
            try:
                _finish(begun, target, hosted)
            except (UploadError, InvalidVersion, *StoreFault) as error:
                log.warning(
                    "%s has only a part of %s %s, since its promotion %s was killed (%s); "
                    "promote it again, or remove it",
                    target.index.name, event.project, event.subject, event.detail, error,
                )  # fmt: skip


def _finish(begun: Begun, target: HostedIndex, hosted: Mapping[str, HostedIndex]) -> None:
    """Promote what a promotion lacks; raises `UploadError`, `InvalidVersion` and `StoreFault`."""
    event, name = begun.event, source_of(begun.event)
    version, source = Version(event.subject), hosted.get(name)
    files = source.files_of(event.project, version) if source is not None else []
    there = target.files(event.project)
    names = {file.filename for file in there}
    new = {file.filename: file.sha256 for file in files if file.filename not in names}
    if source is None or new != {file: begun.files[file] for file in lacks(begun, there)}:
        release = f"{event.project} {version}"
        cause = f"{name} or {target.index.name} has other files of it since then"
        raise PromotionError(release, cause, "Compare them")
    promote(source, target, event.project, version, Permit(event.actor))
