"""The changes of one hosted index, each recorded in the log of events, even if a kill ends it.

A change is noted before it is made; afterwards its event takes the place of the note. Where an
error or a kill came between, the files of the index tell whether it was made.
"""

import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

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
        self.complete(older=_UNUSUAL)
        events = self._store.hosting.events
        begun = events.begin(self._index.key, files, event)
        try:
            yield
        except Exception:
            if begun is not None:
                self._look_up(begun, is_over=True)
            raise
        finally:
            self._store.search.note(self._index.key, event.project)
        if begun is not None:
            events.end(begun, made=True)
        else:
            events.add(event)

    def complete(self, *, older: float = 0.0) -> None:
        """Record what was made and not recorded, of notes ``older`` than seconds."""
        with best_effort("complete the log of events"):
            for begun in self._store.hosting.events.begun(self._index.key):
                age = time.time() - begun.event.at
                if age >= older and not self._look_up(begun, is_over=age > _FORGOTTEN):
                    return

    def _look_up(self, begun: Begun, *, is_over: bool) -> bool:
        """Record a change if it was made, else forget it if it ``is_over``; tell if it is known."""
        event = begun.event
        try:
            files = self._files(event.project)
        except (UploadUnavailableError, *StoreFault):
            return False
        made = is_made(begun, files)
        if not made and (lacking := lacks(begun, files)):
            log.warning(
                "%s has a part of %s %s alone, and lacks %s: its promotion %s has not ended; "
                "unless it goes on, promote it again",
                event.index_name, event.project, event.subject, ", ".join(lacking), event.detail,
            )  # fmt: skip
        if made or is_over:
            self._store.hosting.events.end(begun, made=made)
        return True


def lacks(begun: Begun, files: Sequence[File]) -> list[str]:
    """Return the files that a promotion lacks which has placed others of its release."""
    listed = {file.filename for file in files}
    missing = sorted(begun.files.keys() - listed)
    is_partial = begun.event.action == "promoted" and len(missing) < len(begun.files)
    return missing if is_partial else []


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
