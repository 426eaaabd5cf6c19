"""The changes of one hosted index, each recorded in the log of events, even if a kill ends it.

A change is noted before it is made; afterwards its event takes the place of the note. Where an
error or a kill came between, the files of the index tell whether it was made. A promotion may have
been made in part, and `recovery` finishes it.
"""

import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress

from indexfallback.config import Index
from indexfallback.errors import UploadUnavailableError
from indexfallback.page import File
from indexfallback.store import Store
from indexfallback.store.best_effort import StoreFault, best_effort
from indexfallback.store.events import Begun, Event

log = logging.getLogger("indexfallback")

#: A note of this age, seconds, is looked up before the next change: most changes take less, so its
#: process may have ended.
_UNUSUAL = 60.0
#: A change that was not made by then, seconds, is forgotten: no upload takes as long.
_FORGOTTEN = 86400.0


class ChangeLog:
    """The recorded changes of one index."""

    def __init__(self, index: Index, store: Store, files: Callable[[str], Sequence[File]]) -> None:
        """``files`` lists those of a project; it may raise `UploadUnavailableError`."""
        self._index = index
        self._store = store
        self._files = files

    @contextmanager
    def recording(self, event: Event, files: Mapping[str, str]) -> Iterator[None]:
        """Record the change that the block makes of ``files``, and let the search learn of it.

        ``files`` has the sha256 of each by its name; of those that are withdrawn it may be empty.
        """
        self.complete(time.time() - _UNUSUAL)
        events = self._store.hosting.events
        begun = events.begin(self._index.key, files, event)
        try:
            yield
        except Exception:
            if begun is not None:
                with suppress(UploadUnavailableError, *StoreFault):  # it is looked up later
                    self._look_up(begun, is_over=True)
            raise
        finally:
            self._store.search.note(self._index.key, event.project)
        if begun is not None:
            events.end(begun, made=True)
        else:
            events.add(event)

    def complete(self, before: float) -> list[Begun]:
        """Record what was made and not recorded, of changes noted ``before`` a time.

        The time is in seconds since the epoch. Returns the promotions that are made in part, and
        may still be finished.
        """
        partial: list[Begun] = []
        forgotten = time.time() - _FORGOTTEN
        with best_effort("complete the log of events"), suppress(UploadUnavailableError):
            for begun in self._store.hosting.events.begun(self._index.key):
                at = begun.event.at
                if at <= before and self._look_up(begun, is_over=at <= forgotten):
                    partial.append(begun)
        return partial

    def _look_up(self, begun: Begun, *, is_over: bool) -> bool:
        """Record a change if it was made, and forget it if it ``is_over``.

        Returns whether it is a promotion that is made in part, and not over. Raises
        `UploadUnavailableError` and `StoreFault` if that is not known.
        """
        event = begun.event
        files = self._files(event.project)
        made = is_made(begun, files)
        if made or is_over:
            self._store.hosting.events.end(begun, made=made)
        lacking = lacks(begun, files)
        if lacking and is_over:
            log.warning(
                "%s has only a part of %s %s and lacks %s, since its promotion %s was not "
                "finished; promote it again, or remove it",
                event.index_name, event.project, event.subject, ", ".join(lacking), event.detail,
            )  # fmt: skip
        return bool(lacking) and not is_over


def lacks(begun: Begun, files: Sequence[File]) -> list[str]:
    """Return the files that a promotion lacks which has placed others of its release.

    Nothing is lacking where what was placed has been removed or yanked: then it is not wanted.
    """
    placed = {file.filename: file for file in files if file.filename in begun.files}
    if begun.event.action != "promoted" or any(file.yanked for file in placed.values()):
        return []
    return sorted(begun.files.keys() - placed) if placed else []


def is_made(begun: Begun, files: Sequence[File]) -> bool:
    """Tell whether a change was made, by the present files of its project."""
    listed = {file.filename: file for file in files if file.filename in begun.files}
    if begun.event.action == "removed":  # in part, too: what is gone is gone
        return len(listed) < len(begun.files)
    if len(listed) < len(begun.files):
        return False
    if begun.event.action in ("yanked", "unyanked"):
        return all(
            bool(file.yanked) == (begun.event.action == "yanked") for file in listed.values()
        )
    return all(file.sha256 == begun.files[name] for name, file in listed.items())
