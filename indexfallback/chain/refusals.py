"""Files that changed under their name and are refused: said once, listed by `status`."""

import logging
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from indexfallback.memory.table import Table
from indexfallback.store import Store
from indexfallback.store.pins import Pin

log = logging.getLogger("indexfallback")


@dataclass(frozen=True)
class Refused:
    """A file that an index offers with other content than was first seen."""

    project: str
    filename: str
    #: Name of the index that offers it, and the sha256 that it states.
    index: str
    offered: str
    #: The sha256 first seen, when (seconds since the epoch), and the address of its index.
    first: str
    seen: float
    source: str


class Refusals:
    """The files refused since the start."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._noted: Table[tuple[str, str, str, str], Refused] = Table(
            "chain.refusals.Refusals._noted"
        )

    def note(self, pins: Sequence[Pin], index: str, offered: str) -> None:
        """Note that ``index`` offers a file with another sha256; log it if that is new.

        ``pins`` are those of the file, the oldest first; there may be none, if it was accepted
        meanwhile.
        """
        if not pins or any(pin.sha256 == offered for pin in pins):
            return
        project, filename, _, first, seen, source = pins[0]
        refused = Refused(project, filename, index, offered, first, seen, source)
        key = (project, filename, first, offered)
        if self._noted.put(key, refused):
            log.warning(
                "%s: %s has changed: sha256 %s is offered, %s was first seen (%s, from %s); "
                "refused: ask its maintainer which one is right; "
                "`indexfallback cache accept %s %s` takes what is offered now",
                index, filename, offered, first, _date(seen), source,
                project, filename,
            )  # fmt: skip

    def report(self) -> list[dict[str, object]]:
        """Return what is refused, as JSON has it, without what was accepted since."""
        return [
            {
                **asdict(refused),
                "cause": changed(refused.first, refused.offered),
                "remedy": acceptance(refused.project, refused.filename),
            }
            for _, refused in self._noted.items()
            if self._is_refused(refused)
        ]

    def _is_refused(self, refused: Refused) -> bool:
        pins = self._store.pins.of_name(refused.project, refused.filename)
        known = {pin.sha256 for pin in pins}
        return refused.first in known and refused.offered not in known


def changed(first: str, offered: str) -> str:
    """Return the clause of why a file is refused; ``first`` and ``offered`` are sha256."""
    return f"it was first seen with sha256 {first} and is offered with {offered} now"


def acceptance(project: str, filename: str) -> str:
    """Return the sentence of what to do about a file that has changed."""
    return (
        "Ask its maintainer which one is right; "
        f"`indexfallback cache accept {project} {filename}` takes what is offered now."
    )


def _date(when: float) -> str:
    return time.strftime("%Y-%m-%d", time.localtime(when))
